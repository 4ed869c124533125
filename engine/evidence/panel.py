"""Which detectors check an output: such as the detection did not use, as far as there are any."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from engine.detectors.crew import Crew
from engine.detectors.registry import DetectorPlan, plan
from engine.evidence.findings import CheckDetector
from engine.record import Record

_LOOKOUTS: Mapping[str, Mapping[str, object]] = {
    "centerface": {"size": 640, "enlargement": 1.0, "threshold": 0.3},
    "mtcnn": {},
}
"""Detectors that look over an output, with their parameters; the first that the detection did not use is taken."""
_WITNESSES: Mapping[str, Mapping[str, object]] = {
    "yolov8-face": {"size": 320},
    "mediapipe": {},
    "mtcnn": {},
    "centerface": {"size": 640, "enlargement": 1.0},
}
"""The same of detectors that are asked about what a lookout found."""

Hire = Callable[[Sequence[DetectorPlan], Path, int], AbstractContextManager[Crew]]
"""Starts detectors: plans, folder of the models, processes for each."""


@dataclass(frozen=True, slots=True)
class Panel:
    """The detectors of a check.

    Attributes:
        lookout: looks at frames and parts of frames.
        witness: looks where the lookout found something; it is started only then.
        hire: starts them.
    """

    lookout: DetectorPlan
    witness: DetectorPlan
    hire: Hire = Crew

    def facts(self, record: Record) -> Iterator[CheckDetector]:
        """What a report says of them."""
        used = {detector.name for detector in record.detection.detectors}
        yield CheckDetector("lookout", self.lookout.name not in used, self.lookout.facts)
        yield CheckDetector("witness", self.witness.name not in used, self.witness.facts)


def panel_for(record: Record) -> Panel:
    """The detectors that check what a record led to."""
    used = {detector.name for detector in record.detection.detectors}
    lookout = next((name for name in _LOOKOUTS if name not in used), next(iter(_LOOKOUTS)))
    others = [name for name in _WITNESSES if name != lookout]
    witness = next((name for name in others if name not in used), others[0])
    return Panel(plan(lookout, _LOOKOUTS[lookout]), plan(witness, _WITNESSES[witness]))
