"""Doctored outputs: each kind of change is found by the check that is about it."""

import shutil

import msgspec
import pytest

import engine
from engine.errors import RecordError, SourceError
from engine.masking.presets import style_from_preset
from engine.rendering.report import report_path
from engine.rendering.terms import RenderOptions
from tests import clips
from tests.record_makers import make_face, record_of, written

FACE = (30, 20, 90, 80)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """A source, its record and an honest render of it."""
    folder = tmp_path_factory.mktemp("honest")
    sound = [clips.Audio(), clips.Audio(channels=2)]
    source = clips.video(folder / "clip.mp4", size=(160, 120), frames=40, audio=sound)
    record = written(record_of(source, lambda _: [FACE]), folder / "clip.json")
    out = folder / "out.mp4"
    engine.render(source, record, out)
    return source, record, out


def failures(source, record, output, **options):
    report = engine.verify(source, record, output, **options)
    failed = {check.name: check.finding for check in report.checks if not check.passed}
    assert report.passed == (not failed)
    return failed


def doctored(honest, tmp_path, *arguments, before=()):
    """The honest output, copied by FFmpeg with some change; its report goes along."""
    _, _, out = honest
    target = tmp_path / "out.mp4"
    clips.ffmpeg(*before, "-i", out, "-map", "0", "-c", "copy", "-fflags", "+bitexact", *arguments, target)
    shutil.copy(report_path(out), report_path(target))
    return target


@pytest.mark.slow
def test_an_honest_output_passes_every_check(honest):
    report = engine.verify(*honest, render_again=True)
    assert report.passed
    assert [check.name for check in report.checks] == [
        "report", "frames", "masks", "outside the masks", "rendered again", "audio 1", "audio 2", "metadata",
    ]  # fmt: skip
    without = [check for check in report.checks if check.name != "rendered again"]
    assert engine.verify(*honest).checks == tuple(without)


@pytest.mark.slow
def test_one_frame_left_unmasked_is_named(honest, tmp_path):
    source, record, _ = honest
    whole = record_of(source, lambda _: [FACE])
    bare = msgspec.structs.replace(whole.frames[17], faces=())
    frames = (*whole.frames[:17], bare, *whole.frames[18:])
    engine.render(source, msgspec.structs.replace(whole, frames=frames), tmp_path / "out.mp4")
    found = failures(source, record, tmp_path / "out.mp4", render_again=True)
    assert found["masks"] == "frame 17 is showing what was to be masked"
    assert {"report", "rendered again"} < set(found)


@pytest.mark.slow
def test_a_mask_that_covers_half_a_face_is_found(honest, tmp_path):
    source, record, _ = honest
    engine.render(source, record_of(source, lambda i: [(30, 20, 60, 80) if i == 4 else FACE]), tmp_path / "out.mp4")
    assert "frame 4 is" in failures(source, record, tmp_path / "out.mp4")["masks"]


@pytest.mark.slow
def test_a_mask_too_many_is_found(honest, tmp_path):
    source, record, _ = honest
    more = (make_face(1, (110, 80, 150, 118)),)
    whole = record_of(source, lambda _: [FACE])
    frames = [msgspec.structs.replace(f, faces=f.faces + more) if f.index == 9 else f for f in whole.frames]
    engine.render(source, msgspec.structs.replace(whole, frames=tuple(frames)), tmp_path / "out.mp4")
    assert "frame 9 is different" in failures(source, record, tmp_path / "out.mp4")["outside the masks"]


@pytest.mark.slow
def test_another_style_than_the_reported_one_is_found(honest, tmp_path):
    source, record, out = honest
    target = tmp_path / "out.mp4"
    engine.render(source, record, target, RenderOptions(style=style_from_preset("training-data")))
    assert engine.verify(source, record, target).passed
    found = failures(source, record, target, render_report=report_path(out), render_again=True)
    assert {"outside the masks", "rendered again"} <= set(found)


def test_a_dropped_audio_packet_is_found(honest, tmp_path):
    target = doctored(honest, tmp_path, "-bsf:a:1", "noise=drop=eq(n\\,9)")
    found = failures(*honest[:2], target)
    assert "other packets and other samples" in found["audio 2"]
    assert "audio 1" not in found


