"""Which detectors check an output: such as the detection did not use come first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from engine.assurance.leak_check.report import CheckDetector
from engine.detectors.ensemble import Crew
from engine.detectors.registry import DetectorPlan, plan
from engine.record import Record

_PARAMETERS: Mapping[str, Mapping[str, object]] = {
    "centerface": {"size": 640, "enlargement": 1.0, "threshold": 0.3},
    "mtcnn": {},
    "yolov8-face": {"size": 320},
}
"""Detectors that can check, with their parameters. MediaPipe is not among them: it takes masks for faces."""
_LOOKOUTS = ("centerface", "mtcnn")

Hire = Callable[[Sequence[DetectorPlan], Path, int], AbstractContextManager[Crew]]
"""Starts detectors: plans, folder of the models, processes for each."""


@dataclass(frozen=True, slots=True)
class Panel:
    """The detectors of a check.

    Attributes:
        lookouts: look at frames and parts of frames.
        witness: looks where a lookout found something; it is started only then.
        hire: starts them.
    """

    lookouts: tuple[DetectorPlan, ...]
    witness: DetectorPlan
    hire: Hire = Crew

    def facts(self, record: Record) -> Iterator[CheckDetector]:
        """What a report says of them."""
        used = {detector.name for detector in record.detection.detectors}
        for one in self.lookouts:
            yield CheckDetector("lookout", one.name not in used, one.facts)
        yield CheckDetector("witness", self.witness.name not in used, self.witness.facts)


def panel_for(record: Record) -> Panel:
    """The detectors that check what a record led to.

    CenterFace looks at every output, and YOLOv8-face is asked about finds: of the fast detectors they see most. Where
    the detection used either, MTCNN looks too if it did not.
    """
    used = {detector.name for detector in record.detection.detectors}
    needed = used & {"centerface", "yolov8-face"} and "mtcnn" not in used
    names = _LOOKOUTS if needed else _LOOKOUTS[:1]
    return Panel(
        tuple(plan(name, _PARAMETERS[name]) for name in names), plan("yolov8-face", _PARAMETERS["yolov8-face"])
    )
