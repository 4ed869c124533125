"""Keys of items to check, as `accept` amendments name them: `gap:12:340-361`, or `cut:-:500-508` without a track."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Self

import msgspec

_PATTERN = r"^[a-z-]+:([0-9]+|-):[0-9]+-[0-9]+$"
_NO_TRACK = "-"

ReviewItemKeyText = Annotated[str, msgspec.Meta(pattern=_PATTERN, description="key of a spot")]
"""A key as it is stored in JSON; parse it with `ReviewItemKey.parse`."""


@dataclass(frozen=True, slots=True)
class ReviewItemKey:
    """The key of an item to check. It follows from the record alone, so that an amendment can name the item for good.

    Attributes:
        kind: The rule that found the item. Not checked: a review may name a rule of another version.
        track: The track, None if the item belongs to no track in particular. For a place that a reviewer flagged
            ("similar"), its number in the review instead: several of them may lie in the same frames.
        start: The first frame.
        stop: The first frame after the item.
    """

    kind: str
    track: int | None
    start: int
    stop: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a key as it is stored.

        Raises:
            ValueError: The text is not a key.
        """
        if not re.fullmatch(_PATTERN, text):
            raise ValueError(f"expected a key such as gap:12:340-361, got {text!r}")
        kind, track, frames = text.split(":")
        start, stop = map(int, frames.split("-"))
        return cls(kind, None if track == _NO_TRACK else int(track), start, stop)

    def format(self) -> ReviewItemKeyText:
        """Return the key as it is stored."""
        track = _NO_TRACK if self.track is None else self.track
        return f"{self.kind}:{track}:{self.start}-{self.stop}"
