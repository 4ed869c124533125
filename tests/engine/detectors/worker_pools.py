"""Detectors run the way the product runs them: in a worker process."""

from __future__ import annotations

from pathlib import Path

from engine.core.picture import Rgb
from engine.detectors import registry
from engine.detectors.pool import DetectorPool
from engine.record import Detection


def pool(name: str, models: Path, **overrides: object) -> DetectorPool:
    """A pool of one worker."""
    plan = registry.plan_detector(name, overrides)
    return DetectorPool(registry.import_detector_class(name), plan.settings, models)


def look(crew: DetectorPool, *pictures: Rgb) -> list[list[Detection]]:
    """Sightings in each picture, given as one chunk."""
    crew.submit(0, pictures)
    return [list(detections) for answer in crew.drain() for detections in answer.batch.detections]
