"""A detector in a process of its own: the frameworks that detectors use crash when they share one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from engine.detectors import registry
from engine.detectors.base import Detector

T = TypeVar("T")
PATIENCE = 300
_loaded: list[Detector] = []


class Remote:
    """Runs functions on a detector that was loaded in a spawned process."""

    def __init__(self, name: str, models: Path, overrides: Mapping[str, Any] | None = None) -> None:
        self.name, self.detectors = name, (name,)
        context = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(
            1, mp_context=context, initializer=_load, initargs=(name, models, overrides)
        )

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """What `function(detector, *arguments)` returns there; `function` is named at the head of a module."""
        return self._executor.submit(_call, function, arguments).result(PATIENCE)

    def close(self) -> None:
        self._executor.shutdown()


def _load(name: str, models: Path, overrides: Mapping[str, Any] | None) -> None:
    plan = registry.plan_detector(name, overrides)
    _loaded.append(registry.import_detector_class(name).load(plan.settings, models))


def _call(function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
    return function(_loaded[0], *arguments)
