import json
import os
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import msgspec
import numpy as np
import pytest

import engine
from engine.core.geometry import Orientation
from engine.errors import RecordError, SourceError, StyleError, TargetError
from engine.masking.mask import compute_mask
from engine.masking.presets import style_from_preset
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from engine.record import read_document, read_record, sha256_hex
from engine.rendering.report import RenderReport, report_path
from engine.rendering.terms import RenderOptions
from tests import clips
from tests.record_makers import record_of, written

pytestmark = pytest.mark.slow

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def two_boxes(index):
    return [(20 + index, 15, 60 + index, 65), (90, 60, 128, 96)]


def decoded_planes(path):
    """Every frame's planes, as the encoder would get them from an untouched source."""
    info = probe(path)
    with open_source(path, info) as source:
        for frame in source.frames():
            yield frame.picture()


def y4m_frames(path, pictures):
    """Planes of each frame of a YUV4MPEG2 file, shaped like those of `pictures`."""
    data = path.read_bytes()
    place = data.index(b"\n") + 1
    for picture in pictures:
        assert data[place : place + 6] == b"FRAME\n"
        place += 6
        planes = []
        for plane in picture.planes:
            count = plane.size * plane.itemsize
            planes.append(np.frombuffer(data[place : place + count], plane.dtype).reshape(plane.shape))
            place += count
        yield picture, planes
    assert place == len(data)


@pytest.mark.parametrize("maker", [clips.silent, clips.ten_bit, clips.chroma_422, clips.chroma_444, clips.interlaced])
@pytest.mark.parametrize("preset", ["strong", "broadcast", "training-data"])
def test_outside_the_masks_the_encoder_gets_the_decoded_source_to_the_bit(tmp_path, maker, preset):
    source = maker(tmp_path / "clip.mp4")
    record = record_of(source, two_boxes)
    style, copy = style_from_preset(preset), tmp_path / "pictures.y4m"
    engine.render(source, record, tmp_path / "out.mp4", RenderOptions(style=style, y4m=copy))
    orientation = Orientation(record.source.video.coded)
    changed = 0
    for index, (before, after) in enumerate(y4m_frames(copy, decoded_planes(source))):
        boxes = [face.box for face in record.frames[index].faces]
        masks = compute_mask(boxes, orientation, style, before.format)
        for original, rendered, mask in zip(before.planes, after, masks, strict=True):
            assert np.array_equal(original[mask == 0], rendered[mask == 0])
            changed += int((original[mask == 255] != rendered[mask == 255]).sum())
    assert changed > 1000


def test_the_same_render_gives_the_same_bytes_whatever_the_machine_does(tmp_path):
    source = clips.video(tmp_path / "clip.mp4", size=(320, 240), frames=40, audio=[clips.Audio()])
    record = written(record_of(source, two_boxes), tmp_path / "clip.json")
    first = engine.render(source, record, tmp_path / "a.mp4").output_sha256
    script = "import sys, os, engine; os.sched_setaffinity(0, {0});print(engine.render(*sys.argv[1:]).output_sha256)"
    burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        again = [
            subprocess.run(
                [sys.executable, "-c", script, source, record, tmp_path / f"{number}.mp4"],
                env=os.environ | environment, capture_output=True, text=True, check=True,
            ).stdout.strip()
            for number, environment in enumerate([{}, {"OPENCV_CPU_DISABLE": "AVX2"}])
        ]  # fmt: skip
    finally:
        burner.kill()
        burner.wait()
    assert set(again) == {first}


def test_rotation_puts_the_mask_where_the_face_is_seen(tmp_path):
    source = clips.turned(tmp_path / "clip.mp4", degrees=90)
    record = record_of(source, lambda _: [(0, 0, 40, 40)])
    out = tmp_path / "out.mp4"
    style = style_from_preset("training-data", {"scale": 1.0})
    engine.render(source, record, out, RenderOptions(style=style))
    info = probe(out)
    assert info.video.display == probe(source).video.display
    assert info.video.rotation == 90
    with open_source(out, info) as frames:
        picture = next(frames.frames()).rgb()
    assert np.abs(picture[4:36, 4:36].astype(int) - 128).max() < 12
    assert np.abs(picture[50:, 50:].astype(int) - 128).mean() > 20


def test_damaged_frames_are_covered_whole(tmp_path):
    source = clips.silent(tmp_path / "clip.mp4")
    record = msgspec.structs.replace(record_of(source, lambda _: []), damaged=(3,))
    out = tmp_path / "out.mp4"
    report = engine.render(source, record, out)
    assert (report.covered, report.masked) == (1, 0)
    lights = [picture.planes[0].mean() for picture in decoded_planes(out)]
    assert lights[3] < 20
    assert min(lights[:3] + lights[4:]) > 60


