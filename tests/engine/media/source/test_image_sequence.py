"""Photographs and folders of stills as sources."""

import struct

import cv2
import numpy as np
import pytest

from engine.errors import DamagedFrameError, SourceError
from engine.media.source.image_sequence import list_stills, open_any, probe_any


def make_picture(value, size=(64, 48)):
    made = np.full((size[1], size[0], 3), value, np.uint8)
    made[: size[1] // 3, : size[0] // 3] = 255
    return made


def write_still(path, value=60, size=(64, 48)):
    assert cv2.imwrite(str(path), make_picture(value, size))
    return path


@pytest.fixture
def folder(tmp_path):
    """Twelve stills, brighter and brighter, whose names do not sort as text, and a file that is none."""
    for number in range(12):
        write_still(tmp_path / f"img{number + 1}.png", 15 * number)
    (tmp_path / "notes.txt").write_text("not a still", encoding="utf-8")
    return tmp_path


def read_frames(path):
    info = probe_any(path)
    with open_any(path, info) as source:
        return list(source.frames())


@pytest.mark.slow
def test_stills_are_frames_in_the_order_of_their_numbers(folder):
    assert [path.name for path in list_stills(folder)] == [f"img{number}.png" for number in range(1, 13)]
    frames = read_frames(folder)
    assert [(frame.index, frame.pts) for frame in frames] == [(number, number) for number in range(12)]
    assert [int(frame.rgb()[-1, -1, 0]) for frame in frames] == [15 * number for number in range(12)]
    info = probe_any(folder)
    assert (info.video.packets, info.video.first_pts, info.video.last_pts, info.video.step) == (12, 0, 11, 1)


@pytest.mark.slow
def test_what_identifies_a_folder_is_its_pictures(folder):
    before = probe_any(folder).sha256
    assert probe_any(folder).sha256 == before
    write_still(folder / "img3.png", 200)
    assert probe_any(folder).sha256 != before


@pytest.mark.slow
def test_a_folder_that_changes_while_it_is_read_is_refused(folder):
    info = probe_any(folder)
    write_still(folder / "img3.png", 200)
    with open_any(folder, info) as source, pytest.raises(SourceError, match="changed while it was read"):
        list(source.frames())


def test_stills_of_several_sizes_are_no_video(folder):
    write_still(folder / "img20.png", size=(32, 32))
    with pytest.raises(SourceError, match=r"img20\.png has another size than img1\.png"):
        probe_any(folder)


def test_a_folder_without_stills_is_refused(tmp_path):
    with pytest.raises(SourceError, match="folder without stills"):
        probe_any(tmp_path)


def test_a_still_that_is_cut_short_is_damage(folder):
    path = folder / "img5.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises((DamagedFrameError, SourceError), match=r"img5\.png"):
        read_frames(folder)


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg", "a%03d.jpg", "a.png", "a.webp", "a.bmp", "a.jp2", "a.ppm"])
def test_a_photograph_is_a_video_of_one_frame(tmp_path, name):
    """Also one whose name FFmpeg would take for a pattern of names."""
    (frame,) = read_frames(write_still(tmp_path / name))
    assert frame.rgb().shape == (48, 64, 3)
    assert abs(int(frame.rgb()[-1, -1, 0]) - 60) < 4


@pytest.mark.parametrize(
    ("orientation", "shape", "bright"), [(1, (48, 64), (0, 0)), (3, (48, 64), (-1, -1)), (6, (64, 48), (0, -1))]
)
def test_a_photograph_is_seen_as_its_exif_data_say(tmp_path, orientation, shape, bright):
    path = write_still(tmp_path / "phone.jpg")
    jpeg = path.read_bytes()
    entry = struct.pack(">HHIHH", 0x112, 3, 1, orientation, 0)
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", 1) + entry + struct.pack(">I", 0)
    path.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    (frame,) = read_frames(path)
    assert frame.rgb().shape[:2] == shape
    assert frame.rgb()[bright][0] > 200
