"""What would stop a source after its detection is known at the probe, and refused before the first frame."""

from pathlib import Path

import pytest

from engine.errors import SourceError
from engine.media.source.preflight import check_decodable, check_renderable, list_obstacles
from engine.media.source.probe import probe
from tests import clips


def join(path: Path, *parts: Path) -> Path:
    """Streams that carry their headers with them, one after another in one file."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize(
    ("codec", "suffix"), [("libvpx", ".mkv"), ("libvpx-vp9", ".mkv"), ("libx264", ".h264"), ("mpeg2video", ".mpg")]
)
def test_change_of_the_picture_size_is_known_at_the_probe(tmp_path, codec, suffix):
    sizes = [(128, 96), (160, 96)]
    if suffix == ".mkv":
        parts = [clips.video(tmp_path / f"{width}.ivf", size=(width, height), frames=8, codec=codec)
                 for width, height in sizes]  # fmt: skip
        # The second file without its header of 32 bytes.
        joined = tmp_path / "joined.ivf"
        joined.write_bytes(parts[0].read_bytes() + parts[1].read_bytes()[32:])
    else:
        raw = ".m2v" if suffix == ".mpg" else suffix
        parts = [clips.video(tmp_path / f"{width}{raw}", size=(width, height), frames=8, codec=codec)
                 for width, height in sizes]  # fmt: skip
        joined = join(tmp_path / f"joined{raw}", *parts)
    assert list_obstacles(probe(parts[0])) == ()
    with pytest.raises(SourceError, match=r"changes its picture size.* from 128x96 to 160x96"):
        check_decodable(joined, probe(joined), covers_damage=False)


def test_incomplete_file_is_refused_unless_damage_is_covered(tmp_path):
    whole = clips.video(tmp_path / "whole.mkv", frames=40)
    path = clips.truncated(tmp_path / "cut.mkv", whole, share=0.7)
    info = probe(path)
    with pytest.raises(SourceError, match=r"incomplete.*--on-damage cover"):
        check_decodable(path, info, covers_damage=False)
    check_decodable(path, info, covers_damage=True)


def test_sixteen_bits_are_refused(tmp_path):
    path = clips.video(tmp_path / "a.mkv", frames=2, codec="ffv1", pixel_format="gray16le")
    with pytest.raises(SourceError, match="16 bits a sample"):
        check_renderable(path, probe(path))


def test_audio_that_no_container_holds_is_refused(tmp_path):
    path = clips.video(tmp_path / "a.nut", frames=2, audio=[clips.Audio(codec="pcm_u16le")])
    with pytest.raises(SourceError, match=r"PCM U16LE.*convert that audio first"):
        check_renderable(path, probe(path))
