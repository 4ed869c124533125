"""Whether a container says it is longer than its file, which is what a broken-off copy or recording looks like."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_TRUNCATED_REASON = "its container declares more bytes than the file has"


def find_truncation(path: Path, container: str) -> str | None:
    """Why the file cannot be complete, judging by the outermost layer of its container; None when nothing says so.

    MOV and MP4, Matroska and WebM, and AVI state sizes, and a transport stream consists of equal packets. Other
    containers tell nothing, and a recording that was never closed may tell nothing either.
    """
    walker = next((walk for name, walk in _END_FINDERS.items() if name in container.split(",")), None)
    if walker is None:
        return None
    size = path.stat().st_size
    with path.open("rb") as file:
        return _TRUNCATED_REASON if walker(file, size) > size else None


def _find_mp4_end(file: BinaryIO, size: int) -> int:
    """End of the last box of an ISO base media file."""
    end = 0
    while end + 8 <= size:
        file.seek(end)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:
            return size
        end += length
    return end


def _find_riff_end(file: BinaryIO, size: int) -> int:
    """End of the last RIFF chunk; a chunk of size 0 belongs to a recording that was never closed."""
    end = 0
    while end + 8 <= size:
        file.seek(end)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        if head[:4] != b"RIFF" or length == 0:
            return size
        end += 8 + length + length % 2
    return end - (end == size + 1)


def _find_matroska_end(file: BinaryIO, size: int) -> int:
    """End of the Matroska segment, which follows the EBML header."""
    file.seek(4)
    header = _read_ebml_size(file)
    if header is None:
        return size
    file.seek(header + 4, os.SEEK_CUR)
    length = _read_ebml_size(file)
    return size if length is None else file.tell() + length


def _read_ebml_size(file: BinaryIO) -> int | None:
    """An EBML size (RFC 8794, 4): the leading zero bits tell its width; all ones mean unknown."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    width = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(width - 1), "big") & ((1 << 7 * width) - 1)
    return None if value == (1 << 7 * width) - 1 else value


def _find_transport_stream_end(file: BinaryIO, size: int) -> int:
    """End of the last packet of a transport stream: 188 bytes, 192 with a time code before each, 204 with a check."""
    head = file.read(3 * 204)
    for length, offset in ((188, 0), (192, 4), (204, 0)):
        if all(head[offset + length * number : offset + length * number + 1] == b"G" for number in range(3)):
            return -(-size // length) * length
    return size


_END_FINDERS: dict[str, Callable[[BinaryIO, int], int]] = {
    "mov": _find_mp4_end,
    "matroska": _find_matroska_end,
    "avi": _find_riff_end,
    "mpegts": _find_transport_stream_end,
}
