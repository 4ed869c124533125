"""Canonical bytes of documents: encode, decode strictly, hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from engine.core.json_decoder import decode_json
from engine.errors import RecordError
from engine.record.blocks import (
    PIECE_BYTES,
    encode_packed,
    iterate_record,
    pack_frames,
    parse_canonical_record,
    split_bytes,
)
from engine.record.document import Document, Kind
from engine.record.schema_1 import SCHEMA_1, parse_record_1
from engine.record.types import SCHEMA, Record
from engine.record.validation import find_contradictions


def format_ratio(value: Fraction) -> str:
    """Format a fraction as a record spells it, "numerator/denominator"."""
    return f"{value.numerator}/{value.denominator}"


def parse_ratio(text: str) -> Fraction:
    """Parse a fraction that `format_ratio` formatted."""
    return Fraction(text)


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of stored bytes in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


_encoder = msgspec.json.Encoder(order="sorted", enc_hook=encode_packed)


def encode_document(document: Document) -> bytes:
    """Encode a document as canonical bytes."""
    # Hashes and signatures are of these bytes, so equal documents must have equal bytes.
    # As a line, because a long record with a newline added afterwards would be in memory twice.
    return _encoder.encode_lines([document])


def record_json_schema() -> dict[str, Any]:
    """Generate the JSON Schema (2020-12) of a detection record from the types that parse it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "Veil detection record",
        **msgspec.json.schema(Record),
    }


def decode_record(data: bytes, name: str = "record") -> Record:
    """Parse and validate a record.

    Args:
        data: the stored bytes.
        name: name of the record in an error, usually its path.

    Raises:
        RecordError: the data is not JSON, has another schema or an unknown field, or contradicts itself; the message
            names the place.
    """
    record = parse_canonical_record(split_bytes(data)) or _parse_whole_record(data, name)
    _check_contradictions(record, name)
    return record


def _parse_whole_record(data: bytes, name: str) -> Record:
    # The schema is read first: a record of another version would otherwise fail at its first unknown field.
    try:
        version = decode_json(data, type=_SchemaHeader).schema
    except msgspec.MsgspecError as error:
        raise RecordError(f"{name} is not a detection record: {error}.") from error
    if version not in {SCHEMA, SCHEMA_1}:
        raise RecordError(
            f"{name} is written in the schema {version!r}, this version of Veil reads {SCHEMA_1!r} and {SCHEMA!r}. "
            "Open it with the version that wrote it, or detect the source again."
        )
    try:
        record = decode_json(data, type=Record) if version == SCHEMA else parse_record_1(data)
    except msgspec.MsgspecError as error:
        raise RecordError(f"{name} is not a valid detection record: {error}.") from error
    return msgspec.structs.replace(record, frames=pack_frames(record.frames))


def _check_contradictions(record: Record, name: str) -> None:
    for place, complaint in find_contradictions(record):
        raise RecordError(f"{name} contradicts itself at {place}: {complaint}.")


def hash_record(record: Record) -> str:
    """Return the SHA-256 of the canonical bytes of a record, in lower-case hexadecimal."""
    digest = hashlib.sha256()
    for block in iterate_record(record):
        digest.update(block)
    return digest.hexdigest()


def read_record(path: Path) -> Record:
    """Read a record from a file.

    Raises:
        RecordError: the file cannot be read or is not a valid record.
    """
    return read_hashed_record(path)[0]


def read_hashed_record(path: Path, name: str | None = None) -> tuple[Record, str]:
    """Read a record from a file, and the SHA-256 of the bytes that were read.

    Args:
        path: the file.
        name: name of the record in an error. None: the path.

    Raises:
        RecordError: the file cannot be read or is not a valid record.
    """
    name, digest = name or str(path), hashlib.sha256()
    record = parse_canonical_record(_read_pieces(path, digest))
    if record is None:
        data = read_document_bytes(path)
        return decode_record(data, name), sha256_hex(data)
    _check_contradictions(record, name)
    return record, digest.hexdigest()


def _read_pieces(path: Path, digest: hashlib._Hash) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                digest.update(piece)
                yield piece
    except OSError as error:
        raise _make_read_error(path, "detection record", error) from error


def read_document(path: Path, document_type: type[Kind], description: str) -> Kind:
    """Read a document of another type from a file, as strictly as a record.

    Args:
        path: the file.
        document_type: type of the document.
        description: name of the document in an error, such as "report of a render".

    Raises:
        RecordError: the file cannot be read or is not a document of this type.
    """
    return decode_document(read_document_bytes(path, description), document_type, description, str(path))


def decode_document(data: bytes, document_type: type[Kind], description: str, name: str) -> Kind:
    """Decode the stored bytes of a document; errors call it `name`.

    Raises:
        RecordError: the data are not a document of this type.
    """
    try:
        return decode_json(data, type=document_type)
    except msgspec.MsgspecError as error:
        raise RecordError(f"{name} is not the {description}: {error}.") from error


def read_document_bytes(path: Path, description: str = "detection record") -> bytes:
    """Read the stored bytes of a document, for hashing and for `decode`.

    Args:
        path: the file.
        description: what to call the document in an error.

    Raises:
        RecordError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise _make_read_error(path, description, error) from error


def _make_read_error(path: Path, description: str, error: OSError) -> RecordError:
    return RecordError(f"{path} cannot be read: {error.strerror}. Give the path of the {description}.")


class _SchemaHeader(msgspec.Struct):
    schema: str
