"""The messages between a process that calls and one that works, and errors that travel in them."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from engine import errors
from engine.errors import SourceError, VeilError

_Value = TypeVar("_Value")


class CallMessage(msgspec.Struct, frozen=True):
    """A call.

    Attributes:
        number: number of the call; its answers carry it.
        name: what is called.
        body: the request, encoded.
    """

    number: int
    name: str
    body: msgspec.Raw


class ProgressAnswer(msgspec.Struct, frozen=True, tag="progress"):
    """Progress, as a progress listener gets it."""

    number: int
    stage: str
    done: int
    total: int | None


class NoticeAnswer(msgspec.Struct, frozen=True, tag="notice"):
    """A sentence that a person should read."""

    number: int
    message: str


class ResultAnswer(msgspec.Struct, frozen=True, tag="result"):
    """The end of a call: its result, encoded."""

    number: int
    body: msgspec.Raw


class FailureAnswer(msgspec.Struct, frozen=True, tag="failure"):
    """The end of a call that failed.

    Attributes:
        number: number of the call.
        kind: name of the class in `engine.errors`; empty for any other error.
        arguments: arguments of that class; of another error, its traceback.
    """

    number: int
    kind: str
    arguments: tuple[str | int, ...]


Answer = ProgressAnswer | NoticeAnswer | ResultAnswer | FailureAnswer


class UnexpectedError(RuntimeError):
    """An error of the program itself in another process; its message is the traceback there."""


def encode_value(value: object) -> msgspec.Raw:
    """Encode a request or a result.

    Raises:
        TypeError: it holds what cannot leave a process.
    """
    return msgspec.Raw(msgspec.msgpack.encode(value, enc_hook=_encode_other))


def decode_value(body: bytes | bytearray | memoryview | msgspec.Raw, value_type: type[_Value]) -> _Value:
    """Decode a request or a result.

    Raises:
        msgspec.MsgspecError: it is of another type.
    """
    return msgspec.msgpack.decode(body, type=value_type, dec_hook=_decode_path)


def describe_failure(number: int, error: Exception) -> FailureAnswer:
    """Return the answer that carries an error."""
    if isinstance(error, MemoryError):
        error = SourceError("There is not enough memory to read this file. Convert it to a smaller size.")
    if isinstance(error, VeilError):
        kind = next(kind for kind in type(error).__mro__ if getattr(errors, kind.__name__, None) is kind)
        # What the class was made with, as for a pickle; a class of another module has become its base.
        arguments = error.__reduce__()[1] if kind is type(error) else (str(error),)
        return FailureAnswer(number, kind.__name__, cast("tuple[str | int, ...]", arguments))
    return FailureAnswer(number, "", ("".join(traceback.format_exception(error)),))


def restore_error(failure: FailureAnswer) -> Exception:
    """Return the error that an answer carries."""
    kind = getattr(errors, failure.kind, None)
    if isinstance(kind, type) and issubclass(kind, VeilError):
        return kind(*failure.arguments)
    return UnexpectedError(*failure.arguments)


def _encode_other(value: object) -> str | tuple[object, ...]:
    if isinstance(value, Path):
        return str(value)
    # A sequence that is no tuple, as the packed frames of a record are.
    if isinstance(value, Sequence):
        return tuple(value)
    raise TypeError(f"{type(value).__name__} cannot leave its process")


def _decode_path(kind: type[Any], value: object) -> Any:
    return kind(value)
