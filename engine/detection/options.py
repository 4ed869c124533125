"""What a detection is asked to do, and the detectors that follow from it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from engine.detectors.ensemble import DetectorEnsemble
from engine.detectors.modes import Mode, find_mode
from engine.detectors.registry import DetectorPlan, plan_detector, select_remote
from engine.errors import InputError
from engine.record import DetectOptions
from engine.storage.data_folder import DataFolder


def detector_ensemble(options: DetectOptions, data: DataFolder) -> DetectorEnsemble:
    """The detectors that `options` name, ready to be started as a context."""
    chosen = plan_detectors(options)
    return DetectorEnsemble(chosen, data.models, count_workers(options, chosen))


def count_workers(options: DetectOptions, chosen: Sequence[DetectorPlan]) -> int:
    """Worker processes for each of the chosen detectors."""
    return options.workers or max(1, (os.cpu_count() or 1) // len(chosen))


def plan_detectors(options: DetectOptions) -> list[DetectorPlan]:
    """The detectors that `options` name.

    Raises:
        InputError: one is unknown or named twice, or parameters do not fit.
    """
    mode = find_mode(options.mode)
    names = options.detectors or _mode_detectors(mode, options)
    if len(set(names)) != len(names):
        raise InputError(f"A detector is named twice in {', '.join(names)}; name each once.")
    for stranger in set(options.parameters) - set(names):
        raise InputError(f"Parameters are given for {stranger}, which does not run; the run has {', '.join(names)}.")
    chosen = {name: {**mode.parameters.get(name, {}), **options.parameters.get(name, {})} for name in names}
    return _apply_remote_parameters(
        [plan_detector(name, parameters) for name, parameters in chosen.items()], chosen, options
    )


def _mode_detectors(mode: Mode, options: DetectOptions) -> tuple[str, ...]:
    """Its detectors, and its witnesses if a service is to be asked about contested frames only."""
    policies = [options.asking.get("policy"), *(values.get("policy") for values in options.parameters.values())]
    return (*mode.local_detectors, *mode.detectors) if "contested" in policies else mode.detectors


def _apply_remote_parameters(
    plans: list[DetectorPlan], chosen: Mapping[str, Mapping[str, object]], options: DetectOptions
) -> list[DetectorPlan]:
    """The plans with what is meant for all detectors that ask a service."""
    services = {detector.name for detector, _ in select_remote(plans)}
    if not services and (options.asking or options.max_cost is not None):
        said = ", ".join([*options.asking, *(["max_cost"] if options.max_cost is not None else [])])
        raise InputError(f"{said} is said of a service that is asked, and none is: choose --mode cloud.")
    common: dict[str, object] = {"workers": options.workers} if options.workers else {}
    return [
        plan_detector(one.name, {**common, **options.asking, **chosen[one.name]}) if one.name in services else one
        for one in plans
    ]
