"""From the options that a run keeps to those that a detection takes."""

from __future__ import annotations

import msgspec

from engine.options import DetectOptions, plans
from engine.runs import Asked


def options_of(asked: Asked) -> DetectOptions:
    """The options of a detection, as the request of a run has them."""
    return DetectOptions(**msgspec.structs.asdict(asked))


def asked_of(options: DetectOptions) -> Asked:
    """The options of a detection, as the request of a run keeps them.

    Raises:
        msgspec.ValidationError: a parameter is of a kind that no detector takes.
    """
    return msgspec.convert(
        {name: getattr(options, name) for name in Asked.__struct_fields__}, Asked, from_attributes=True
    )


def check(asked: Asked) -> None:
    """Refuse options that no detection takes, before a run is made of them.

    Raises:
        InputError: a mode, detector or parameter is unknown, or its value is wrong.
    """
    plans(options_of(asked))
