"""Values of the actions of `veil amend`: boxes, ranges and numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence


class ValuesFormatError(ValueError):
    """The values of an action have a wrong form; the message says what the action needs."""


def parse_boxes(values: Sequence[str]) -> dict[int, tuple[float, ...]]:
    """Parse `FRAME=BOX ...`."""
    boxes: dict[int, tuple[float, ...]] = {}
    for value in values:
        frame, _, edges = value.partition("=")
        try:
            boxes[int(frame)] = tuple(map(float, edges.split(",")))
        except ValueError as error:
            raise ValuesFormatError(f"boxes as FRAME=LEFT,TOP,RIGHT,BOTTOM, got {value!r}") from error
    if not boxes:
        raise ValuesFormatError("at least one box, as FRAME=LEFT,TOP,RIGHT,BOTTOM")
    return boxes


def parse_track(values: Sequence[str]) -> int:
    """Parse the track of an action, its first value."""
    return parse_number(values[:1], "track")


def parse_number(values: Sequence[str], thing: str) -> int:
    """Parse the number of one thing."""
    if len(values) != 1 or not values[0].isdecimal():
        raise ValuesFormatError(f"the number of one {thing}, got {' '.join(values)!r}")
    return int(values[0])


def parse_range(values: Sequence[str]) -> tuple[int, int]:
    """Parse `START-STOP`."""
    # Joined, so that a missing and a second range are refused by the same sentence.
    match = re.fullmatch(r"(\d+)-(\d+)", " ".join(values))
    if match is None:
        raise ValuesFormatError(f"one range of frames as START-STOP, got {' '.join(values)!r}")
    return int(match[1]), int(match[2])


def parse_key(values: Sequence[str]) -> str:
    """Parse the key of one item."""
    if len(values) != 1:
        raise ValuesFormatError(f"the key of one item, got {' '.join(values)!r}")
    return values[0]
