"""Writing and reading of a record in blocks of frames, so that a long one is never in memory as a whole.

Only canonical bytes are read in blocks: they can be cut between frames without parsing them. What another program has
written in its own way is parsed as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import msgspec

from engine.core.json_decoder import decode_json
from engine.core.packed_sequence import PackedSequence
from engine.record.document import Document
from engine.record.schema_1 import SCHEMA_1, parse_record_1
from engine.record.types import Frame, Record, SourceFacts

_CACHED_BLOCKS = 64
"""About ten minutes of video that stay decoded, so that short records are decoded once."""
_BEFORE_FRAMES = b',"frames":['
_FRAME_START = b'{"doubtful":['
_AFTER_FRAMES = b'],"schema":"'
# An unescaped quotation mark never stands inside of a string, so these bytes are what they look like.
_FIRST_FRAME = _BEFORE_FRAMES + _FRAME_START
_NEXT_FRAME = b"," + _FRAME_START
_MAX_HEAD_BYTES = 1 << 26
_MAX_FRAME_BYTES = 1 << 22
_WRITTEN_FRAMES = 1024
PIECE_BYTES = 1 << 20
"""Size of the pieces in which a file is read."""


def encode_packed(value: Any) -> msgspec.Raw:
    """Encode a packed sequence inside of a document (a hook of `msgspec.json.Encoder`).

    Raises:
        NotImplementedError: the value is not one.
    """
    if not isinstance(value, PackedSequence):
        raise NotImplementedError(f"a document cannot hold a {type(value).__name__}")
    return msgspec.Raw(b"[" + b",".join(block[1:-1] for block in value.iterate_encoded()) + b"]")


_encoder = msgspec.json.Encoder(order="sorted", enc_hook=encode_packed)


def pack_frames(frames: Iterable[Frame]) -> PackedSequence[Frame]:
    """Pack frames as a record holds them."""
    return PackedSequence(frames, _encoder.encode, _decode_frames, _CACHED_BLOCKS)


def split_bytes(data: bytes) -> Iterator[bytes]:
    """Yield the bytes in pieces of the size that `parse_canonical_record` is best given."""
    return (data[start : start + PIECE_BYTES] for start in range(0, len(data), PIECE_BYTES))


def iterate_record(record: Record) -> Iterator[bytes]:
    """Yield the canonical bytes of a record in blocks."""
    without_frames = _encoder.encode(msgspec.structs.replace(record, frames=()))
    end = b"]," + _encoder.encode(_RecordEnd(record.schema, record.source))[1:]
    assert without_frames.endswith(_BEFORE_FRAMES + end), "the frames come before schema and source in sorted order"
    yield without_frames.removesuffix(end)
    for number, block in enumerate(_iterate_blocks(record.frames)):
        yield b"," + block[1:-1] if number else block[1:-1]
    yield end + b"\n"


def parse_canonical_record(pieces: Iterable[bytes]) -> Record | None:
    """Parse the bytes of a record in blocks; None if they are not the canonical bytes of a record.

    Args:
        pieces: the bytes, in pieces of any size; they may not all be taken if the result is None.
    """
    reader = _FrameReader(pieces)
    try:
        frames = pack_frames(reader.read_frames())
        ends = reader.head, reader.rest
        record = _parse_ends(b"".join(ends))
    # Whatever is wrong: the parser of the whole says what it is.
    except (_NotCanonicalError, msgspec.MsgspecError):
        return None
    # Equal bytes prove that the frames were cut out at their place, and that no key is there twice.
    return msgspec.structs.replace(record, frames=frames) if tuple(iterate_record(record)) == ends else None


class _RecordEnd(Document, frozen=True):
    """The fields of a record that come after its frames."""

    schema: str
    source: SourceFacts


class _NotCanonicalError(Exception):
    """The bytes are not canonical."""


class _FrameReader:
    """Cuts the bytes of a record into head, frames and rest.

    Attributes:
        head: everything before the first frame.
        rest: everything after the last one, once the frames are read.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.head = self.rest = b""

    def read_frames(self) -> Iterator[Frame]:
        """Yield the frames.

        Raises:
            _NotCanonicalError: the bytes are not canonical.
            msgspec.MsgspecError: they are not frames.
        """
        buffer = self._read_head()
        for piece in chain((b"",), self._pieces):
            buffer += piece
            if (end := buffer.find(_AFTER_FRAMES)) >= 0:
                yield from _decode_block(buffer[:end])
                self.rest = buffer[end:] + b"".join(self._pieces)
                return
            # The last frame stays: it may not be complete.
            if (last := buffer.rfind(_NEXT_FRAME)) >= 0:
                yield from _decode_block(buffer[:last])
                buffer = buffer[last + 1 :]
            if len(buffer) > _MAX_FRAME_BYTES:
                break
        raise _NotCanonicalError

    def _read_head(self) -> bytes:
        """Read up to the first frame; return what was read of the frames."""
        buffer = b""
        for piece in self._pieces:
            searched = max(0, len(buffer) - len(_FIRST_FRAME))
            buffer += piece
            if (start := buffer.find(_FIRST_FRAME, searched)) >= 0:
                start += len(_BEFORE_FRAMES)
                self.head = buffer[:start]
                return buffer[start:]
            if len(buffer) > _MAX_HEAD_BYTES:
                break
        raise _NotCanonicalError


def _decode_frames(data: bytes) -> Sequence[Frame]:
    return decode_json(data, type=tuple[Frame, ...], unique_keys=False)


def _decode_block(data: bytes) -> Sequence[Frame]:
    block = b"[" + data + b"]"
    frames = _decode_frames(block)
    if _encoder.encode(frames) != block:
        raise _NotCanonicalError
    return frames


def _parse_ends(data: bytes) -> Record:
    """Parse a record without frames, of the schema that it states."""
    if _AFTER_FRAMES + SCHEMA_1.encode() + b'"' in data:
        return parse_record_1(data)
    return decode_json(data, type=Record)


def _iterate_blocks(frames: Sequence[Frame]) -> Iterator[bytes]:
    if isinstance(frames, PackedSequence):
        yield from frames.iterate_encoded()
        return
    remaining = iter(frames)
    while block := tuple(islice(remaining, _WRITTEN_FRAMES)):
        yield _encoder.encode(block)