def test_the_report_says_what_was_done(tmp_path):
    source = clips.telling(tmp_path / "clip.mp4")
    record = written(record_of(source, two_boxes), tmp_path / "clip.json")
    out = tmp_path / "out.mp4"
    report = engine.render(source, record, out)
    assert read_document(report_path(out), RenderReport, "report") == report
    assert report.output_sha256 == sha256_hex(out.read_bytes())
    assert report.record_sha256 == sha256_hex(record.read_bytes())
    assert report.masked == report.frames == len(read_record(record).frames)
    assert {part.what.split()[0] for part in report.dropped} >= {"subtitle", "metadata", "chapters"}
    assert report.weaknesses == ()


def test_the_stated_arguments_make_ffmpeg_encode_the_same_way(tmp_path):
    source = clips.silent(tmp_path / "clip.mp4")
    report = engine.render(source, record_of(source, lambda _: []), tmp_path / "out.mp4")
    theirs = tmp_path / "theirs.mp4"
    subprocess.run([FFMPEG, "-v", "error", "-i", source, *report.encoder.ffmpeg_args, theirs], check=True)

    def settings(path):
        data = path.read_bytes()
        start = data.index(b"x264 - core")
        return data[data.index(b"options:", start) : data.index(b"\0", start)]

    assert settings(theirs) == settings(tmp_path / "out.mp4")


def test_a_weak_style_is_refused_and_forcing_it_is_on_record(tmp_path):
    source = clips.silent(tmp_path / "clip.mp4")
    record, out = record_of(source, two_boxes), tmp_path / "out.mp4"
    weak = style_from_preset("broadcast", {"blocks": 20})
    with pytest.raises(StyleError, match=r"blocks 20.*8"):
        engine.render(source, record, out, RenderOptions(style=weak))
    assert not out.exists()
    report = engine.render(source, record, out, RenderOptions(style=weak, force=True))
    assert "blocks 20" in report.weaknesses[0]
    assert json.loads(report_path(out).read_bytes())["weaknesses"] == list(report.weaknesses)


def test_the_record_of_another_video_is_refused(tmp_path):
    source, other = clips.silent(tmp_path / "clip.mp4"), clips.vfr(tmp_path / "other.mp4")
    with pytest.raises(RecordError, match=r"another video than .*other\.mp4"):
        engine.render(other, record_of(source, two_boxes), tmp_path / "out.mp4")


def test_frames_that_are_not_those_of_the_record_end_the_render(tmp_path):
    source = clips.silent(tmp_path / "clip.mp4")
    record = record_of(source, two_boxes)
    moved = msgspec.structs.replace(record.frames[7], pts=record.frames[7].pts + 1)
    wrong = msgspec.structs.replace(record, frames=(*record.frames[:7], moved, *record.frames[8:]))
    with pytest.raises(SourceError, match="Frame 7"):
        engine.render(source, wrong, tmp_path / "out.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_source_that_vanishes_midway_leaves_nothing_behind(tmp_path):
    source = clips.silent(tmp_path / "clip.mp4")
    record = record_of(source, two_boxes)

    class Thief:
        def progress(self, stage, done, total):
            if stage == "render":
                source.unlink(missing_ok=True)

        def notice(self, message): ...

    with pytest.raises(SourceError, match=r"clip\.mp4"):
        engine.render(source, record, tmp_path / "out.mp4", listener=Thief())
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written_is_named(tmp_path):
    source = clips.silent(tmp_path / "clip.mp4")
    with pytest.raises(TargetError, match="nowhere"):
        engine.render(source, record_of(source, two_boxes), tmp_path / "nowhere" / "out.mp4")


def test_what_the_container_cannot_hold_goes_into_matroska_with_a_sentence(tmp_path):
    source = clips.video(tmp_path / "clip.webm", codec="libvpx", audio=[clips.Audio("libopus", 48000)])
    said = []

    class Ear:
        def progress(self, stage, done, total): ...

        def notice(self, message):
            said.append(message)

    out = tmp_path / "out.webm"
    report = engine.render(source, record_of(source, two_boxes), out, listener=Ear())
    assert out.exists()
    assert "Matroska" in report.sentence
    assert said == [report.sentence]
    assert engine.verify(source, record_of(source, two_boxes), out).passed


def test_importing_the_engine_imports_no_library_that_it_may_not_need():
    script = "import sys, engine.record; print({'av', 'cv2', 'tensorflow', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_paths_may_be_strings(tmp_path):
    source = clips.silent(tmp_path / "clip.mp4")
    record = written(record_of(source, lambda _: []), tmp_path / "clip.json")
    report = engine.render(str(source), str(record), str(tmp_path / "out.mp4"))
    assert Path(tmp_path / "out.mp4").stat().st_size == report.output_bytes
