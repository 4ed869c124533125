"""The seam between Veil and face detectors: what a detector is given, what it gives back, and its types.

One file a detector implements `Detector`; `engine.detectors.registry` names it. Nothing here, and nothing at the head
of a detector's file, imports a machine-learning library: that happens when a detector is built, in a worker process.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Protocol, Self

import msgspec

from engine.core.picture import Rgb
from engine.record import Count, Detection, DetectorFacts, Document, Score, Sha256


class DetectorSettings(Document, frozen=True):
    """Base of a detector's parameters.

    Every field has a default, and ends up in the record if it can change an answer.

    Attributes:
        sure: least score at which a sighting makes a face by itself; a weaker one needs another detector, or its track.
            At 0 every sighting does.
    """

    sure: Score = 0.0


class RemoteDetectorSettings(DetectorSettings, frozen=True):
    """Parameters of a detector that asks a service: one process with many calls under way, which cost money.

    Attributes:
        policy: which frames it is asked about: "all", "every:N", or "contested", those in which the other detectors of
            the run leave doubt (see `engine.detection.frame_selection`).
        doubt: score below which local evidence is weak; it decides with `glance` what is contested.
        glance: of the frames that are not contested, one in so many is sent all the same.
        workers: calls under way at once; it does not change an answer, nor do those that follow.
        price: US dollars a call.
        rate: calls a second that are never exceeded; None finds out what the service admits.
        max_calls: calls after which to stop; None knows no end.
    """

    policy: Annotated[str, msgspec.Meta(pattern="^(all|contested|every:[1-9][0-9]*)$")] = "all"
    doubt: Score = 0.5
    glance: Annotated[int, msgspec.Meta(ge=1)] = 25
    workers: Annotated[int, msgspec.Meta(ge=1, le=256)] = 32
    price: Annotated[float, msgspec.Meta(ge=0.0)] = 0.001
    rate: Annotated[float, msgspec.Meta(gt=0.0)] | None = None
    max_calls: Count | None = None


class Receipt(Document, frozen=True):
    """What left the machine for the sake of one picture.

    Attributes:
        sha256: of the bytes that were sent.
        bytes: how many.
        request: the service's name for the call.
        paid: False when the answer was kept from an earlier call with the same bytes.
    """

    sha256: Sha256
    bytes: Count
    request: str
    paid: bool


class RemoteAnswer(msgspec.Struct, frozen=True, array_like=True):
    """What a service saw in one picture, and what was sent to it."""

    detections: list[Detection]
    receipt: Receipt


class Detector(Protocol):
    """Finds faces in upright RGB pictures.

    The answer for a picture depends on that picture and the settings alone: not on the batch it came in, not on what
    came before, not on the number of cores.
    """

    name: ClassVar[str]
    """As in `--detectors`."""
    settings_type: ClassVar[type[DetectorSettings]]

    @classmethod
    def describe(cls, settings: DetectorSettings) -> DetectorFacts:
        """What the record says of this detector with these settings. Imports no machine-learning library."""

    @classmethod
    def longest_side(cls, settings: DetectorSettings) -> int | None:
        """Longest side in pixels of the pictures it wants; larger frames are scaled down to it. None: full size."""

    @classmethod
    def load(cls, settings: DetectorSettings, models: Path) -> Self:
        """Build the detector from verified weights in the folder `models`.

        Raises:
            ModelError: a file of weights is missing or not the pinned one.
        """

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        """Sightings in each picture, each list sorted by falling score, then box.

        Args:
            pictures: upright RGB pictures, any size from 1x1, sizes may differ, not necessarily contiguous, read only.
        """

    def close(self) -> None:
        """Free what it holds; closing twice is allowed."""


class RemoteDetector(Detector, Protocol):
    """A detector that asks a service. `settings_type` is a `RemoteSettings`, by which it is known.

    Calls that are under way when its process is to end are waited for, and their answers kept: they are paid for.
    """

    def detect_with_receipts(self, pictures: Sequence[Rgb]) -> list[RemoteAnswer]:
        """As `detect`, with a receipt for each picture; several threads may call it at once."""


def is_remote(detector: type[Detector]) -> bool:
    """Whether it is a `RemoteDetector`."""
    return issubclass(detector.settings_type, RemoteDetectorSettings)
