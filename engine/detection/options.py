"""From the options of a detection to the plans of its detectors."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import msgspec

from engine.detectors.base import can_look_at_parts, is_remote
from engine.detectors.ensemble import DetectorEnsemble
from engine.detectors.modes import Mode, find_mode
from engine.detectors.registry import DetectorPlan, import_detector_class, plan_detector, select_remote
from engine.errors import InputError
from engine.media.facts import MediaInfo
from engine.record import DetectOptions, ScheduleSettings
from engine.storage.data_folder import DataFolder


def detector_ensemble(options: DetectOptions, data: DataFolder) -> DetectorEnsemble:
    """Create the ensemble of a detection; entering it as a context starts the detectors."""
    chosen = plan_detectors(options)
    return DetectorEnsemble(chosen, data.models, count_workers(options, chosen))


def adapt_to_source(options: DetectOptions, info: MediaInfo) -> DetectOptions:
    """Return the options with the mode's parameters for a single picture, if the source is one.

    Parameters that the options set stay as they are, so adapting twice changes nothing.
    """
    return adapt_to_single_picture(options) if info.video.packets == 1 else options


def adapt_to_single_picture(options: DetectOptions) -> DetectOptions:
    """Return the options with the mode's parameters for a single picture."""
    own = find_mode(options.mode).single_picture
    names = [plan.name for plan in plan_detectors(options) if plan.name in own]
    adapted = {name: {**own[name], **options.parameters.get(name, {})} for name in names}
    return msgspec.structs.replace(options, parameters={**options.parameters, **adapted}) if adapted else options


def count_workers(options: DetectOptions, chosen: Sequence[DetectorPlan]) -> int:
    """Return the number of worker processes for each of the chosen detectors."""
    # Detectors run side by side, and each worker computes with one thread, so the cores are shared out.
    return options.workers or max(1, (os.cpu_count() or 1) // len(chosen))


def find_schedule(options: DetectOptions) -> ScheduleSettings | None:
    """Return when the detectors of a detection look. None: at every frame.

    A mode has a schedule that its detectors were measured with. Detectors that are named look at every frame, so that
    they can be compared, unless a schedule is given.
    """
    schedule = options.schedule
    if schedule is None and options.detectors is None:
        schedule = find_mode(options.mode).schedule
    return schedule if schedule is not None and schedule.interval_s > 0 else None


def plan_detectors(options: DetectOptions) -> list[DetectorPlan]:
    """Plan the detectors of a detection.

    Raises:
        InputError: a mode, detector or parameter is unknown, a detector is named twice, or a value is out of range.
    """
    mode = find_mode(options.mode)
    names = options.detectors or _mode_detectors(mode, options)
    if len(set(names)) != len(names):
        raise InputError(f"A detector is named twice in {', '.join(names)}; name each once.")
    for name in set(options.parameters) - set(names):
        raise InputError(f"Parameters are given for {name}, which does not run; the run has {', '.join(names)}.")
    chosen = {name: {**mode.parameters.get(name, {}), **options.parameters.get(name, {})} for name in names}
    schedule = find_schedule(options)
    if schedule and schedule.part and (whole := [name for name in names if not _can_look_at_parts(name)]):
        raise InputError(f"{', '.join(whole)} cannot look at a part of a picture: set schedule.part=0.")
    return _apply_remote_parameters(
        [plan_detector(name, parameters) for name, parameters in chosen.items()], chosen, options
    )


def _can_look_at_parts(name: str) -> bool:
    detector = import_detector_class(name)
    # A service is given whole frames, which the schedule does not choose.
    return is_remote(detector) or can_look_at_parts(detector)


def _mode_detectors(mode: Mode, options: DetectOptions) -> tuple[str, ...]:
    """Return the detectors of a mode, with its local detectors if a policy sends uncertain frames only."""
    # Uncertain frames are those in which local detectors disagree, so the policy needs some even in the cloud mode.
    policies = [options.asking.get("policy"), *(values.get("policy") for values in options.parameters.values())]
    return (*mode.local_detectors, *mode.detectors) if "contested" in policies else mode.detectors


def _apply_remote_parameters(
    plans: list[DetectorPlan], chosen: Mapping[str, Mapping[str, object]], options: DetectOptions
) -> list[DetectorPlan]:
    """Plan the remote detectors again, with the parameters that are meant for all of them."""
    remote = {plan.name for plan, _ in select_remote(plans)}
    if not remote and (options.asking or options.max_cost is not None):
        names = ", ".join([*options.asking, *(["max_cost"] if options.max_cost is not None else [])])
        raise InputError(f"The run has no remote detector, so it cannot use {names}: choose --mode cloud.")
    common: dict[str, object] = {"workers": options.workers} if options.workers else {}
    return [
        # The parameters of one detector come last: they take precedence over those of all remote detectors.
        plan_detector(plan.name, {**common, **options.asking, **chosen[plan.name]}) if plan.name in remote else plan
        for plan in plans
    ]
