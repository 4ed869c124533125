"""Run detectors on frames and regions of an output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import NamedTuple, Self

import cv2
import numpy as np

from engine.assurance.leak_check.report import OutputDetection
from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.detectors.ensemble import BatchesByDetector, DetectorEnsemble
from engine.detectors.registry import DetectorPlan
from engine.media.frame import SourceFrame
from engine.record import Detection

REGION_SIDE_PX = 256
"""Longest side, in pixels, to which regions are scaled. A face is about a third of a region, so it comes to 85 px: well
above the 48 px from which recall is highest, and the cost of a region does not grow with the face."""


class Region(NamedTuple):
    """A picture for the detectors: the part of a frame in `box`, or the whole frame if that is None."""

    frame: SourceFrame
    box: Box | None


class _PendingRegion(NamedTuple):
    frame_index: int
    box: Box
    picture_sizes: Mapping[int | None, Size]


class DetectorPass:
    """Runs detectors in processes of their own on regions, and collects their detections in display pixels.

    Use as a context manager, from one thread.

    Args:
        plans: The detectors.
        ensemble: Runs them. It is started and ended with the block.
        display_size: Size of the frames in display pixels.

    Raises:
        DetectorError: A worker died, hung or failed.
        ModelError: Weights are missing or not the pinned ones.
    """

    def __init__(
        self, plans: Sequence[DetectorPlan], ensemble: AbstractContextManager[DetectorEnsemble], display_size: Size
    ) -> None:
        self._plans, self._ensemble_context, self._display_size = plans, ensemble, display_size
        self._pending_regions: dict[int, _PendingRegion] = {}
        self._detections: list[OutputDetection] = []
        self._next_ticket = self._taken_count = 0

    def __enter__(self) -> Self:
        self._ensemble = self._ensemble_context.__enter__()
        self._ensemble.set_first_ticket(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ensemble_context.__exit__(kind, error, trace)

    def submit_regions(self, regions: Sequence[Region]) -> None:
        """Submit regions of one frame to every detector. Waits while a detector has no room."""
        # Converted once for all regions of a frame. Whole frames do not need it: each is converted at the size that a
        # detector takes.
        full_picture = regions[0].frame.rgb(None) if any(region.box for region in regions) else None
        for region in regions:
            pictures = {side: self._scale_region(region, side, full_picture) for side in self._ensemble.input_sides}
            sizes = {side: Size(picture.shape[1], picture.shape[0]) for side, picture in pictures.items()}
            box = region.box or Box(0, 0, self._display_size.width, self._display_size.height)
            self._pending_regions[self._next_ticket] = _PendingRegion(region.frame.index, box, sizes)
            label = f"frame {region.frame.index} of the output"
            self._ensemble.submit(self._next_ticket, {side: [picture] for side, picture in pictures.items()}, label)
            self._next_ticket += 1
        # Taken while the scan continues, so that the second detector can start to load before the scan ends.
        self._collect_answers(self._ensemble.take_finished())

    def take_new_detections(self) -> list[OutputDetection]:
        """Return the detections that arrived since the last call. Does not wait."""
        start, self._taken_count = self._taken_count, len(self._detections)
        return self._detections[start:]

    def collect_detections(self) -> list[OutputDetection]:
        """Wait for every answer, and return all detections in the order in which the regions were submitted."""
        self._collect_answers(self._ensemble.drain())
        return list(self._detections)

    def _scale_region(self, region: Region, side: int | None, full_picture: Rgb | None) -> Rgb:
        if region.box is None or full_picture is None:
            return region.frame.rgb(side)
        left, top, right, bottom = _clip_to_pixels(region.box, self._display_size)
        part = full_picture[top:bottom, left:right]
        longest = max(part.shape[:2])
        wanted = REGION_SIDE_PX if side is None else min(REGION_SIDE_PX, side)
        size = tuple(max(1, round(length * wanted / longest)) for length in (part.shape[1], part.shape[0]))
        method = cv2.INTER_AREA if wanted < longest else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(part, size, interpolation=method), np.uint8)

    def _collect_answers(self, answers: Iterator[tuple[int, BatchesByDetector]]) -> None:
        for ticket, answer in answers:
            region = self._pending_regions.pop(ticket)
            for plan in self._plans:
                picture_size = region.picture_sizes[plan.longest_side]
                for detection in answer[plan.name].detections[0]:
                    self._add_detection(detection, region, picture_size)

    def _add_detection(self, detection: Detection, pending_region: _PendingRegion, picture_size: Size) -> None:
        # Back from the scaled picture to the pixels of the region, then to those of the frame. The region was cut at
        # whole pixels, so its place is the rounded one.
        left, top, right, bottom = _clip_to_pixels(pending_region.box, self._display_size)
        box = detection.box.scale_axes((right - left) / picture_size.width, (bottom - top) / picture_size.height)
        placed = Box(box.left + left, box.top + top, box.right + left, box.bottom + top).round_outwards(
            self._display_size
        )
        if placed is not None:
            self._detections.append(
                OutputDetection(pending_region.frame_index, placed, round(detection.score, 4), detection.detector)
            )


class LazyDetectorPass:
    """The pass of the second detector: started on first use, and ended with the check."""

    def __init__(self, stack: ExitStack, create_pass: Callable[[], DetectorPass]) -> None:
        self._stack, self._create_pass = stack, create_pass
        self._started_pass: DetectorPass | None = None

    def start(self) -> DetectorPass:
        """Start the detector unless it runs, and return the pass without waiting for the detector to load."""
        if self._started_pass is None:
            self._started_pass = self._stack.enter_context(self._create_pass())
        return self._started_pass


def _clip_to_pixels(box: Box, display_size: Size) -> tuple[int, int, int, int]:
    left, top, right, bottom = box.to_pixel_bounds()
    return max(0, left), max(0, top), min(display_size.width, right), min(display_size.height, bottom)
