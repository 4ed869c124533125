"""The seam between Veil and face detectors: what a detector is given, what it gives back, and its types.

One file a detector implements `Detector`; `engine.detectors.registry` names it. Nothing here, and nothing at the head
of a detector's file, imports a machine-learning library: that happens when a detector is built, in a worker process.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol, Self

import msgspec

from engine.geometry import Box
from engine.picture import Rgb
from engine.record import DetectorFacts, Document, Score


class Sighting(msgspec.Struct, frozen=True, array_like=True):
    """One face that one detector saw: box in pixels of the picture it was given (clipped to it), score 0 to 1."""

    box: Box
    score: Score


class Settings(Document, frozen=True):
    """Base of a detector's parameters; every field has a default and ends up in the record.

    Attributes:
        sure: least score at which a sighting makes a face by itself; a weaker one needs another detector, or its track.
            At 0 every sighting does.
    """

    sure: Score = 0.0


class Detector(Protocol):
    """Finds faces in upright RGB pictures.

    The answer for a picture depends on that picture and the settings alone: not on the batch it came in, not on what
    came before, not on the number of cores.
    """

    name: ClassVar[str]
    """As in `--detectors`."""
    settings_type: ClassVar[type[Settings]]

    @classmethod
    def facts(cls, settings: Settings) -> DetectorFacts:
        """What the record says of this detector with these settings. Imports no machine-learning library."""

    @classmethod
    def longest_side(cls, settings: Settings) -> int | None:
        """Longest side in pixels of the pictures it wants; larger frames are scaled down to it. None: full size."""

    @classmethod
    def load(cls, settings: Settings, models: Path) -> Self:
        """Build the detector from verified weights in the folder `models`.

        Raises:
            ModelError: a file of weights is missing or not the pinned one.
        """

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Sighting]]:
        """Sightings in each picture, each list sorted by falling score, then box.

        Args:
            pictures: upright RGB pictures, any size from 1x1, sizes may differ, not necessarily contiguous, read only.
        """

    def close(self) -> None:
        """Free what it holds; closing twice is allowed."""
