from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.stream import Disposition

from engine.errors import RenderError, SourceError, TargetError
from engine.media.audio_streams import fingerprint_audio, list_contents
from engine.media.output.container_choice import ContainerChoice, choose_container
from engine.media.output.encoder import EncoderSettings
from engine.media.output.mux import MuxInputs, mux
from engine.record import SourceFacts
from tests.engine.media.source_makers import encode_frames, make_source, probe_facts, run_ffmpeg

LONGER, LATE, SHORTER = (0.0, 1.5), (0.2534, 0.9), (0.5, 0.4)
HELD = {
    "mp4": ("aac", "mp3", "opus", "ac3", "flac", "pcm_s16le", "pcm_s24le"),
    "mov": ("aac", "mp3", "ac3", "pcm_s16le", "pcm_s24le", "mp2"),
    "mkv": ("aac", "mp3", "opus", "ac3", "flac", "pcm_s16le", "pcm_s24le", "mp2"),
    "ts": ("aac", "mp3", "opus", "ac3", "mp2"),
    "avi": ("aac", "mp3", "ac3", "flac", "pcm_s16le", "pcm_s24le", "mp2"),
}
SAME = [(suffix, codec, suffix) for suffix, codecs in HELD.items() for codec in codecs]
MOVED = [
    ("webm", "opus", "mkv"),
    ("mp4", "aac", "mkv"),
    ("mp4", "opus", "mkv"),
    ("ts", "aac", "mp4"),
    ("ts", "ac3", "mkv"),
    ("avi", "mp3", "mp4"),
    ("mov", "pcm_s24le", "mp4"),
    ("mkv", "flac", "mp4"),
]


def render_and_mux(original: Path, target: Path, comment: str | None = None) -> Path:
    """Render a source without covering anything, and put it together with its audio."""
    _, facts = probe_facts(original)
    choice = choose_container(
        facts.container, target.suffix, [one.codec for one in facts.streams if one.fate == "copied"]
    )
    video = target.with_name("video.mov")
    first_pts = encode_frames(original, video, choice.adapt_settings(EncoderSettings(preset="ultrafast")))[0]
    mux(MuxInputs(video, original, facts, first_pts), target, choice, comment=comment)
    return target


def list_frame_times(path: Path) -> list[Fraction]:
    """When the frames of a file are shown, in seconds on its own clock."""
    info, _ = probe_facts(path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = [packet.dts if info.video.timing == "dts" else packet.pts for packet in container.demux(stream)]
        return sorted(time * Fraction(info.video.time_base) for time in times if time is not None)


def assert_same_audio(before: Path, after: Path) -> None:
    old, new = fingerprint_audio(before), fingerprint_audio(after)
    assert [(one.codec, one.packets, one.decoded) for one in new] == [
        (one.codec, one.packets, one.decoded) for one in old
    ]
    tick = _coarsest(after)
    for one, other in zip(old, new, strict=True):
        assert abs(Fraction(one.start or 0) - Fraction(other.start or 0)) <= tick


def _coarsest(path: Path) -> Fraction:
    """What the container can tell apart; MPEG-TS counts in 1/90000 of a second, and rounds."""
    return Fraction(1, 1000) if path.suffix == ".mkv" else Fraction(1, 90_000)


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "codec", "into"), SAME + MOVED)
def test_audio_is_the_original_bit_for_bit_and_on_time(suffix, codec, into, tmp_path):
    tones = [LONGER, LATE, SHORTER] if suffix != "avi" else [(0.0, 1.5), (0.0, 0.9), (0.0, 1.2)]
    original = make_source(tmp_path / f"source.{suffix}", codec, tones)

    rendered = render_and_mux(original, tmp_path / f"out.{into}")

    assert len(fingerprint_audio(rendered)) == 3
    assert_same_audio(original, rendered)
    old, new = list_frame_times(original), list_frame_times(rendered)
    resolution = Fraction(1, 1000) if into == "mkv" else 0
    assert len(old) == len(new)
    assert all(abs((a - old[0]) - (b - new[0])) <= resolution for a, b in zip(old, new, strict=True))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_any_number_of_audio_streams_is_kept(count, suffix, tmp_path):
    original = make_source(tmp_path / f"source.{suffix}", "aac", [LATE, LONGER][:count])

    rendered = render_and_mux(original, tmp_path / f"out.{suffix}")

    assert [stream.kind for stream in list_contents(rendered).streams] == ["video"] + ["audio"] * count
    assert_same_audio(original, rendered)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_audio_that_starts_before_the_video_stays_before_it(suffix, tmp_path):
    plain = make_source(tmp_path / f"plain.{suffix}", "aac", [LONGER])
    early = tmp_path / f"early.{suffix}"
    run_ffmpeg("-itsoffset", "0.31", "-i", plain, "-i", plain, "-map", "0:v", "-map", "1:a", "-c", "copy", early)
    assert Fraction(fingerprint_audio(early)[0].start or 0) < Fraction(-3, 10)

    assert_same_audio(early, render_and_mux(early, tmp_path / f"out.{suffix}"))


@pytest.mark.parametrize("suffix", ["mp4", "ts", "mkv"])
def test_a_clock_that_does_not_start_at_zero_is_kept(suffix, tmp_path):
    original = tmp_path / f"late.{suffix}"
    plain = make_source(tmp_path / f"plain.{suffix}", "aac", [LATE])
    run_ffmpeg("-i", plain, "-c", "copy", "-output_ts_offset", "7.3", original)

    rendered = render_and_mux(original, tmp_path / f"out.{suffix}")

    assert list_frame_times(original)[0] > 7
    assert [
        round(float(a - b), 6) for a, b in zip(list_frame_times(original), list_frame_times(rendered), strict=True)
    ] == [0.0] * 36
    assert_same_audio(original, rendered)


