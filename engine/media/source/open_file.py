"""Opening a file with FFmpeg: the one edge where its errors become sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError

from engine.core.file_types import JPEG_SUFFIXES
from engine.errors import SourceError

_POINTER_FORMATS = frozenset({"hls", "concat", "dash", "imf", "image2", "sdp", "rtsp", "tty", "lavfi"})
"""Formats that only point at other files or hosts, or that FFmpeg takes any text for."""

_JPEG_FORMAT = "jpeg_pipe"


@contextmanager
def open_container(path: Path) -> Iterator[InputContainer]:
    """The container of a local file; nothing it points at is followed.

    Raises:
        SourceError: there is no such file, or it is not one FFmpeg can read.
    """
    _check_is_file(path)
    try:
        container = av.open(
            f"file:{path}",
            mode="r",
            format=_JPEG_FORMAT if _is_jpeg(path) else None,
            metadata_errors="replace",
            container_options={"protocol_whitelist": "file"},
        )
    except FFmpegError as error:
        raise SourceError(
            f"{path} is not a video that can be read, or its beginning or index is missing ({error.strerror}). "
            "Check that the copy is complete, or export it again."
        ) from error
    with container:
        if container.format.name in _POINTER_FORMATS:
            raise SourceError(f"{path} is not a video ({container.format.long_name}). Give the video file itself.")
        yield container


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise SourceError(f"{path} is a folder. Give the path of one video file.")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError as error:
        raise SourceError(f"{path} does not exist. Give the path of a video file.") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error
    if empty:
        raise SourceError(f"{path} is empty. Copy or export the video again.")


def _is_jpeg(path: Path) -> bool:
    """Whether it is a photograph for which FFmpeg, going by its name, would choose the reader of numbered files."""
    if path.suffix.lower() not in JPEG_SUFFIXES:
        return False
    with path.open("rb") as file:
        return file.read(3) == b"\xff\xd8\xff"
