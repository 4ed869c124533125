"""Outputs in which spans of audio are replaced: everything else is the source's, and what is doctored is found."""

import shutil

import av
import numpy as np
import pytest

import engine
from engine.audio.spans import AudioSpan
from engine.errors import InputError
from engine.rendering.report import report_path
from tests import clips
from tests.engine.audio.audio_sources import (
    RATE,
    decode_samples,
    make_clip,
    make_render_options,
    read_first_sample_time,
)
from tests.record_makers import record_of, written

pytestmark = pytest.mark.slow

MUTE, BLEEP = AudioSpan("mute", 0.5, 0.75, "a name"), AudioSpan("bleep", 0.9, 1.1, "a place")
EDGE = 60
"""Samples; what a container rounds starts by."""
LATE, LONGER, SHORTER = (0.2534, 1.0), (0.0, 1.7), (0.1, 0.95)


def render_spans(source, target, *spans):
    return engine.render(source, record_of(source, lambda _: []), target, make_render_options(*spans))


@pytest.mark.parametrize(
    ("codec", "suffix", "kind", "becomes", "muxer"),
    [
        ("aac", ".mp4", "f32le", "pcm_f32le", "matroska"),
        ("aac", ".mov", "f32le", "pcm_f32le", "mov"),
        ("libmp3lame", ".mkv", "f32le", "pcm_f32le", "matroska"),
        ("libopus", ".mkv", "f32le", "pcm_f32le", "matroska"),
        ("ac3", ".ts", "f32le", "pcm_f32le", "matroska"),
        ("flac", ".mkv", "s16le", "flac", "matroska"),
        ("flac", ".mp4", "s16le", "flac", "mp4"),
        ("pcm_s16le", ".mov", "s16le", "pcm_s16le", "mov"),
        ("pcm_s24le", ".mov", "s32le", "pcm_s24le", "mov"),
        ("pcm_s24le", ".mkv", "s32le", "flac", "matroska"),
        ("pcm_s16le", ".avi", "s16le", "pcm_s16le", "avi"),
    ],
)
def test_samples_outside_are_the_decoders_and_inside_nothing_is_left(  # noqa: PLR0917
    codec, suffix, kind, becomes, muxer, tmp_path
):
    tones = [LATE, LONGER, SHORTER] if suffix != ".avi" else [LONGER]
    source, target = make_clip(tmp_path / f"source{suffix}", codec, tones), tmp_path / f"out{suffix}"
    report = render_spans(source, target, MUTE, BLEEP)
    assert report.spec.container.muxer == muxer
    assert [one.codec for one in report.audio] == [becomes] * len(tones)
    assert (report.sentence is None) == (muxer != "matroska" or suffix == ".mkv")
    for place in range(len(tones)):
        before, after = decode_samples(source, place, kind), decode_samples(target, place, kind)
        late = 0.0 if suffix == ".avi" else read_first_sample_time(source, place)
        assert suffix == ".avi" or abs(read_first_sample_time(target, place) - late) <= 0.00101
        first, stop, tone, end = (round((time - late) * RATE) for time in (0.5, 0.75, 0.9, 1.1))
        assert len(before) == len(after)
        inside = slice(first + EDGE, stop - EDGE)
        assert (after[inside] == 0).all()
        assert (before[inside] != 0).any()
        kept = np.r_[0 : first - EDGE, stop + EDGE : tone - EDGE, end + EDGE : len(before)]
        kept = kept[kept < len(before)]
        assert (before[kept] == after[kept]).all()
        assert (before[tone + EDGE : end - EDGE] != after[tone + EDGE : end - EDGE]).any()
    checks = engine.verify(source, record_of(source, lambda _: []), target)
    assert checks.passed, checks


@pytest.mark.parametrize(("channels", "layout"), [(1, "mono"), (6, "5.1")])
def test_mono_and_surround(channels, layout, tmp_path):
    source = make_clip(tmp_path / "source.mkv", "flac", channels=channels)
    render_spans(source, tmp_path / "out.mkv", MUTE)
    before, after = (decode_samples(path, 0, "s16le", channels) for path in (source, tmp_path / "out.mkv"))
    assert (before[24002:35998] != 0).any()
    assert not after[24002:35998].any()
    assert (before[36002:] == after[36002:]).all()
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.streams.audio[0].codec_context.layout.name == layout


def test_streams_without_a_span_are_copied_and_which_is_the_default_stays(tmp_path):
    plain = make_clip(tmp_path / "plain.mkv", "aac", [LATE, LONGER])
    source, target = tmp_path / "source.mkv", tmp_path / "out.mkv"
    clips.ffmpeg("-i", plain, "-map", "0", "-c", "copy", "-disposition:a:0", "0", "-disposition:a:1", "default", source)
    report = render_spans(source, target, AudioSpan("mute", 0.5, 0.75, "a name", (2,)))
    assert [one.number for one in report.audio] == [2]
    with av.open(str(target)) as container:
        assert [stream.codec_context.name for stream in container.streams.audio] == ["aac", "pcm_f32le"]
        assert [bool(stream.disposition & 1) for stream in container.streams.audio] == [False, True]
        assert not any("encoder" in {name.lower() for name in stream.metadata} for stream in container.streams.audio)
    findings = {one.name: one.finding for one in engine.verify(source, record_of(source, lambda _: []), target).checks}
    assert findings["audio 1"] == "aac: same packets, same samples, same start"
    assert findings["audio 2"].startswith("aac: 12000 samples muted, all ")


