"""Choose the detectors of a leak check: first those that the detection did not use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from engine.assurance.leak_check.report import CheckDetectorFacts
from engine.detectors.ensemble import DetectorEnsemble
from engine.detectors.registry import DetectorPlan, plan_detector
from engine.detectors.table import DETECTORS, CheckRole
from engine.record import Record

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
    """Choose the detectors that check an output of a record, by the roles in `engine.detectors.table`.

    If the detection used one of the usual check detectors, a substitute that it did not use scans as well: what a
    detector missed once, it will miss again.
    """
    used = {detector.name for detector in record.detection.detectors}
    scanning = _names_with_role("scan")
    (confirming, *_) = _names_with_role("confirm")
    if used & {*scanning, confirming}:
        # One is enough: a check of a whole video by each substitute would take longer than the detection did.
        scanning += [name for name in _names_with_role("substitute") if name not in used][:1]
    return CheckDetectors(tuple(_plan_check_detector(name) for name in scanning), _plan_check_detector(confirming))


def _names_with_role(role: CheckRole) -> list[str]:
    return [name for name, row in DETECTORS.items() if row.check_role == role]


def _plan_check_detector(name: str) -> DetectorPlan:
    return plan_detector(name, DETECTORS[name].check_parameters)
