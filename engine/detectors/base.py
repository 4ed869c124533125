"""The interface between Veil and face detectors: the protocols that a detector implements, and their types.

Each detector is one file that implements `Detector` and one row in `engine.detectors.table`. Neither this module nor
the top level of a detector's file imports a machine-learning library: `load` does, in a worker process.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Protocol, Self

import msgspec

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.record import Count, Detection, DetectorFacts, Document, Score, Sha256


class DetectorSettings(Document, frozen=True):
    """Base of a detector's parameters.

    Every field has a default. A field that can change an answer goes into the record.

    Attributes:
        sure: confident score, from which one detection alone counts as a face; a weaker detection needs another
            detector, or its track. At 0, every detection counts.
    """

    sure: Score = 0.0


class RemoteDetectorSettings(DetectorSettings, frozen=True):
    """Parameters of a remote detector: one process with many calls at once, which cost money.

    Attributes:
        policy: frames that are sent: "all", "every:N", or "contested", those that the other detectors of the run leave
            uncertain (see `engine.detection.frame_selection`).
        doubt: score below which evidence of other detectors is weak, for the policy "contested".
        glance: under the policy "contested", one in this many of the remaining frames is sent, too.
        workers: calls that run at once. This parameter and those below do not change an answer.
        price: US dollars a call.
        rate: greatest number of calls a second. None: the rate that the service admits is measured.
        max_calls: number of calls after which the run stops. None: unlimited.
    """

    policy: Annotated[str, msgspec.Meta(pattern="^(all|contested|every:[1-9][0-9]*)$")] = "all"
    doubt: Score = 0.5
    glance: Annotated[int, msgspec.Meta(ge=1)] = 25
    workers: Annotated[int, msgspec.Meta(ge=1, le=256)] = 32
    price: Annotated[float, msgspec.Meta(ge=0.0)] = 0.001
    rate: Annotated[float, msgspec.Meta(gt=0.0)] | None = None
    max_calls: Count | None = None


class Receipt(Document, frozen=True):
    """Proof of one call to a remote detector.

    Attributes:
        sha256: SHA-256 of the bytes sent.
        bytes: number of bytes sent.
        request: request id that the service returned.
        paid: False if the answer came from an earlier call with the same bytes.
    """

    sha256: Sha256
    bytes: Count
    request: str
    paid: bool


class RemoteAnswer(msgspec.Struct, frozen=True, array_like=True):
    """The detections of a remote detector in one picture, and the receipt of the call."""

    detections: list[Detection]
    receipt: Receipt


class Detector(Protocol):
    """Finds faces in upright RGB pictures.

    The answer for a picture depends on that picture and the settings alone: not on its batch, on earlier pictures or on
    the number of cores.
    """

    name: ClassVar[str]
    """Name as in `--detectors`."""
    settings_type: ClassVar[type[DetectorSettings]]

    @classmethod
    def describe(cls, settings: DetectorSettings) -> DetectorFacts:
        """Describe this detector with these settings for the record; import no machine-learning library."""

    @classmethod
    def longest_side(cls, settings: DetectorSettings) -> int | None:
        """Return the longest side in pixels of its pictures; larger frames are scaled down to it. None: full size."""

    @classmethod
    def load(cls, settings: DetectorSettings, models: Path) -> Self:
        """Load the detector from verified weights in the folder `models`.

        Raises:
            ModelError: a file of weights is missing or is not the pinned one.
        """

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        """Return the detections in each picture, sorted by falling score, then box.

        Args:
            pictures: upright RGB pictures of any sizes from 1x1, read-only and not necessarily contiguous.
        """

    def close(self) -> None:
        """Free its memory; closing twice is allowed."""


class RemoteDetector(Detector, Protocol):
    """A detector that calls a service. It is recognised by its `settings_type`, a `RemoteDetectorSettings`.

    When its process is asked to end, it waits for the calls under way and keeps their answers, because they are paid
    for.
    """

    def detect_with_receipts(self, pictures: Sequence[Rgb]) -> list[RemoteAnswer]:
        """Detect as `detect` does and return a receipt for each picture; several threads may call it at once."""


class PartDetector(Detector, Protocol):
    """A local detector that can look at a part of a picture as it would in the whole one, at the cost of the part."""

    def detect_parts(self, parts: Sequence[Rgb], whole: Size) -> list[list[Detection]]:
        """Detect as `detect` does, at the scale at which a picture of the size `whole` would be looked at.

        Args:
            parts: parts of pictures of that size.
            whole: size of the pictures.
        """


def can_look_at_parts(detector: type[Detector]) -> bool:
    """Return True if a detector is a `PartDetector`."""
    return hasattr(detector, "detect_parts")


def is_remote(detector: type[Detector]) -> bool:
    """Return True if a detector is a `RemoteDetector`."""
    return issubclass(detector.settings_type, RemoteDetectorSettings)
