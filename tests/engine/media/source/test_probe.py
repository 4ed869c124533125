"""What a look at a file says, and what it refuses."""

import fcntl
import json
import logging
import os
import signal
import struct
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.core.geometry import Size
from engine.errors import SourceError
from engine.media.facts import MediaInfo, make_source_facts
from engine.media.orientation import decode_display_matrix
from engine.media.source import reader_process
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from engine.media.source.reader_process import read_in_process
from engine.record import Colour, encode_document, sha256_hex
from tests import clips


class Notes:
    def __init__(self):
        self.steps = []

    def progress(self, stage, done, total):
        self.steps.append((stage, done, total))

    def notice(self, message):
        raise AssertionError(message)


def decode_upright_by_ffmpeg(path: Path, info: MediaInfo) -> np.ndarray:
    """The first frame as FFmpeg's own program turns it."""
    size = info.video.display
    command = [
        clips.FFMPEG,
        "-v",
        "error",
        "-i",
        str(path),
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(data, np.uint8).reshape(size.height, size.width, 3)


def test_plain_clip(tmp_path):
    path = clips.video(tmp_path / "a.mp4", size=(160, 96), frames=20, rate="30000/1001")
    info = probe(path)
    video = info.video
    assert info.sha256 == sha256_hex(path.read_bytes())
    assert info.bytes == path.stat().st_size
    assert "mp4" in info.container
    assert (video.codec, video.pixel_format, video.bit_depth, video.alpha) == ("h264", "yuv420p", 8, False)
    assert (size_to_tuple(video.coded), size_to_tuple(video.display)) == ((160, 96), (160, 96))
    assert (video.packets, video.declared_frames, video.declared_rate) == (20, 20, "30000/1001")
    assert (video.vfr, video.interlaced, video.timing, video.first_pts) == (False, False, "pts", 0)
    assert video.last_pts * Fraction(video.time_base) == 19 * Fraction(1001, 30000)
    assert info.cut_short is None


def size_to_tuple(size):
    return size.width, size.height


def test_progress_ends_with_the_size(tmp_path):
    path = clips.silent(tmp_path / "a.mp4")
    notes = Notes()
    probe(path, listener=notes)
    assert notes.steps[-1] == ("probe", path.stat().st_size, path.stat().st_size)


def test_document_survives_json(tmp_path):
    info = probe(clips.telling(tmp_path / "a.mp4"))
    assert json.loads(encode_document(info))["video"]["time_base"] == info.video.time_base


def test_source_facts_fill_a_record(tmp_path):
    info = probe(clips.several_audio(tmp_path / "a.mkv"))
    facts = make_source_facts(info, 50)
    assert (facts.sha256, facts.video.frames, facts.video.declared_frames) == (info.sha256, 50, None)
    assert [stream.fate for stream in facts.streams] == ["rendered", "copied", "copied"]


def test_vfr_is_measured(tmp_path):
    assert probe(clips.vfr(tmp_path / "a.mp4")).video.vfr
    # Matroska rounds to milliseconds, which is no variable rate.
    assert not probe(clips.video(tmp_path / "b.mkv", frames=50, rate="30")).video.vfr


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_rotation_is_what_ffmpeg_shows(tmp_path, degrees, mirrored):
    path = clips.turned(tmp_path / "a.mp4", degrees=degrees, mirrored=mirrored)
    info = probe(path)
    assert info.video.mirrored == mirrored
    with open_source(path, info) as source:
        ours = next(source.frames()).rgb()
    theirs = decode_upright_by_ffmpeg(path, info)
    assert ours.shape == theirs.shape
    assert np.abs(ours.astype(int) - theirs).mean() < 6


def test_no_turn_is_not_a_turn():
    identity = b"".join(n.to_bytes(4, "little", signed=True) for n in (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30))
    assert decode_display_matrix(identity) == (0.0, False)
    with pytest.raises(ValueError, match="flattens"):
        decode_display_matrix(bytes(36))


def test_sample_aspect_ratio_widens_display(tmp_path):
    video = probe(clips.anamorphic(tmp_path / "a.mp4", sar="4/3")).video
    assert video.sample_aspect_ratio == "4/3"
    assert size_to_tuple(video.display) == (171, 96)


@pytest.mark.parametrize(
    ("make", "pixel_format", "depth"),
    [
        (clips.ten_bit, "yuv420p10le", 10),
        (clips.chroma_422, "yuv422p", 8),
        (clips.chroma_444, "yuv444p", 8),
    ],
)
def test_pixel_formats(tmp_path, make, pixel_format, depth):
    video = probe(make(tmp_path / "a.mp4")).video
    assert (video.pixel_format, video.bit_depth) == (pixel_format, depth)


def test_odd_size(tmp_path):
    assert size_to_tuple(probe(clips.odd_size(tmp_path / "a.mkv")).video.coded) == (127, 93)


def test_interlaced(tmp_path):
    video = probe(clips.interlaced(tmp_path / "a.mp4")).video
    assert (video.interlaced, video.field_order) == (True, "tt")


def test_hdr(tmp_path):
    video = probe(clips.hdr(tmp_path / "a.mp4")).video
    assert video.hdr.mastering_display == "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    assert (video.hdr.max_content_light, video.hdr.max_average_light) == (1000, 400)
    assert video.colour == Colour("tv", "bt2020nc", "bt2020", "smpte2084")


def test_audio_start_relative_to_video(tmp_path):
    info = probe(clips.late_audio(tmp_path / "a.mkv", seconds=0.4))
    audio = next(stream for stream in info.streams if stream.kind == "audio")
    assert float(Fraction(audio.start)) == pytest.approx(0.4, abs=0.03)


def test_languages(tmp_path):
    info = probe(clips.several_audio(tmp_path / "a.mp4"))
    assert [stream.language for stream in info.streams if stream.kind == "audio"] == ["eng", "deu"]


def test_what_identifies_is_listed_and_dropped(tmp_path):
    info = probe(clips.telling(tmp_path / "a.mp4"))
    fates = {(stream.kind, stream.codec): stream.fate for stream in info.streams}
    assert fates[("video", "h264")] == "rendered"
    assert fates[("audio", "aac")] == "copied"
    assert fates[("subtitle", "mov_text")] == "dropped"
    assert fates[("video", "png")] == "dropped"
    names = {extra.name: extra.reason for extra in info.extras}
    assert "where" in names["location"]
    assert "when" in names["creation_time"]
    assert "name people" in names["title"]
    assert any(extra.kind == "chapters" for extra in info.extras)
    assert all(extra.fate == "dropped" for extra in info.extras)
    assert b"Jane" not in encode_document(info)


def test_reasons_for_dropped_tags_fit_their_names(tmp_path):
    tags = {"make": "device", "creationdate": "when", "location.ISO6709": "where", "author": "name people",
            "title": "name people", "software": "device"}  # fmt: skip
    options = [part for name in tags for part in ("-metadata", f"com.apple.quicktime.{name}=x")]
    info = probe(clips.video(tmp_path / "a.mov", frames=2, options=["-movflags", "use_metadata_tags", *options]))
    reasons = {extra.name.removeprefix("com.apple.quicktime."): extra.reason for extra in info.extras}
    assert all(words in reasons[name] for name, words in tags.items())


def test_a_second_video_is_dropped(tmp_path):
    small = clips.video(tmp_path / "small.mkv", size=(64, 48), frames=5)
    large = clips.video(tmp_path / "large.mkv", size=(128, 96), frames=5)
    both = tmp_path / "both.mkv"
    clips.ffmpeg("-i", small, "-i", large, "-map", "0", "-map", "1", "-c", "copy", "-disposition", "0", both)
    info = probe(both)
    assert size_to_tuple(info.video.coded) == (128, 96)
    assert [stream.fate for stream in info.streams] == ["dropped", "rendered"]


def test_alpha_is_reported_as_dropped(tmp_path):
    info = probe(clips.video(tmp_path / "a.mkv", codec="ffv1", pixel_format="yuva420p", frames=3))
    assert info.video.alpha
    assert "alpha" in info.streams[0].reason


def test_avi_has_decoding_times_only(tmp_path):
    video = probe(clips.b_frames(tmp_path / "a.avi")).video
    assert (video.timing, video.first_pts, video.last_pts, video.packets) == ("dts", 0, 29, 30)


def read_error(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        probe(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_missing_file(tmp_path):
    assert "does not exist" in read_error(tmp_path / "none.mp4")


def test_folder(tmp_path):
    assert "is a folder" in read_error(tmp_path)


def test_empty_file(tmp_path):
    path = tmp_path / "a.mp4"
    path.touch()
    assert "is empty" in read_error(path)


def test_text_called_mp4(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("This is not a video.\n" * 50)
    read_error(path)


def test_playlist_is_not_followed(tmp_path):
    clips.video(tmp_path / "secret.ts", frames=5)
    path = tmp_path / "a.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n")
    assert "not a video" in read_error(path)


def test_audio_only(tmp_path):
    assert "no video stream, only audio" in read_error(clips.sound_only(tmp_path / "a.m4a"))


def test_turned_by_45_degrees(tmp_path):
    assert "turned by 45 degrees" in read_error(clips.turned(tmp_path / "a.mp4", degrees=45))


def test_no_frames(tmp_path):
    path = tmp_path / "a.mov"
    whole = clips.video(tmp_path / "b.mov", frames=2, audio=[clips.Audio()])
    clips.ffmpeg("-i", whole, "-map", "0", "-c", "copy", "-bsf:v", "noise=drop=1", path)
    read_error(path)


def test_index_at_the_end_is_missing(tmp_path):
    whole = clips.video(tmp_path / "b.mp4", frames=25)
    assert "index is missing" in read_error(clips.truncated(tmp_path / "a.mp4", whole))


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.avi", "a.mp4", "a.mov"])
def test_cut_files_are_known_to_be_short(tmp_path, name):
    codec = "libvpx" if name.endswith("webm") else "libx264"
    front = ["-movflags", "+faststart"] if name in {"a.mp4", "a.mov"} else []
    whole = clips.video(tmp_path / name, frames=40, codec=codec, options=front)
    assert probe(whole).cut_short is None
    assert probe(clips.truncated(tmp_path / f"cut-{name}", whole, share=0.7)).cut_short


@pytest.mark.slow
def test_quiet_even_on_a_broken_file(tmp_path):
    whole = clips.video(tmp_path / "b.mkv", frames=25)
    broken = clips.overwritten(tmp_path / "a.mkv", whole, [(whole.stat().st_size // 2, bytes(300))])
    script = f"from engine.media.source.probe import probe; probe({str(broken)!r})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("", "")


def test_ffmpeg_logger_is_muted():
    handlers = logging.getLogger("libav").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)


def test_png_with_a_named_colour_profile(tmp_path):
    path = clips.png_with_profile(tmp_path / "a.png")
    info = probe(path)
    assert (info.video.codec, info.video.coded) == ("png", Size(16, 8))
    # The process that read it is still there for the next file.
    assert probe(path) == info


@pytest.mark.slow
def test_reader_that_crashes_is_a_sentence(tmp_path):
    path = clips.video(tmp_path / "a.mp4")
    read_in_process(path)
    # The reader that waits for the next file is stopped, so that it has the file but no answer when it crashes.
    reader = reader_process._idle[-1]
    os.kill(reader.pid, signal.SIGSTOP)
    # Until it has really stopped it would still read what is sent.
    os.waitid(os.P_PID, reader.pid, os.WSTOPPED | os.WNOWAIT)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_in_process, path)
        # It has left the idle ones before the file is sent; one that ends before that costs nothing but another reader.
        while not struct.unpack("i", fcntl.ioctl(reader.stdin, termios.FIONREAD, b"\0" * 4))[0]:
            time.sleep(0.01)
        os.kill(reader.pid, signal.SIGSEGV)
        os.kill(reader.pid, signal.SIGCONT)
        with pytest.raises(SourceError, match=r"ends the program that reads it \(signal SIGSEGV\)"):
            reading.result(60)
