"""What a worker of a cluster does: it detects one range of frames with detectors that it keeps loaded."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from platform import node

from distributed import get_worker

from engine.cluster.worker_environment import restore_memory_allocation
from engine.detection.detection_range import DetectionRange
from engine.detection.detector_reuse import DetectorReuse
from engine.detection.frame_detections import FrameDetections, encode_frames
from engine.detection.options import plan_detectors
from engine.detection.pass_spec import PassSpec
from engine.detection.range_detection import RangeDetection
from engine.detectors.registry import DetectorPlan
from engine.errors import DetectorError, InputError, SourceError, VeilError
from engine.record import DetectorFacts
from engine.storage.data_folder import find_data_folder
from engine.version import VERSION

_REPORT_INTERVAL_S = 1.0


class RangeAbandonedError(Exception):
    """Nobody waits for the range any more."""


@dataclass(frozen=True, slots=True)
class RangeTask:
    """One range of frames to detect.

    Attributes:
        spec: the pass.
        part: the range.
        known: detections of its overlap. Empty: they are detected, too.
        models: folder of the weights on the machine that asks; a machine without it uses its own data folder.
        topic: where progress is reported.
        version: version of Veil that asks.
    """

    spec: PassSpec
    part: DetectionRange
    known: Sequence[FrameDetections]
    models: Path
    topic: str
    version: str = VERSION


@dataclass(frozen=True, slots=True)
class RangeAnswer:
    """The detections of a range.

    Attributes:
        overlap: detections of its overlap, as `encode_frames` gives them; without frames if they were known.
        frames: detections of its frames.
        pictures: SHA-256 of the last frame of both, by index.
        worker: name of the machine.
    """

    overlap: bytes
    frames: bytes
    pictures: Mapping[int, str]
    worker: str


_kept = threading.local()
"""The detectors of each thread of this process, as an ensemble belongs to one thread. They end with the process."""


def detect_range(task: RangeTask) -> RangeAnswer | VeilError:
    """Detect a range; return an error that another attempt would meet again.

    Raises:
        DetectorError: a detector's process died, hung or failed. Dask then tries again.
        RangeAbandonedError: nobody waits for the range any more.
    """
    try:
        return _detect(task)
    except DetectorError:
        raise
    except VeilError as error:
        return error


def _detect(task: RangeTask) -> RangeAnswer:
    check_worker(task)
    work = RangeDetection(task.spec, task.part, task.known)
    reporter = _Reporter(task)
    overlap: list[FrameDetections] = []
    frames: list[FrameDetections] = []
    with _find_detectors(task.models).borrow(task.spec.plans, task.spec.options.workers or 1) as ensemble:
        assert ensemble is not None, "a pass with a remote detector runs on the machine that asks"
        for batch in work.run(ensemble):
            (frames if batch.first_index >= task.part.first else overlap).extend(batch.frames)
            reporter.report(len(frames))
    return RangeAnswer(encode_frames(overlap), encode_frames(frames), work.pictures, node())


def check_worker(task: RangeTask) -> None:
    """Check that this machine detects as the one that asks: the same version, libraries, models and parameters.

    The detectors themselves check the hash of each model file that they load.

    Raises:
        SourceError: the source is not on this machine.
        InputError: something is not the same.
    """
    if task.version != VERSION:
        raise InputError(f"The worker {node()} has Veil {VERSION} and not {task.version}: install the same version.")
    if not task.spec.source.exists():
        raise SourceError(
            f"The worker {node()} has no {task.spec.source}: put the footage in a folder that all machines share, "
            "under the same path."
        )
    own = {plan.name: plan for plan in plan_detectors(task.spec.options)}
    for plan in task.spec.plans:
        _check_facts(plan, own[plan.name])


def _check_facts(wanted: DetectorPlan, own: DetectorPlan) -> None:
    differences = _describe_differences(wanted.facts, own.facts)
    if differences:
        raise InputError(
            f"The worker {node()} would detect differently: {wanted.name} has there {', '.join(differences)}. Install "
            "the same packages, or set the parameter with --set."
        )


def _describe_differences(wanted: DetectorFacts, own: DetectorFacts) -> list[str]:
    models = ({model.name: model.sha256 for model in facts.models} for facts in (wanted, own))
    groups = [(wanted.version, own.version), (wanted.parameters, own.parameters), tuple(models)]
    return [
        f"{name} {there.get(name)} and not {here.get(name)}"
        for here, there in groups
        for name in sorted({*here, *there})
        if here.get(name) != there.get(name)
    ]


def _find_detectors(models: Path) -> DetectorReuse:
    # Detectors inherit the environment of this process.
    restore_memory_allocation()
    folder = models if models.is_dir() else find_data_folder().models
    if getattr(_kept, "folder", None) != folder:
        _kept.folder, _kept.detectors = folder, DetectorReuse(folder)
    detectors: DetectorReuse = _kept.detectors
    return detectors


class _Reporter:
    """Tells how many frames are done, and notices when nobody waits for them any more."""

    def __init__(self, task: RangeTask) -> None:
        self._topic, self._first = task.topic, task.part.first
        self._worker = get_worker()
        self._key = self._worker.get_current_task()
        self._reported_at = 0.0

    def report(self, done: int) -> None:
        now = time.monotonic()
        if now < self._reported_at + _REPORT_INTERVAL_S:
            return
        self._reported_at = now
        state = self._worker.state.tasks.get(self._key)
        # Dask cannot stop a function that runs; a range that a person has cancelled would block the next one.
        if state is None or state.state == "cancelled":
            raise RangeAbandonedError
        self._worker.log_event(self._topic, (self._first, done))
