"""What a run will take, before it is begun: models, time, and for a service calls and money."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine import runs
from engine.core.geometry import Size
from engine.detection.cost import CostEstimate, check_cost_limit, estimate_cost
from engine.detection.options import plan_detectors
from engine.detection.results import RunFacts
from engine.detectors.registry import DetectorPlan, select_remote
from engine.detectors.table import DETECTORS
from engine.errors import RecordError
from engine.media.facts import MediaInfo
from engine.record import DetectOptions, read_document
from engine.runs import Run
from engine.storage.data_folder import DataFolder

_FULL_HD_PIXELS = 1920 * 1080
_DETECTOR_START_S = 5.0
"""Seconds until the detectors are loaded."""
_MAX_PAST_RUNS = 40
"""Newest runs that are looked at for their speed."""
_MAX_PIXEL_RATIO = 4.0
"""Frames with up to so many times the pixels, or so many times less, tell how long others take."""


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """What is to be expected.

    Attributes:
        seconds: that the local detectors will take, None when none of them runs.
        measured: `seconds` comes from earlier runs on this machine, not from a table.
        remote_notice: what leaves the machine and what it costs, in sentences; None when nothing does.
        remote_cost: the same in figures.
    """

    seconds: float | None
    measured: bool
    remote_notice: str | None
    remote_cost: CostEstimate | None


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that tells how long others take: its options, the size of its frames, seconds a frame once it had begun."""

    options: DetectOptions
    display_size: Size
    frame_s: float


def load_past_runs(data: DataFolder) -> tuple[PastRun, ...]:
    """The newest runs that tell how long others take."""
    done = [run for run in runs.read_register(data).runs if run.status == "done"]
    return tuple(told for run in done[:_MAX_PAST_RUNS] if (told := _load_past_run(run)) is not None)


def estimate_run(past_runs: Sequence[PastRun], info: MediaInfo, options: DetectOptions) -> RunEstimate:
    """What detecting a source will take.

    Args:
        past_runs: the runs to go by, as `past` tells them.
        info: what is in the source.
        options: the options.

    Raises:
        InputError: the options are not those of a detection, or it would cost more than they allow.
    """
    chosen = plan_detectors(options)
    frames, display = info.video.packets, info.video.display
    known = _estimate_from_past_runs(past_runs, display, options)
    pace = known if known is not None else _estimate_from_table(chosen, display)
    seconds = None if pace is None else _DETECTOR_START_S + pace * frames
    cost = estimate_cost(chosen, frames)
    if cost is None:
        return RunEstimate(seconds, known is not None, None, None)
    check_cost_limit(cost, options.max_cost)
    return RunEstimate(seconds, known is not None, _describe_transfer(cost, chosen), cost)


def find_missing_models(data: DataFolder, options: DetectOptions) -> tuple[str, ...]:
    """The files of weights that a detection would need and that are not there.

    Raises:
        InputError: the options are not those of a detection.
    """
    needed = (model.name for plan in plan_detectors(options) for model in plan.facts.models)
    return tuple(name for name in needed if not (data.models / name).exists())


def _load_past_run(run: Run) -> PastRun | None:
    try:
        facts = read_document(run.folder.facts, RunFacts, "facts of a run")
    except RecordError:
        # An estimate can do without one run; whoever opens it is told what is wrong with it.
        return None
    display = run.state.display
    if display is None or facts.resumed_frames or facts.frames < 1:
        return None
    return PastRun(run.request.detection, display, max(0.0, facts.seconds - _DETECTOR_START_S) / facts.frames)


def _estimate_from_past_runs(past_runs: Iterable[PastRun], display: Size, options: DetectOptions) -> float | None:
    """Seconds a frame by earlier runs with the same options and frames of about that size."""
    here = _count_pixels(display)
    paces = [
        one.frame_s * here / _count_pixels(one.display_size)
        for one in past_runs
        if _has_same_detectors(one.options, options)
        and 1 / _MAX_PIXEL_RATIO <= here / _count_pixels(one.display_size) <= _MAX_PIXEL_RATIO
    ]
    return statistics.median(paces) if paces else None


def _estimate_from_table(detector_plans: Iterable[DetectorPlan], display: Size) -> float | None:
    """Seconds a frame by the table; detectors share the cores."""
    costs = [cost for plan in detector_plans if (cost := DETECTORS[plan.name].frame_cost_s) is not None]
    if not costs:
        return None
    return max(*costs, sum(costs) / (os.cpu_count() or 1)) * _count_pixels(display) / _FULL_HD_PIXELS


def _count_pixels(display: Size) -> int:
    return display.width * display.height


def _has_same_detectors(one: DetectOptions, other: DetectOptions) -> bool:
    return (one.mode, one.detectors, one.parameters) == (other.mode, other.detectors, other.parameters)


def _describe_transfer(cost: CostEstimate, plans: Iterable[DetectorPlan]) -> str:
    longest = max(plan.longest_side or 0 for plan, _ in select_remote(plans))
    return (
        f"{cost.describe()}. They go whole, with the faces in them, at most {longest} pixels long; "
        "no sound, no name, no metadata goes."
    )
