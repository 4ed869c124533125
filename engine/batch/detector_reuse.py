"""Keeps the detectors running from one file of a batch to the next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from engine.detection.options import detector_ensemble, plan_detectors
from engine.detectors.ensemble import DetectorEnsemble
from engine.detectors.registry import select_remote
from engine.record import DetectOptions
from engine.storage.data_folder import DataFolder


class DetectorReuse:
    """Lends running detectors to one detection after another.

    Loading the models takes seconds, which is longer than a short clip takes. Only the detectors that were used last
    are kept, so that memory stays flat however many sets of options a batch has. Use as a context manager.
    """

    def __init__(self, data: DataFolder) -> None:
        self._data = data
        self._stack = ExitStack()
        self._running: tuple[object, DetectorEnsemble] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @contextmanager
    def borrow(self, options: DetectOptions) -> Iterator[DetectorEnsemble | None]:
        """Yield running detectors for these options, or None if the detection has to start its own.

        Raises:
            InputError: an option is unknown.
            ModelError: weights are missing or not the pinned ones.
        """
        plans = plan_detectors(options)
        # A remote detector costs nothing to start, and its limit on calls is another one for each file.
        if any(select_remote(plans)):
            self._stop()
            yield None
            return
        key = (plans, options.workers)
        if self._running is None or self._running[0] != key:
            self._stop()
            self._running = key, self._stack.enter_context(detector_ensemble(options, self._data))
        try:
            yield self._running[1]
        except BaseException:
            # Batches of the failed file may still be under way, and would answer for the next one.
            self._stop()
            raise

    def _stop(self) -> None:
        self._running = None
        self._stack.close()
