"""Estimate of what a run will take before it starts: missing models, time, and the frames sent to remote detectors."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.core.geometry import Size
from engine.detection.cost import CostEstimate, check_cost_limit, estimate_cost
from engine.detection.options import find_schedule, plan_detectors
from engine.detection.results import RunFacts
from engine.detectors.registry import DetectorPlan, select_remote
from engine.detectors.table import DETECTORS
from engine.errors import RecordError
from engine.media.facts import MediaInfo
from engine.record import DetectOptions, read_document
from engine.runs import Run, RunRegister
from engine.storage.data_folder import DataFolder

_FULL_HD_PIXELS = 1920 * 1080
_READ_FRAME_S = 0.02
"""Seconds to decode a frame of 1920x1080, and to carry the faces into it."""
_EXTRA_LOOK_SHARE = 0.15
"""Share of the frames that are looked at because something appears in them: 0.02 to 0.23 where people talk."""
_DETECTOR_START_S = 5.0
"""Seconds until the detectors are loaded; the same for short and long videos, so it is kept out of the rate."""
_MAX_PAST_RUNS = 40
"""Number of the newest finished runs whose speed is read; older ones may be from another machine or version."""
_MAX_PIXEL_RATIO = 4.0
"""Greatest ratio of pixels between two videos for the time of one to be scaled to the other. Beyond it, time is
no longer proportional to pixels: detectors scale their input to a fixed size."""


@dataclass(frozen=True, slots=True)
class RemoteTransfer:
    """Frames that a run sends to remote detectors.

    Attributes:
        cost: number of frames and their price.
        longest_side_px: longest side of the pictures that are sent.
    """

    cost: CostEstimate
    longest_side_px: int

    def describe(self) -> str:
        """Return sentences that say what leaves the machine and what it costs."""
        return (
            f"{self.cost.describe()}. Frames are sent whole, with the faces in them, at most {self.longest_side_px} "
            "pixels long; no sound, no name and no metadata is sent."
        )


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """Expected time and cost of a run.

    Attributes:
        seconds: time that the local detectors will take; None if there are none.
        measured: `seconds` comes from earlier runs on this machine, not from the table of detectors.
        transfer: what is sent to remote detectors; None if nothing leaves the machine.
        slowdown: how many times as long as on an idle machine that is, because of what else runs now; 1.0 if nothing.
    """

    seconds: float | None
    measured: bool
    transfer: RemoteTransfer | None
    slowdown: float = 1.0


@dataclass(frozen=True, slots=True)
class PastRun:
    """A finished run by which others are estimated: its options, frame size, and seconds a frame without the start."""

    options: DetectOptions
    display_size: Size
    frame_s: float


def load_past_runs(register: RunRegister) -> tuple[PastRun, ...]:
    """Load the newest finished runs by which others can be estimated."""
    done = [run for run in register.runs if run.status == "done"]
    return tuple(past for run in done[:_MAX_PAST_RUNS] if (past := _load_past_run(run)) is not None)


def measure_slowdown(*, is_detecting: bool) -> float:
    """Measure how many times as long a detection takes now as on an idle machine, because of what else runs.

    Args:
        is_detecting: whether a run is active now. It will have ended when the next one begins, so it does not count.
    """
    cores = os.cpu_count() or 1
    others = max(0.0, os.getloadavg()[0] - (cores if is_detecting else 0))
    return 1.0 + others / cores


def estimate_run(
    past_runs: Sequence[PastRun], info: MediaInfo, options: DetectOptions, slowdown: float = 1.0
) -> RunEstimate:
    """Estimate what the detection of a source will take.

    Args:
        past_runs: finished runs, from `load_past_runs`.
        info: facts of the source.
        options: options of the detection.
        slowdown: how many times as long everything takes, from `measure_slowdown`.

    Raises:
        InputError: the options are wrong, or the run would cost more than they allow.
    """
    plans = plan_detectors(options)
    frames, display = info.video.packets, info.video.display
    measured_s = _estimate_from_past_runs(past_runs, display, options)
    frame_s = measured_s if measured_s is not None else _estimate_from_table(plans, info, options)
    seconds = None if frame_s is None else slowdown * (_DETECTOR_START_S + frame_s * frames)
    cost = estimate_cost(plans, frames)
    if cost is None:
        return RunEstimate(seconds, measured_s is not None, None, slowdown)
    check_cost_limit(cost, options.max_cost)
    longest_side_px = max(plan.longest_side or 0 for plan, _ in select_remote(plans))
    return RunEstimate(seconds, measured_s is not None, RemoteTransfer(cost, longest_side_px), slowdown)


def find_missing_models(data: DataFolder, options: DetectOptions) -> tuple[str, ...]:
    """Return the names of the model files that a detection needs and that are missing.

    Raises:
        InputError: the options are wrong.
    """
    needed = (model.name for plan in plan_detectors(options) for model in plan.facts.models)
    return tuple(name for name in needed if not (data.models / name).exists())


def _load_past_run(run: Run) -> PastRun | None:
    try:
        facts = read_document(run.folder.facts, RunFacts, "facts of a run")
    except RecordError:
        # An estimate can do without one run; the pages that open the run report what is wrong with it.
        return None
    display = run.state.display
    # A resumed run detected only part of its frames, so its time divided by its frames says nothing.
    if display is None or facts.resumed_frames or facts.frames < 1:
        return None
    return PastRun(run.request.detection, display, max(0.0, facts.seconds - _DETECTOR_START_S) / facts.frames)


def _estimate_from_past_runs(past_runs: Iterable[PastRun], display: Size, options: DetectOptions) -> float | None:
    """Estimate the seconds a frame by earlier runs with the same detectors and a similar frame size.

    Return None if there is no such run.
    """
    pixels = _count_pixels(display)
    # The median: a run beside other work may have taken several times as long.
    frame_times_s = [
        past.frame_s * pixels / _count_pixels(past.display_size)
        for past in past_runs
        if _has_same_detectors(past.options, options)
        and 1 / _MAX_PIXEL_RATIO <= pixels / _count_pixels(past.display_size) <= _MAX_PIXEL_RATIO
    ]
    return statistics.median(frame_times_s) if frame_times_s else None


def _estimate_from_table(
    detector_plans: Iterable[DetectorPlan], info: MediaInfo, options: DetectOptions
) -> float | None:
    """Estimate the seconds a frame by the table of detectors; None if all detectors are remote."""
    # A frame takes as long as its slowest detector, or as all of them together on the cores, whichever is longer.
    costs = [cost for plan in detector_plans if (cost := DETECTORS[plan.name].frame_cost_s) is not None]
    if not costs:
        return None
    looked = max(*costs, sum(costs) / (os.cpu_count() or 1)) * _expect_look_share(info, options)
    return (looked + _READ_FRAME_S) * _count_pixels(info.video.display) / _FULL_HD_PIXELS


def _expect_look_share(info: MediaInfo, options: DetectOptions) -> float:
    """Return the share of the frames that detectors probably look at."""
    schedule = find_schedule(options)
    if schedule is None:
        return 1.0
    return min(1.0, info.video.expected_frame_s / schedule.interval_s + (_EXTRA_LOOK_SHARE if schedule.change else 0.0))


def _count_pixels(display: Size) -> int:
    return display.width * display.height


def _has_same_detectors(options: DetectOptions, other: DetectOptions) -> bool:
    return (options.mode, options.detectors, options.parameters) == (other.mode, other.detectors, other.parameters)