def test_a_missing_audio_stream_is_found(honest, tmp_path):
    found = failures(*honest[:2], doctored(honest, tmp_path, "-map", "-0:a:1"))
    assert "2 audio streams, the output 1" in found["audio"]


@pytest.mark.slow
def test_audio_that_starts_later_is_found(honest, tmp_path):
    target = tmp_path / "out.mp4"
    late = ("-itsoffset", "0.2", "-i", honest[2])
    clips.ffmpeg("-i", honest[2], *late, "-map", "0:v", "-map", "1:a", "-c", "copy", target)
    shutil.copy(report_path(honest[2]), report_path(target))
    assert "another start" in failures(*honest[:2], target)["audio 1"]


def test_a_place_tag_is_found(honest, tmp_path):
    target = doctored(honest, tmp_path, "-metadata", "location=+48.2+016.3/", "-movflags", "use_metadata_tags")
    assert "the tag location" in failures(*honest[:2], target)["metadata"]


def test_another_comment_than_the_reported_one_is_found(honest, tmp_path):
    target = doctored(honest, tmp_path, "-metadata", "comment=Dr Smith")
    assert "the tag comment" in failures(*honest[:2], target)["metadata"]


def test_a_subtitle_stream_and_chapters_are_found(honest, tmp_path):
    (tmp_path / "s.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nJane\n")
    (tmp_path / "c.txt").write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle=Jane\n")
    target = tmp_path / "out.mp4"
    clips.ffmpeg(
        "-i", honest[2], "-i", tmp_path / "s.srt", "-i", tmp_path / "c.txt", "-map", "0", "-map", "1",
        "-map_chapters", "2", "-c", "copy", "-c:s", "mov_text", target,
    )  # fmt: skip
    shutil.copy(report_path(honest[2]), report_path(target))
    finding = failures(*honest[:2], target)["metadata"]
    assert "a subtitle stream" in finding
    assert "chapters" in finding


def test_one_frame_shown_late_is_found(honest, tmp_path):
    target = doctored(honest, tmp_path, "-bsf:v", "setts=pts=PTS+if(eq(N\\,39)\\,300\\,0)")
    assert "shown at another time" in failures(*honest[:2], target)["frames"]


def test_a_lost_frame_is_found(honest, tmp_path):
    target = tmp_path / "out.mp4"
    clips.ffmpeg("-i", honest[2], "-map", "0", "-c", "copy", "-frames:v", "30", target)
    shutil.copy(report_path(honest[2]), report_path(target))
    assert failures(*honest[:2], target)["frames"].startswith("the source has 40 frames, the output 3")


@pytest.mark.slow
def test_a_broken_frame_of_the_output_is_a_finding_not_a_crash(honest, tmp_path):
    target = tmp_path / "out.mp4"
    data = bytearray(honest[2].read_bytes())
    middle = data.index(b"mdat") + 9000
    data[middle : middle + 600] = bytes(600)
    target.write_bytes(data)
    shutil.copy(report_path(honest[2]), report_path(target))
    assert {"report", "rendered again"} < set(failures(*honest[:2], target, render_again=True))
    assert {"report"} < set(failures(*honest[:2], target))


def test_without_a_report_the_default_style_is_assumed_and_said(honest, tmp_path):
    target = tmp_path / "out.mp4"
    shutil.copy(honest[2], target)
    report = engine.verify(*honest[:2], target)
    assert report.passed
    assert "default preset" in report.style_from


def test_the_record_of_another_video_is_refused(honest, tmp_path):
    other = clips.silent(tmp_path / "other.mp4")
    with pytest.raises(RecordError, match="another video"):
        engine.verify(other, honest[1], honest[2])


def test_an_output_that_is_no_video_is_named(honest, tmp_path):
    target = tmp_path / "out.mp4"
    target.write_bytes(b"no video")
    with pytest.raises(SourceError, match=r"out\.mp4"):
        engine.verify(*honest[:2], target)


def test_a_report_that_is_none_is_named(honest, tmp_path):
    wrong = tmp_path / "report.json"
    wrong.write_text('{"schema": "veil/render/1"}')
    with pytest.raises(RecordError, match=r"report\.json is not the report of a render"):
        engine.verify(*honest, render_report=wrong)
