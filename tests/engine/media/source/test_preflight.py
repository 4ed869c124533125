"""What would stop a source after its detection is known at the probe, and refused before the first frame."""

import pytest

from engine.errors import SourceError
from engine.media.source.preflight import check_decodable, check_renderable, list_obstacles
from engine.media.source.probe import probe
from tests import clips

_RAW = {"libvpx": ".ivf", "libvpx-vp9": ".ivf", "libsvtav1": ".ivf", "libx264": ".h264", "libx265": ".hevc",
        "mpeg2video": ".m2v", "mjpeg": ".mjpeg"}  # fmt: skip
_QUIET = {"libx265": ["-preset", "ultrafast", "-x265-params", "log-level=error:repeat-headers=1:bframes=0"],
          "libx264": ["-bf", "0"]}  # fmt: skip


def make_parts(folder, codec, pictures):
    """One raw stream for each (size, filters)."""
    return [
        clips.video(folder / f"{place}{_RAW[codec]}", size=size, frames=8, codec=codec, filters=filters,
                    options=_QUIET.get(codec, ()))
        for place, (size, filters) in enumerate(pictures)
    ]  # fmt: skip


def join_streams(folder, parts, suffix):
    """The streams one after another in one container, as recorders that change on the way write them."""
    raw = parts[0].suffix
    joined = folder / f"joined{raw}"
    # IVF has a header of 32 bytes before the packets.
    joined.write_bytes(b"".join(part.read_bytes()[32 if raw == ".ivf" and place else 0 :]
                                for place, part in enumerate(parts)))  # fmt: skip
    if suffix != raw:
        clips.ffmpeg("-i", joined, "-c", "copy", "-bsf:v", "setts=ts=N/25/TB", joined.with_suffix(suffix))
    return joined.with_suffix(suffix)


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("libvpx", ".mkv"), ("libvpx-vp9", ".mkv"), ("libsvtav1", ".mp4"), ("libsvtav1", ".mkv"), ("libx264", ".h264"),
     ("libx264", ".mp4"), ("libx265", ".mkv"), ("mpeg2video", ".m2v"), ("mjpeg", ".mkv")],
)  # fmt: skip
def test_change_of_the_picture_size_is_known_at_the_probe(tmp_path, codec, suffix):
    parts = make_parts(tmp_path, codec, [((128, 96), ""), ((160, 96), "")])
    joined = join_streams(tmp_path, parts, suffix)
    assert list_obstacles(probe(parts[0])) == ()
    with pytest.raises(SourceError, match=r"changes its picture size.* from 128x96 to 160x96"):
        check_decodable(joined, probe(joined), covers_damage=False)


@pytest.mark.parametrize(("codec", "suffix"), [("mpeg2video", ".ts"), ("libx264", ".mkv")])
def test_change_of_the_aspect_ratio_is_known_at_the_probe(tmp_path, codec, suffix):
    joined = join_streams(
        tmp_path, make_parts(tmp_path, codec, [((128, 96), "setdar=4/3"), ((128, 96), "setdar=16/9")]), suffix
    )
    with pytest.raises(
        SourceError, match=r"changes its aspect ratio 0.3 s after its start: its samples are 4:3 from there on"
    ):
        check_decodable(joined, probe(joined), covers_damage=False)
    # A record that an earlier version made still gives its output.
    check_renderable(joined, probe(joined))


def test_mp4_with_two_sample_descriptions(tmp_path):
    parts = [clips.video(tmp_path / f"{width}.mp4", size=(width, 96), frames=8) for width in (128, 160)]
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"file '{part}'\n" for part in parts))
    clips.ffmpeg("-f", "concat", "-safe", "0", "-i", listed, "-c", "copy", tmp_path / "joined.mp4")
    with pytest.raises(SourceError, match=r"changes its picture size.* from 128x96 to 160x96"):
        check_decodable(tmp_path / "joined.mp4", probe(tmp_path / "joined.mp4"), covers_damage=False)


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


def test_audio_that_only_its_own_container_names_is_known_at_the_probe(tmp_path):
    # FFmpeg decodes it and has no muxer for it but this one, to which Veil does not write.
    source = tmp_path / "film.roq"
    clips.ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=64x64:rate=30:duration=0.4"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=22050:duration=0.4"),
        *("-c:v", "roqvideo", "-c:a", "roq_dpcm", source),
    )
    with pytest.raises(SourceError, match=r"cannot be put into any container: .*Matroska hold ROQ DPCM; convert"):
        check_renderable(source, probe(source))
