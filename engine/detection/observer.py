"""The interface of an observer, which sees detections and small pictures while a detection runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detection.frame_detections import FrameDetections
from engine.media.frame import SourceFrame

PREVIEW_SIDE_PX = 480
"""Longest side of a preview."""


@dataclass(frozen=True, slots=True)
class PreviewFrame:
    """A small, unmasked picture of one frame.

    Attributes:
        index: frame index.
        picture: the picture; its longest side is at most `PREVIEW_SIDE_PX` pixels.
        display: display size of the frame; boxes of detections are in its pixels.
    """

    index: int
    picture: Rgb
    display: Size


class DetectionObserver(Protocol):
    """Sees what the detectors find. Called from the thread that runs the detection."""

    def wants_preview(self) -> bool:
        """Return True to get a picture from the frames that are submitted next."""

    def on_detections(self, first_index: int, frames: Sequence[FrameDetections], preview: PreviewFrame | None) -> None:
        """Take the detections of successive frames.

        The first call of a pass repeats what an earlier attempt found. Frames of a second pass are reported twice, each
        time with the detections of that pass only.

        Args:
            first_index: index of the first of the frames.
            frames: their detections.
            preview: a picture of one of them. None: there is none.
        """


class ObserverFeed:
    """Passes detections on to an observer, if there is one, and keeps the preview until its frame is answered."""

    def __init__(self, observer: DetectionObserver | None, display: Size) -> None:
        self._observer, self._display = observer, display
        self._preview: tuple[int, PreviewFrame] | None = None

    def replay(self, frames: Iterable[FrameDetections]) -> None:
        """Report what an earlier attempt found."""
        if self._observer is not None:
            self._observer.on_detections(0, tuple(frames), None)

    def offer_preview(self, ticket: int, frame: SourceFrame) -> None:
        """Make a preview of a frame of a batch if the observer wants one."""
        # Keep one preview at a time: frames are submitted long before they are answered, and a newer preview would
        # replace the older one each time before its answer arrives.
        if self._observer is not None and self._preview is None and self._observer.wants_preview():
            self._preview = ticket, PreviewFrame(frame.index, frame.rgb(PREVIEW_SIDE_PX), self._display)

    def report(self, ticket: int, first_index: int, frames: Sequence[FrameDetections]) -> None:
        """Report the detections of a batch, with the preview if it shows a frame of it."""
        preview = None
        if self._preview is not None and self._preview[0] == ticket:
            preview, self._preview = self._preview[1], None
        if self._observer is not None:
            self._observer.on_detections(first_index, frames, preview)
