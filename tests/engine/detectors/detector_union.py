"""Several detectors as one: what the product's crew hears from each, and the union of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import registry
from engine.detectors.ensemble import BatchesByDetector, DetectorEnsemble
from engine.detectors.scale import scale_to_display
from engine.record import Detection, FusionSettings
from engine.timeline.fuse import FusedFace, fuse_detections

T = TypeVar("T")


class Hybrid:
    """Has the face of one detector (`detect`, `close`) and of one in a process of its own (`name`, `call`)."""

    name = "hybrid"

    def __init__(self, detectors: Sequence[str], models: Path) -> None:
        self.detectors = tuple(detectors)
        self._plans = [registry.plan_detector(detector) for detector in detectors]
        self._open = ExitStack()
        self._crew = self._open.enter_context(DetectorEnsemble(self._plans, models, 1))
        self._asked = 0

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """What `function(self, *arguments)` returns; the detectors are in processes of their own anyway."""
        return function(self, *arguments)

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        """The union in each picture."""
        if not pictures:
            return []
        chunk = {side: [_fitted(picture, side) for picture in pictures] for side in self._crew.input_sides}
        self._crew.submit(self._asked, chunk, "the scene")
        self._asked += 1
        [(_, answers)] = [*self._crew.take_finished(), *self._crew.drain()]
        return [self._union(answers, place, _size(picture)) for place, picture in enumerate(pictures)]

    def close(self) -> None:
        """End the detectors; closing twice is allowed."""
        self._open.close()

    def _union(self, answers: BatchesByDetector, place: int, size: Size) -> list[Detection]:
        seen = [
            detection
            for plan in self._plans
            for detection in scale_to_display(answers[plan.name].detections[place], plan.longest_side, size)
        ]
        found = [Detection(self.name, face.box, _score(face)) for face in fuse_detections(seen, FusionSettings())]
        return sorted(found, key=lambda one: (-one.score, one.box.left, one.box.top))


def _score(face: FusedFace) -> float:
    return max(one.score for one in face.evidence)


def _size(picture: Rgb) -> Size:
    return Size(picture.shape[1], picture.shape[0])


def _fitted(picture: Rgb, side: int | None) -> Rgb:
    size = _size(picture).fit(side)
    if size == _size(picture):
        return picture
    return np.asarray(cv2.resize(picture, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)
