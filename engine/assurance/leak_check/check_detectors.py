"""Choose the detectors of a leak check: first those that the detection did not use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from engine.assurance.leak_check.report import CheckDetectorFacts
from engine.detectors.ensemble import DetectorEnsemble
from engine.detectors.registry import DetectorPlan, plan_detector
from engine.record import Record

_DETECTOR_PARAMETERS: Mapping[str, Mapping[str, object]] = {
    "centerface": {"size": 640, "enlargement": 1.0, "threshold": 0.3},
    "mtcnn": {},
    "yolov8-face": {"size": 320},
}
"""Detectors that can check, with their parameters. MediaPipe is left out because it takes masks for faces. YOLOv8-face
sees only regions, which are 256 px at most, so it needs no larger input."""
_SCAN_DETECTORS = ("centerface", "mtcnn")

StartDetectors = Callable[[Sequence[DetectorPlan], Path, int], AbstractContextManager[DetectorEnsemble]]
"""Starts detectors from their plans, the folder of the models, and the number of processes for each."""


@dataclass(frozen=True, slots=True)
class CheckDetectors:
    """The detectors of a check.

    Attributes:
        scan_plans: The detectors that look at frames and regions.
        confirmation_plan: The second detector. It looks only where a scan detector found something, and is started
            only then.
        start_detectors: Starts the detectors.
    """

    scan_plans: tuple[DetectorPlan, ...]
    confirmation_plan: DetectorPlan
    start_detectors: StartDetectors = DetectorEnsemble

    def list_facts(self, record: Record) -> Iterator[CheckDetectorFacts]:
        """Describe the detectors for the report of a check of this record."""
        used = {detector.name for detector in record.detection.detectors}
        for plan in self.scan_plans:
            yield CheckDetectorFacts("lookout", plan.name not in used, plan.facts)
        yield CheckDetectorFacts("witness", self.confirmation_plan.name not in used, self.confirmation_plan.facts)


def choose_check_detectors(record: Record) -> CheckDetectors:
    """Choose the detectors for the outputs of a record.

    CenterFace scans and YOLOv8-face confirms, because they find most of the fast detectors. If the detection used one
    of them, MTCNN scans too, unless the detection used MTCNN as well.
    """
    used = {detector.name for detector in record.detection.detectors}
    # A detector that the detection used misses the same faces again and adds nothing new. MTCNN is then the only scan
    # detector left that can find what was missed.
    needed = used & {"centerface", "yolov8-face"} and "mtcnn" not in used
    names = _SCAN_DETECTORS if needed else _SCAN_DETECTORS[:1]
    return CheckDetectors(
        tuple(plan_detector(name, _DETECTOR_PARAMETERS[name]) for name in names),
        plan_detector("yolov8-face", _DETECTOR_PARAMETERS["yolov8-face"]),
    )
