"""Finds and blanks text in the headers of audio codecs, which a stream copy carries into the output.

Vorbis keeps a comment header among its headers, and FLAC keeps comments and pictures beside its stream info. Both hold
titles, names and dates in the same way as the tags of a container, but FFmpeg does not report them as tags.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

_VORBIS_COMMENT = b"\x03vorbis"
_FLAC_MARK = b"fLaC"
_FLAC_TEXT_BLOCKS = frozenset({2, 4, 5, 6})
"""Application data, comments, cue sheet and picture (RFC 9639, 8.1)."""
_LIBRARY_NAMES = (b"Xiph.Org libVorbis", b"AO; aoTuV", b"Lavf", b"Lavc", b"ffmpeg", b"reference libFLAC")
"""Beginnings of the name of the program that a header always has; on their own they say nothing about a recording."""


def list_header_texts(codec: str, extradata: bytes | None) -> list[bytes]:
    """Return the texts in a codec's headers, without names of well-known libraries and without blanked ones."""
    texts = (bytes(part) for part in _iterate_texts(codec, extradata or b""))
    return [text for text in texts if text.strip(b" \0") and not text.startswith(_LIBRARY_NAMES)]


def has_header_text(codec: str, extradata: bytes | None) -> bool:
    """Return whether there is any text in a codec's headers that has not been blanked, library names included."""
    return any(bytes(text).strip(b" \0") for text in _iterate_texts(codec, extradata or b""))


def blank_header_texts(path: Path, headers: Iterable[tuple[str, bytes]]) -> None:
    """Replace text in codec headers with spaces in a finished file; its length and all offsets stay the same.

    Args:
        path: the file; it holds the headers byte for byte.
        headers: codec and extradata of each audio stream.
    """
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        for codec, extradata in headers:
            blanked = bytearray(extradata)
            # Views of the copy: what is written into them changes it.
            for text in _iterate_texts(codec, blanked):
                text[:] = b" " * len(text)
            for part, clean in _split_header(codec, extradata, bytes(blanked)):
                _replace_everywhere(data, part, clean)


def _replace_everywhere(data: mmap.mmap, part: bytes, clean: bytes) -> None:
    position = data.find(part)
    while position >= 0 and part != clean:
        data[position : position + len(part)] = clean
        position = data.find(part, position + len(part))


def _split_header(codec: str, extradata: bytes, blanked: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the parts of the header that containers store in one piece, before and after blanking."""
    # Containers frame the three headers of Vorbis differently, but none splits the comment header.
    start = extradata.find(_VORBIS_COMMENT) if codec == "vorbis" else 0
    stop = extradata.find(b"\x05vorbis", start) if codec == "vorbis" else len(extradata)
    if start >= 0:
        yield extradata[start : stop if stop > 0 else None], blanked[start : stop if stop > 0 else None]


def _iterate_texts(codec: str, extradata: bytes | bytearray) -> Iterator[memoryview]:
    view = memoryview(extradata)
    try:
        if codec == "vorbis":
            yield from _iterate_comments(view, bytes(extradata).find(_VORBIS_COMMENT) + len(_VORBIS_COMMENT))
        elif codec == "flac" and bytes(view[:4]) == _FLAC_MARK:
            yield from _iterate_flac_blocks(view)
    except struct.error:
        # A header that ends too early: what was found before is all that a player would read.
        return


def _iterate_comments(view: memoryview, position: int) -> Iterator[memoryview]:
    """Yield the vendor and the comments of a comment header (Vorbis I specification, 5.2.1)."""
    if position < len(_VORBIS_COMMENT):
        return
    (length,) = struct.unpack_from("<I", view, position)
    yield view[position + 4 : position + 4 + length]
    position += 4 + length
    (count,) = struct.unpack_from("<I", view, position)
    position += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<I", view, position)
        yield view[position + 4 : position + 4 + length]
        position += 4 + length


def _iterate_flac_blocks(view: memoryview) -> Iterator[memoryview]:
    position = len(_FLAC_MARK)
    while position + 4 <= len(view):
        kind, length = view[position] & 0x7F, int.from_bytes(view[position + 1 : position + 4], "big")
        if kind in _FLAC_TEXT_BLOCKS:
            yield view[position + 4 : position + 4 + length]
        position += 4 + length
