"""The one decoder of JSON: whatever is wrong with the bytes is one kind of error.

msgspec raises its own errors for most faults, but others for bytes that are not UTF-8, for deep nesting and for numbers
that no type can hold. It also takes the last of two values with the same key, where other programs take the first, so
that a signed document could say one thing to Veil and another to its reader.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar, overload

import msgspec

_Decoded = TypeVar("_Decoded")


@overload
def decode_json(data: bytes | str, *, type: type[_Decoded], unique_keys: bool = True) -> _Decoded: ...
@overload
def decode_json(data: bytes | str, *, type: Any = Any, unique_keys: bool = True) -> Any: ...
def decode_json(data: bytes | str, *, type: Any = Any, unique_keys: bool = True) -> Any:  # noqa: A002 - as msgspec names it
    """Decode JSON into a type.

    Args:
        data: the bytes.
        type: the type, as msgspec takes it.
        unique_keys: refuse an object that has a key twice. This takes time for bytes that are not in Veil's own form;
            False where the bytes are known by their hash and read often.

    Raises:
        msgspec.MsgspecError: the bytes are not JSON, not of the type, or have a key twice.
    """
    try:
        decoded = msgspec.json.decode(data, type=type)
        if unique_keys and not _is_canonical(data, decoded):
            json.loads(data, object_pairs_hook=_refuse_repeated_key)
    except msgspec.MsgspecError:
        raise
    except RecursionError as error:
        raise msgspec.ValidationError("it is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise msgspec.ValidationError(f"it is not UTF-8 (byte {error.start})") from error
    except (ValueError, OverflowError) as error:
        raise msgspec.ValidationError(str(error)) from error
    return decoded


def _is_canonical(data: bytes | str, decoded: object) -> bool:
    """Return True if the data are what Veil writes, which never has a key twice. Encoding is faster than looking."""
    stored = data.encode() if isinstance(data, str) else data
    return msgspec.json.encode(decoded, order="sorted") == stored.rstrip(b"\n")


def _refuse_repeated_key(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise msgspec.ValidationError(f"it has the key {repeated[:40]!r} twice")
    return values
