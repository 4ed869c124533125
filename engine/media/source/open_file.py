"""Opens source files with FFmpeg and translates its errors into sentences for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError

from engine.core.file_types import JPEG_SUFFIXES
from engine.core.step_limit import NATIVE_STEP
from engine.errors import SourceError
from engine.media.local_file import LOCAL_ONLY_OPTIONS, local_url
from engine.storage.file_use import check_is_regular

_POINTER_FORMATS = frozenset({"hls", "concat", "dash", "imf", "image2", "sdp", "rtsp", "tty", "lavfi"})
"""Formats that only point at other files or hosts, or that FFmpeg detects in any text file."""

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"})
"""Major brands of HEIF files (ISO/IEC 23008-12)."""

_JPEG_FORMAT = "jpeg_pipe"


@contextmanager
def open_container(path: Path) -> Iterator[InputContainer]:
    """Open the container of a local file; references to other files or hosts are not followed.

    Raises:
        SourceError: the file does not exist, or FFmpeg cannot read it.
    """
    check_is_file(path)
    try:
        with NATIVE_STEP:
            container = av.open(
                local_url(path),
                mode="r",
                format=_JPEG_FORMAT if _is_jpeg(path) else None,
                metadata_errors="replace",
                container_options=LOCAL_ONLY_OPTIONS,
            )
    except FFmpegError as error:
        _refuse_heif(path)
        raise SourceError(
            f"{path} is not a video that can be read, or its beginning or index is missing ({error.strerror}). "
            "Check that the copy is complete, or export it again."
        ) from error
    with container:
        if container.format.name in _POINTER_FORMATS:
            raise SourceError(f"{path} is not a video ({container.format.long_name}). Give the video file itself.")
        if len(container.streams.video) > 1:
            # FFmpeg gives the tiles of the picture, each as a video of its own.
            _refuse_heif(path)
        yield container


def check_is_file(path: Path) -> None:
    """Check that a path leads to a file that can be read and is not empty.

    Raises:
        SourceError: it does not.
    """
    if path.is_dir():
        raise SourceError(f"{path} is a folder. Give the path of one video file.")
    check_is_regular(path)
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError as error:
        raise SourceError(f"{path} does not exist. Give the path of a video file.") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error
    if empty:
        raise SourceError(f"{path} is empty. Copy or export the video again.")


def _refuse_heif(path: Path) -> None:
    """Raise for a photograph of the HEIF family, such as HEIC and AVIF."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp" and head[8:] in _HEIF_BRANDS:
        raise SourceError(
            f"{path} is a HEIF photograph (HEIC, AVIF) that is stored in tiles. Export it as JPEG or PNG."
        )


def _is_jpeg(path: Path) -> bool:
    """Return whether the file is a JPEG, which FFmpeg would take for one of a series of numbered files by its name."""
    if path.suffix.lower() not in JPEG_SUFFIXES:
        return False
    with path.open("rb") as file:
        return file.read(3) == b"\xff\xd8\xff"


def read_identity(path: Path) -> tuple[int, int, int]:
    """Return numbers that tell a file from another one, or from itself before a change."""
    # The inode tells a replaced file from the opened one, even if size and time are equal.
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ino
