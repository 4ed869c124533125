"""Copies audio streams without what an edit list cuts off their beginning.

FFmpeg hands out up to a second of packets before the cut, so a stream copy would hold them. A bitstream filter leaves
them out, but not what the container says about them: a muxer would still tell players to skip that second. Written to a
QuickTime file of its own, a stream gets an edit list that fits, and can be copied from there like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.errors import RenderError
from engine.media.ffmpeg import run_ffmpeg
from engine.media.local_file import open_local_file

_MP4_ONLY_CODECS = frozenset({"opus", "flac"})


def write_cut_streams(source: Path, cut_packets: Mapping[int, int], folder: Path) -> dict[int, Path]:
    """Write each stream to a file of its own in `folder`, on the source's clock.

    Args:
        source: the file.
        cut_packets: number of packets to leave out at the beginning of a stream, by its index.
        folder: an existing folder.

    Returns:
        The files, by index of the stream.

    Raises:
        RenderError: FFmpeg cannot copy a stream.
    """
    return {index: _write_stream(source, index, count, folder) for index, count in cut_packets.items()}


def _write_stream(source: Path, index: int, count: int, folder: Path) -> Path:
    with open_local_file(source) as container:
        codec, rate = container.streams[index].codec_context.codec.canonical_name, container.streams.audio[0].rate
    muxer = "mp4" if codec in _MP4_ONLY_CODECS else "mov"
    path = folder / f"cut-{index}.{muxer}"
    done = run_ffmpeg([
        *("-copyts", f"-bsf:{index}", f"noise=drop=lt(n\\,{count})", "-i", source),
        *("-map", f"0:{index}", "-c", "copy", "-map_metadata", "-1", "-fflags", "+bitexact"),
        *("-movie_timescale", str(rate), "-strict", "experimental", "-f", muxer, "-y", path),
    ])  # fmt: skip
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[0]
        raise RenderError(f"The audio of {source} cannot be cut as its edit list says, FFmpeg says: {reason}")
    return path
