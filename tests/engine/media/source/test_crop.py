"""What a container hides is in no frame that Veil reads, and so in no output."""

import threading

import msgspec
import numpy as np
import pytest

from engine.core.geometry import Crop, Size
from engine.errors import RecordError
from engine.media.source.crop import align_crop, has_no_crop_box
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from engine.media.source.seek import SeekingReader
from engine.media.stream.live_input import LiveInput
from engine.rendering.render import render
from engine.verification.verify import verify
from tests import clips, record_makers
from tests.engine.media.source_makers import run_ffmpeg

SIDES = {"left": 20, "top": 12, "right": 30, "bottom": 4}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return clips.video(tmp_path_factory.mktemp("crop") / "whole.mp4", frames=6)


@pytest.fixture(params=["mp4", "mkv", "mov"])
def cropped(request, whole, tmp_path):
    return clips.cropped(tmp_path / f"cropped.{request.param}", whole, **SIDES)


def read_planes(path):
    with open_source(path, probe(path)) as source:
        return [[plane.copy() for plane in frame.picture().planes] for frame in source.frames()]


def visible(planes):
    """The part of 4:2:0 planes of 128x96 that the container shows."""
    luma, *chroma = planes
    return [luma[12:92, 20:98], *(plane[6:46, 10:49] for plane in chroma)]


def test_frames_are_the_visible_part_sample_by_sample(cropped, whole):
    for shown, stored in zip(read_planes(cropped), read_planes(whole), strict=True):
        for plane, wanted in zip(shown, visible(stored), strict=True):
            assert np.array_equal(plane, wanted)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "avi"])
def test_only_a_file_without_a_crop_box_is_not_searched_further(whole, tmp_path, suffix):
    plain = clips.video(tmp_path / f"plain.{suffix}", frames=3)
    assert has_no_crop_box(plain) == (suffix in {"mp4", "mov"})
    if suffix in {"mp4", "mov"}:
        assert not has_no_crop_box(clips.cropped(tmp_path / f"cropped.{suffix}", whole, **SIDES))


def test_a_file_whose_boxes_do_not_add_up_is_not_judged_by_them(whole, tmp_path):
    data = whole.read_bytes()
    for name, changed in {
        "short": data[:-10],
        "long": data + b"\0\0\0\1moov",
        "compressed": data.replace(b"udta", b"cmov"),
        "without": data.replace(b"moov", b"free"),
    }.items():
        (tmp_path / name).write_bytes(changed)
        assert not has_no_crop_box(tmp_path / name), name


def test_frames_by_index_are_the_same(cropped):
    record = record_makers.record_of(cropped, lambda index: [])
    assert record.source.video.crop == Crop(20, 12, 30, 4)
    planes = read_planes(cropped)
    with SeekingReader(cropped, record) as reader:
        for index in (4, 1):
            assert np.array_equal(reader.read_frame(index).picture().planes[0], planes[index][0])


def test_output_shows_no_more_than_the_source(cropped, tmp_path):
    record = record_makers.written(record_makers.record_of(cropped, lambda index: []), tmp_path / "r.json")
    output = tmp_path / f"out{cropped.suffix}"
    render(cropped, record, output)
    assert probe(output).video.coded == Size(78, 80)
    assert verify(cropped, record, output).passed
    # FFmpeg's command line crops as players do.
    raw = tmp_path / "shown.raw"
    run_ffmpeg("-i", cropped, "-map", "0:v", "-vf", "extractplanes=y", "-f", "rawvideo", raw)
    pictures = np.fromfile(raw, np.uint8).reshape(-1, 80, 78).astype(int)
    rendered = np.stack([planes[0] for planes in read_planes(output)]).astype(int)
    assert np.abs(pictures - rendered).mean() < 3


def test_record_that_knows_no_cropping_is_refused(cropped, whole, tmp_path):
    record = record_makers.record_of(cropped, lambda index: [])
    video = msgspec.structs.replace(record.source.video, crop=None, coded=Size(128, 96), display=Size(128, 96))
    source = msgspec.structs.replace(record.source, video=video)
    old = record_makers.written(msgspec.structs.replace(record, source=source), tmp_path / "old.json")
    with pytest.raises(RecordError, match="Detect again"):
        render(cropped, old, tmp_path / "out.mp4")


def test_live_run_of_a_file_is_cropped(cropped):
    with LiveInput(str(cropped), threading.Event()) as live:
        frames = [event.frame for event in live.events() if hasattr(event, "frame")]
    assert {(frame.width, frame.height) for frame in frames} == {(78, 80)}


@pytest.mark.parametrize(
    ("crop", "interlaced", "wanted"),
    [
        (Crop(1, 1, 1, 1), False, Crop(2, 2, 1, 1)),
        (Crop(0, 1, 0, 0), True, Crop(0, 4, 0, 0)),
        (Crop(60, 0, 68, 0), False, None),
    ],
)
def test_edges_move_inwards_to_whole_chroma_samples(crop, interlaced, wanted):
    assert align_crop(crop, Size(128, 96), "yuv420p", interlaced=interlaced) == wanted
