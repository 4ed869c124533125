"""What browsers play, and the copy of what they do not."""

import pytest

from engine.core.progress import SilentListener
from engine.errors import RenderError
from engine.media.output.browser_copy import describe_unplayable, make_browser_copy
from engine.media.source.probe import probe
from tests import clips


def make_clip(path, *words):
    clips.ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=130x98:rate=25:duration=1", "-f", "lavfi", "-i", "sine=440:duration=1",
        *words, "-metadata", "title=Ward 3", path,
    )  # fmt: skip
    return path


TEN_BITS = "yuv420p10le"
KINDS = {
    "plain.mp4": (("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"), None),
    "flac.mp4": (("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "flac", "-strict", "-2"), None),
    "plain.webm": (("-c:v", "libvpx", "-c:a", "libopus"), None),
    "flac.mkv": (("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "flac"), "Matroska files"),
    "old.avi": (("-c:v", "mpeg4", "-c:a", "mp3"), "AVI files"),
    "deep.mp4": (
        ("-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-c:a", "aac"),
        "H.264 pictures in the format yuv420p10le",
    ),
    "phone.mov": (("-c:v", "libx265", "-tag:v", "hvc1", "-c:a", "aac"), "HEVC pictures"),
    "quiet.mp4": (("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "ac3"), "AC3 audio"),
    "raw.mov": (("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le"), "PCM S16LE audio"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_what_some_browser_does_not_play_is_named(tmp_path, name):
    words, why = KINDS[name]
    assert describe_unplayable(probe(make_clip(tmp_path / name, *words))) == why


class Heard(SilentListener):
    def __init__(self):
        self.done = []

    def progress(self, stage, done, total):
        self.done.append((stage, done, total))


def test_a_copy_plays_everywhere_and_tells_nothing(tmp_path):
    source = make_clip(tmp_path / "phone.mkv", "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-c:a", "flac")
    heard = Heard()
    make_browser_copy(source, tmp_path / "copy.mp4", 25, heard)
    copy = probe(tmp_path / "copy.mp4")
    assert describe_unplayable(copy) is None
    assert (copy.video.packets, copy.video.display, [one.kind for one in copy.streams]) == (
        25, probe(source).video.display, ["video", "audio"],
    )  # fmt: skip
    assert b"Ward 3" not in (tmp_path / "copy.mp4").read_bytes()
    assert heard.done[-1] == ("copy", 25, 25)


def test_what_cannot_be_decoded_leaves_no_copy(tmp_path):
    (tmp_path / "bad.mkv").write_bytes(b"no video")
    with pytest.raises(RenderError, match=r"No copy of bad\.mkv could be made"):
        make_browser_copy(tmp_path / "bad.mkv", tmp_path / "copy.mp4", 1, SilentListener())
    assert [path.name for path in tmp_path.iterdir()] == ["bad.mkv"]
