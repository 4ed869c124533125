"""What somebody who watches a detection is shown while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detection.frame_detections import FrameDetections

PREVIEW_SIDE_PX = 480
"""Longest side in pixels of the picture that a watcher is shown."""


@dataclass(frozen=True, slots=True)
class PreviewFrame:
    """A frame of the source, not masked, made small.

    Attributes:
        index: its number.
        picture: its longest side at most `GLIMPSE` pixels.
        display: size of the frame itself, in which sightings are told.
    """

    index: int
    picture: Rgb
    display: Size


class DetectionObserver(Protocol):
    """Sees what the detectors find; called from the thread that does the work."""

    def wants_preview(self) -> bool:
        """Whether a picture of the frames that are next sent to the detectors is welcome."""

    def on_detections(self, first_index: int, frames: Sequence[FrameDetections], preview: PreviewFrame | None) -> None:
        """Frames from the one with the index `first_index` on were looked at; `preview` shows one of them.

        What an earlier attempt had found is told again at the beginning. Frames that a second pass looks at are told
        twice, each time with what was found then.
        """