def test_a_broadcast_clock_begins_at_zero_in_another_container(tmp_path):
    original = make_source(tmp_path / "source.ts", "aac", [LATE])

    rendered = render_and_mux(original, tmp_path / "out.mp4")

    assert list_frame_times(original)[0] > 1
    assert list_frame_times(rendered)[0] == 0
    assert_same_audio(original, rendered)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("turn", [["90"], ["-90"], ["180"], ["0", "-display_hflip"], ["90", "-display_hflip"]])
def test_rotation_and_mirroring_are_kept(turn, suffix, tmp_path):
    flat = make_source(tmp_path / f"flat.{suffix}", "aac", [LONGER])
    original = tmp_path / f"turned.{suffix}"
    run_ffmpeg("-display_rotation", *turn, "-i", flat, "-c", "copy", original)

    rendered = render_and_mux(original, tmp_path / f"out.{suffix}")

    assert read_display_matrix(original) is not None
    assert read_display_matrix(rendered) == read_display_matrix(original)


def read_display_matrix(path: Path) -> bytes | None:
    with av.open(str(path)) as container:
        found = next(container.decode(video=0)).side_data.get("DISPLAYMATRIX")
        return None if found is None else bytes(found)


@pytest.mark.slow
def test_metadata_chapters_names_and_languages_are_left_out(tmp_path):
    plain = make_source(tmp_path / "plain.mp4", "aac", [LONGER, LATE])
    chapters = tmp_path / "chapters.txt"
    chapters.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=Ward 7\n")
    original = tmp_path / "telling.mp4"
    tags = ["title=Jane Doe", "location=+52.52+13.40/", "creation_time=2024-05-06T07:08:09Z"]
    streams = ["-metadata:s:a:0", "language=deu", "-metadata:s:a:1", "handler_name=Jane's phone"]
    metadata = [part for tag in tags for part in ("-metadata", tag)]
    run_ffmpeg(
        "-i", plain, "-i", chapters, "-map", "0", "-map_chapters", "1", "-c", "copy", *metadata, *streams, original
    )
    assert len(list_contents(original).identifying_tags) > 4

    for suffix in ("mp4", "mov", "mkv"):
        found = list_contents(render_and_mux(original, tmp_path / f"out.{suffix}", comment="Veil draft: not reviewed"))
        assert found.chapters == 0
        assert [tag.value for tag in found.identifying_tags] == ["Veil draft: not reviewed"]


def test_the_default_audio_stream_stays_the_default_one(tmp_path):
    plain = make_source(tmp_path / "plain.mkv", "aac", [LONGER, LONGER])
    original = tmp_path / "source.mkv"
    run_ffmpeg("-i", plain, "-map", "0", "-c", "copy", "-disposition:a:0", "0", "-disposition:a:1", "default", original)

    with av.open(str(render_and_mux(original, tmp_path / "out.mkv"))) as container:
        assert [bool(stream.disposition & Disposition.default) for stream in container.streams.audio] == [False, True]


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts", "avi"])
def test_the_same_files_give_the_same_bytes(suffix, tmp_path):
    original = make_source(tmp_path / f"source.{suffix}", "aac", [LONGER])
    first = render_and_mux(original, tmp_path / f"first.{suffix}").read_bytes()

    assert render_and_mux(original, tmp_path / f"second.{suffix}").read_bytes() == first


def mux_to(target: Path, tmp_path: Path) -> SourceFacts:
    original = make_source(tmp_path / "source.mp4", "aac", [LONGER])
    info, facts = probe_facts(original)
    encode_frames(original, tmp_path / "video.mov", EncoderSettings(preset="ultrafast"))
    choice = ContainerChoice("matroska", ".mkv", None)
    mux(MuxInputs(tmp_path / "video.mov", original, facts, info.video.first_pts), target, choice)
    return facts


def test_a_full_disk_gives_an_error(tmp_path):
    target = tmp_path / "out.mkv"
    target.symlink_to("/dev/full")

    with pytest.raises(TargetError, match=r"out\.mkv cannot be finished, because the disk is full; make room"):
        mux_to(target, tmp_path)


def test_a_missing_folder_gives_an_error(tmp_path):
    with pytest.raises(TargetError, match=r"out\.mkv cannot be written: No such file or directory"):
        mux_to(tmp_path / "nowhere" / "out.mkv", tmp_path)


def test_streams_that_ffmpeg_refuses_give_an_error_with_the_reason(tmp_path):
    original = make_source(tmp_path / "source.mkv", "flac", [LONGER])
    info, facts = probe_facts(original)
    encode_frames(original, tmp_path / "video.mov", EncoderSettings(preset="ultrafast"))
    inputs = MuxInputs(tmp_path / "video.mov", original, facts, info.video.first_pts)

    with pytest.raises(RenderError, match=r"out\.mov could not be put together, FFmpeg says: .*flac"):
        mux(inputs, tmp_path / "out.mov", ContainerChoice("mov", ".mov", None))


def test_a_deleted_source_gives_an_error(tmp_path):
    original = make_source(tmp_path / "source.mp4", "aac", [LONGER])
    info, facts = probe_facts(original)
    encode_frames(original, tmp_path / "video.mov", EncoderSettings(preset="ultrafast"))
    inputs = MuxInputs(tmp_path / "video.mov", original, facts, info.video.first_pts)
    original.unlink()

    with pytest.raises(SourceError, match=r"source\.mp4 cannot be read"):
        mux(inputs, tmp_path / "out.mp4", ContainerChoice("mp4", ".mp4", None))
