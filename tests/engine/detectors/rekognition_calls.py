"""A stand-in service to call, and a crew that calls it, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import registry
from engine.detectors.ensemble import DetectorEnsemble
from engine.detectors.pool import DetectionBatch


def pictures(count: int, size: Size) -> list[Rgb]:
    """Pictures of which no two are alike."""
    ramp = np.linspace(0, 255, size.width, dtype=np.uint8)
    found = []
    for number in range(count):
        picture = np.repeat(np.tile(ramp, (size.height, 1))[..., None], 3, axis=2)
        bits = np.unpackbits(np.array([number >> 8, number & 255], np.uint8)) * 255
        picture[:8, :128] = np.repeat(bits, 8)[None, :, None]
        found.append(picture)
    return found


@contextmanager
def calling(folder: Path, **settings: object) -> Iterator[DetectorEnsemble]:
    """A crew of Rekognition alone, with its answers kept in `folder`."""
    # Each of the 32 calls that may be under way has a client of its own, which takes a while to make.
    plan = registry.plan_detector("rekognition", {"workers": 8, **settings})
    with DetectorEnsemble([plan], folder / "models", 1) as crew:
        yield crew


def ask(crew: DetectorEnsemble, chunks: list[list[Rgb]]) -> list[DetectionBatch]:
    """What is answered for each chunk."""
    answers: list[DetectionBatch] = []
    for ticket, chunk in enumerate(chunks):
        crew.submit(ticket, {1920: chunk}, f"chunk {ticket}")
        answers += [answer["rekognition"] for _, answer in crew.take_finished()]
    return answers + [answer["rekognition"] for _, answer in crew.drain()]


def chunked(some: list[Rgb], size: int = 4) -> list[list[Rgb]]:
    """Pictures in chunks."""
    return [some[start : start + size] for start in range(0, len(some), size)]