def test_a_gap_in_the_audio_stays_where_it_is(tmp_path):
    plain, source = make_clip(tmp_path / "plain.mkv", "pcm_s16le", [(0.0, 1.4)]), tmp_path / "source.mkv"
    clips.ffmpeg("-i", plain, "-c", "copy", "-bsf:a", "noise=drop=between(n\\,10\\,14)", source)
    report = render_spans(source, tmp_path / "out.mkv", MUTE)
    assert engine.verify(source, record_of(source, lambda _: []), tmp_path / "out.mkv").passed
    first = next(piece.first for piece in report.audio[0].pieces if piece.kind == "mute")
    assert abs(first - (RATE / 2 - 5 * 1024)) < 100


def test_the_same_choice_gives_the_same_bytes_and_none_those_of_before(tmp_path):
    source = make_clip(tmp_path / "source.mov", "aac")
    first = render_spans(source, tmp_path / "one.mov", MUTE, BLEEP)
    assert render_spans(source, tmp_path / "two.mov", MUTE, BLEEP).output_sha256 == first.output_sha256
    assert render_spans(source, tmp_path / "three.mov", MUTE).output_sha256 != first.output_sha256
    kept = render_spans(source, tmp_path / "kept.mov")
    assert kept.audio == ()
    assert b'"audio"' not in engine.record.encode_document(kept.spec)


def test_a_span_outside_of_the_clip_is_refused_before_anything_is_written(tmp_path):
    source = make_clip(tmp_path / "source.mov", "aac")
    with pytest.raises(InputError, match=r"The mute of 5-6 s lies outside of the audio"):
        render_spans(source, tmp_path / "out.mov", AudioSpan("mute", 5, 6, "a name"))
    assert not (tmp_path / "out.mov").exists()


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """A source with PCM, its record, and an honest render with a mute and a bleep in it."""
    folder = tmp_path_factory.mktemp("altered")
    source = make_clip(folder / "source.mov", "pcm_s16le", [(0.0, 1.4), LATE])
    record = written(record_of(source, lambda _: []), folder / "record.json")
    engine.render(source, record, folder / "out.mov", make_render_options(MUTE, BLEEP))
    return source, record, folder / "out.mov"


def list_failed_checks(honest, target, *arguments):
    """What the verification finds in an output that FFmpeg made of the honest one with these arguments."""
    source, record, out = honest
    clips.ffmpeg("-i", out, "-i", source, "-fflags", "+bitexact", *arguments, target)
    shutil.copy(report_path(out), report_path(target))
    report = engine.verify(source, record, target)
    return {check.name: check.finding for check in report.checks if not check.passed}


@pytest.mark.parametrize(
    ("doctor", "says"),
    [
        ("[0:a:0]anull[b];[1:a:0]volume=0:enable='not(between(t,0.6,0.7))'[a];[b][a]amix=normalize=0",
         "the source's sound left in in the mute of 0.5-0.75 s, from sample "),
        ("[1:a:0]anull", "the source's sound left in in the bleep of 0.9-1.1 s"),
        ("[0:a:0]aeval='val(ch)+1/32768*eq(n,60001)':c=same", "other samples outside of the spans, from sample 60001 "),
        ("[0:a:0]aeval='val(ch)+1/32768*eq(n,30000)':c=same",
         "something else than was chosen in the mute of 0.5-0.75 s, from sample 30000 "),
        ("[0:a:0]asetpts=PTS+4800", "another start (0.100 s after the video, not 0.000 s)"),
        ("[0:a:0]atrim=end_sample=67000", "67000 samples instead of 67200"),
    ],
    ids=["left in", "all left in", "one sample outside", "one sample inside", "late", "short"],
)  # fmt: skip
def test_a_doctored_stream_is_reported(honest, doctor, says, tmp_path):
    mapped = ["-map", "0:v", "-map", "[x]", "-map", "0:a:1", "-c", "copy", "-c:a:0", "pcm_s16le"]
    found = list_failed_checks(honest, tmp_path / "out.mov", "-filter_complex", f"{doctor}[x]", *mapped)
    assert says in found["audio 1"]
    assert "audio 2" not in found


def test_a_copy_of_the_whole_source_is_reported(honest, tmp_path):
    found = list_failed_checks(honest, tmp_path / "out.mov", "-map", "0:v", "-map", "1:a", "-c", "copy")
    assert "the source's sound left in" in found["audio 1"]
    assert "the source's sound left in" in found["audio 2"]


def test_another_codec_is_reported(honest, tmp_path):
    found = list_failed_checks(honest, tmp_path / "out.mov", "-map", "0", "-c", "copy", "-c:a:0", "aac")
    assert "another codec (aac, not pcm_s16le)" in found["audio 1"]
