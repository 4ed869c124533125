"""What the source does not let hear or know is not in the output: speech that was cut off, texts, the time of day."""

import subprocess

import pytest

from engine.media.audio_streams import list_contents
from engine.media.codec_headers import list_header_texts
from engine.media.source.probe import probe
from engine.media.source.stream_policy import count_cut_packets
from engine.rendering.render import render
from engine.verification.verify import verify
from tests import clips, record_makers

SECRET = b"PATIENT SMITH"


def render_checked(source, output):
    """Render without masks, verify, and return the output."""
    record = record_makers.written(record_makers.record_of(source, lambda index: []), output.with_suffix(".json"))
    render(source, record, output)
    checks = verify(source, record, output).checks
    assert [check.finding for check in checks if not check.passed] == []
    return output


def measure_audio_s(path, *options):
    """Return the seconds of audio that decode."""
    command = [clips.FFMPEG, "-v", "error", *options, "-i", path, "-map", "0:a", "-f", "s16le", "-ac", "1"]
    return len(subprocess.run([*command, "-ar", "8000", "-"], capture_output=True, check=True).stdout) / 16000


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("codec", ["aac", "libmp3lame"])
def test_speech_before_the_cut_of_an_edit_list_is_not_in_the_output(tmp_path, codec, suffix):
    whole = clips.video(tmp_path / "whole.mp4", frames=60, audio=[clips.Audio(codec=codec)], options=["-g", "30"])
    source = clips.trimmed(tmp_path / "trimmed.mp4", whole, start=1.2, seconds=1.0)
    (audio,) = (stream for stream in probe(source).streams if stream.kind == "audio")
    assert audio.cut_packets > 30
    assert "edit list" in audio.reason
    output = render_checked(source, tmp_path / f"out{suffix}")
    assert measure_audio_s(source) == measure_audio_s(output) == pytest.approx(1.0, abs=0.01)
    assert measure_audio_s(output, *([] if suffix == ".mkv" else ["-ignore_editlist", "1"])) < 1.1


@pytest.mark.parametrize(
    ("codec", "runs", "cut"),
    [
        ("aac", [(0, 47)], 46),
        ("aac", [(0, 3)], 0),
        ("pcm_s16le", [(0, 40)], 40),
        ("aac", [(20, 30)], 0),
        ("ac3", [(0, 9)], 8),
        ("aac", [], 0),
    ],
)
def test_packets_that_a_decoder_needs_to_start_are_kept(codec, runs, cut):
    assert count_cut_packets(codec, runs) == cut


def test_texts_in_codec_headers_are_blanked(tmp_path):
    source = clips.video(
        tmp_path / "source.mkv",
        frames=10,
        audio=[clips.Audio(codec="libvorbis")],
        options=["-write_crc32", "0", "-map_metadata", "-1", "-fflags", "+bitexact"],
    )
    data = source.read_bytes()
    # The vendor of the comment header; FFmpeg's own muxers leave out comments.
    place = data.index(b"\x03vorbis") + 7 + 4
    source.write_bytes(data[:place] + SECRET + data[place + len(SECRET) :])
    assert list_contents(source).streams[1].header_text
    output = render_checked(source, tmp_path / "out.mkv")
    assert SECRET not in output.read_bytes()
    assert not list_contents(output).streams[1].header_text


def test_text_in_a_flac_header_is_found():
    comment = len(SECRET).to_bytes(4, "little")
    block = (0).to_bytes(4, "little") + (1).to_bytes(4, "little") + comment + SECRET
    header = b"fLaC" + bytes([0, 0, 0, 34]) + bytes(34) + bytes([0x84]) + len(block).to_bytes(3, "big") + block
    assert [SECRET in text for text in list_header_texts("flac", header)] == [True]
    assert list_header_texts("flac", header[:42]) == []


@pytest.mark.parametrize(("suffix", "start"), [(".mkv", "1700000000.123"), (".ts", "40000"), (".mp4", "43200.5")])
def test_clock_of_the_day_starts_at_zero(tmp_path, suffix, start):
    usual = clips.video(tmp_path / "usual.mkv", frames=10, audio=[clips.Audio(late=0.2)])
    source = tmp_path / f"source{suffix}"
    clips.ffmpeg("-i", usual, "-map", "0", "-c", "copy", "-output_ts_offset", start, source)
    output = render_checked(source, tmp_path / f"out{suffix}")
    video = probe(output).video
    assert video.first_pts * float(video.to_seconds(video.first_pts + 1) - video.to_seconds(video.first_pts)) < 0.3
