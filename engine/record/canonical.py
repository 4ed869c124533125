"""Canonical bytes of documents: encode, decode strictly, hash."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import RecordError
from engine.record.types import SCHEMA, Document, Kind, Record
from engine.record.validation import find_contradictions


def format_ratio(value: Fraction) -> str:
    """A fraction in the record's spelling."""
    return f"{value.numerator}/{value.denominator}"


def parse_ratio(text: str) -> Fraction:
    """The fraction that `ratio` spelled."""
    return Fraction(text)


def sha256_hex(data: bytes) -> str:
    """SHA-256 of stored bytes, as a record spells it."""
    return hashlib.sha256(data).hexdigest()


def encode_document(document: Document) -> bytes:
    """Canonical bytes of a document."""
    return msgspec.json.encode(document, order="sorted") + b"\n"


def record_json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a detection record, generated from the types that parse it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "Veil detection record",
        **msgspec.json.schema(Record),
    }


def decode_record(data: bytes, name: str = "record") -> Record:
    """Read a record strictly.

    Args:
        data: the stored bytes.
        name: what to call the record in an error, usually its path.

    Raises:
        RecordError: it is not JSON, not this schema, has an unknown field, or contradicts itself; the message names
            the place.
    """
    try:
        version = msgspec.json.decode(data, type=_SchemaHeader).schema
    except msgspec.MsgspecError as error:
        raise RecordError(f"{name} is not a detection record: {error}.") from error
    if version != SCHEMA:
        raise RecordError(
            f"{name} is written in the schema {version!r}, this version of Veil reads {SCHEMA!r}. Open it with the "
            "version that wrote it, or detect the source again."
        )
    try:
        record = msgspec.json.decode(data, type=Record)
    except msgspec.MsgspecError as error:
        raise RecordError(f"{name} is not a valid detection record: {error}.") from error
    for place, complaint in find_contradictions(record):
        raise RecordError(f"{name} contradicts itself at {place}: {complaint}.")
    return record


def read_record(path: Path) -> Record:
    """Read a record from a file.

    Raises:
        RecordError: the file cannot be read or is not a valid record.
    """
    return decode_record(read_document_bytes(path), str(path))


def read_document(path: Path, document_type: type[Kind], description: str) -> Kind:
    """Read another document of Veil's from a file, as strictly as a record.

    Args:
        path: the file.
        document_type: the type of the document.
        description: what to call it in an error, as "report of a render".

    Raises:
        RecordError: the file cannot be read or is not such a document.
    """
    try:
        return msgspec.json.decode(read_document_bytes(path, description), type=document_type)
    except msgspec.MsgspecError as error:
        raise RecordError(f"{path} is not the {description}: {error}.") from error


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
        raise RecordError(f"{path} cannot be read: {error.strerror}. Give the path of the {description}.") from error


class _SchemaHeader(msgspec.Struct):
    schema: str
