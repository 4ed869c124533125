"""Finds the end that the outermost structure of a container declares for its file.

Each function takes the open file and its size in bytes and returns the declared end. If the structure declares none,
it returns the size, so that a caller sees no truncation.
"""

from __future__ import annotations

import os
from typing import BinaryIO


def find_mp4_end(file: BinaryIO, size: int) -> int:
    """Return the end of the last box of an ISO base media file (ISO/IEC 14496-12, 4.2)."""
    end = 0
    while end + 8 <= size:
        file.seek(end)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:  # a 64-bit size follows the type
            length = int.from_bytes(head[8:16], "big")
        # Size 0 means "to the end of the file"; any other size below that of the header is no box at all.
        if length < 8:
            return size
        end += length
    return end


def find_riff_end(file: BinaryIO, size: int) -> int:
    """Return the end of the last RIFF chunk; a chunk of size 0 belongs to a recording that was never closed."""
    end = 0
    while end + 8 <= size:
        file.seek(end)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        if head[:4] != b"RIFF" or length == 0:
            return size
        end += 8 + length + length % 2
    # Chunks are padded to even lengths, and some writers leave out the last padding byte.
    return end - (end == size + 1)


def find_matroska_end(file: BinaryIO, size: int) -> int:
    """Return the end of the Matroska segment, which follows the EBML header."""
    file.seek(4)
    header = _read_ebml_size(file)
    if header is None:
        return size
    file.seek(header + 4, os.SEEK_CUR)
    length = _read_ebml_size(file)
    return size if length is None else file.tell() + length


def _read_ebml_size(file: BinaryIO) -> int | None:
    """Read an EBML size (RFC 8794, 4): the leading zero bits give its width; all ones mean unknown."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    width = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(width - 1), "big") & ((1 << 7 * width) - 1)
    return None if value == (1 << 7 * width) - 1 else value


def find_transport_stream_end(file: BinaryIO, size: int) -> int:
    """Return the end of the last packet of a transport stream.

    Packets have 188 bytes, 192 with a time code before each, or 204 with a checksum after each.
    """
    head = file.read(3 * 204)
    for length, offset in ((188, 0), (192, 4), (204, 0)):
        if all(head[offset + length * number : offset + length * number + 1] == b"G" for number in range(3)):
            return -(-size // length) * length  # rounded up: a last packet that is not whole was cut
    return size
