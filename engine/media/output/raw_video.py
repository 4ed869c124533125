"""Encode pictures that a program draws into an H.264 clip."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.errors import RenderError
from engine.media.ffmpeg import build_ffmpeg_command, run_ffmpeg

_THREADS = "2"
"""Fixed, because the bytes depend on it."""


class RgbPictureWriter:
    """Takes the pictures of a clip one after another."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def write(self, picture: Rgb) -> None:
        """Append a picture.

        Raises:
            RenderError: FFmpeg has ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(picture.tobytes())
        except BrokenPipeError as error:
            raise RenderError("FFmpeg ended before the clip was complete; is the disk full?") from error


@contextmanager
def open_picture_writer(target: Path, size: Size, crf: int, frames_per_second: int = 25) -> Iterator[RgbPictureWriter]:
    """Open a writer of an MP4 file (H.264, 4:2:0, BT.709) for pictures of `size`; the file is complete after the block.

    The same pictures give the same bytes.

    Raises:
        RenderError: FFmpeg fails.
    """
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size.width}x{size.height}"]
    command = build_ffmpeg_command(
        [*source, "-r", str(frames_per_second), "-i", "pipe:0", *_encoding_arguments(crf), "-y", target]
    )
    # A file and not a pipe for the messages: a full pipe that nobody reads would stop FFmpeg.
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=messages)
        try:
            yield RgbPictureWriter(process)
        except BaseException:
            process.kill()
            raise
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()
        if process.returncode != 0:
            messages.seek(0)
            raise RenderError(f"{target} could not be encoded: {messages.read().decode(errors='replace').strip()}")


def _encoding_arguments(crf: int) -> list[str]:
    to_video_range = "scale=in_range=full:out_range=tv:out_color_matrix=bt709:flags=accurate_rnd,format=yuv420p"
    tags = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    library = ["-c:v", "libx264", "-preset", "veryfast", "-crf", str(crf), "-threads", _THREADS]
    parameters = "cpu-independent=1:lookahead-threads=1"
    return ["-vf", to_video_range, *library, "-x264-params", parameters, *tags, "-fflags", "+bitexact"]


def reencode_clip(source: Path, target: Path, crf: int) -> None:
    """Encode a clip anew, as somebody who passes it on does.

    Raises:
        RenderError: FFmpeg fails.
    """
    arguments: list[str | Path] = [
        "-i",
        source,
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        str(crf),
        "-threads",
        _THREADS,
    ]
    done = run_ffmpeg([*arguments, "-x264-params", "cpu-independent=1:lookahead-threads=1", "-y", target])
    if done.returncode != 0:
        raise RenderError(f"{target} could not be encoded: {done.stderr.strip()}")
