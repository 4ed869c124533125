"""Which detectors check an output: such as the detection did not use come first."""

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
"""Detectors that can check, with their parameters. MediaPipe is not among them: it takes masks for faces."""
_SCAN_DETECTORS = ("centerface", "mtcnn")

StartDetectors = Callable[[Sequence[DetectorPlan], Path, int], AbstractContextManager[DetectorEnsemble]]
"""Starts detectors: plans, folder of the models, processes for each."""


@dataclass(frozen=True, slots=True)
class CheckDetectors:
    """The detectors of a check.

    Attributes:
        scan_plans: look at frames and parts of frames.
        confirmation_plan: looks where a lookout found something; it is started only then.
        start_detectors: starts them.
    """

    scan_plans: tuple[DetectorPlan, ...]
    confirmation_plan: DetectorPlan
    start_detectors: StartDetectors = DetectorEnsemble

    def list_facts(self, record: Record) -> Iterator[CheckDetectorFacts]:
        """What a report says of them."""
        used = {detector.name for detector in record.detection.detectors}
        for one in self.scan_plans:
            yield CheckDetectorFacts("lookout", one.name not in used, one.facts)
        yield CheckDetectorFacts("witness", self.confirmation_plan.name not in used, self.confirmation_plan.facts)


def choose_check_detectors(record: Record) -> CheckDetectors:
    """The detectors that check what a record led to.

    CenterFace looks at every output, and YOLOv8-face is asked about finds: of the fast detectors they see most. Where
    the detection used either, MTCNN looks too if it did not.
    """
    used = {detector.name for detector in record.detection.detectors}
    needed = used & {"centerface", "yolov8-face"} and "mtcnn" not in used
    names = _SCAN_DETECTORS if needed else _SCAN_DETECTORS[:1]
    return CheckDetectors(
        tuple(plan_detector(name, _DETECTOR_PARAMETERS[name]) for name in names),
        plan_detector("yolov8-face", _DETECTOR_PARAMETERS["yolov8-face"]),
    )
