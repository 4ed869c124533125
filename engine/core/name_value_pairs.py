"""Values written as `NAME=VALUE` on a command line or in an address."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.core.json_decoder import decode_json
from engine.errors import InputError


def parse_pairs(option: str, text: str) -> dict[str, Any]:
    """Return the values of `NAME=VALUE,...` by name.

    Args:
        option: name of the option that takes the text, for errors.
        text: pairs separated by commas; it may be empty.

    Raises:
        InputError: a part of the text is no pair.
    """
    values = {}
    for pair in filter(None, text.split(",")):
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"{option} takes NAME=VALUE pairs separated by commas; got {pair!r}.")
        values[name] = parse_value(value)
    return values


def parse_value(text: str) -> Any:
    """Return the JSON value that a text is, or the text itself if it is none: `0.3`, `true`, `#808080`."""
    try:
        return decode_json(text)
    except msgspec.DecodeError:
        return text
