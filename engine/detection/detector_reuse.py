"""Keeps the detectors running from one detection to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.detectors.ensemble import DetectorEnsemble
from engine.detectors.registry import DetectorPlan, select_remote


class DetectorReuse:
    """Lends running detectors to one detection after another.

    Loading the models takes seconds, which is longer than a short clip takes. Only the detectors that were used last
    are kept, so that memory stays flat however many sets of options there are. Use as a context manager.

    Args:
        models: folder of the weights.
    """

    def __init__(self, models: Path) -> None:
        self._models = models
        self._stack = ExitStack()
        self._running: tuple[object, DetectorEnsemble] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @contextmanager
    def borrow(self, plans: Sequence[DetectorPlan], workers: int) -> Iterator[DetectorEnsemble | None]:
        """Yield running detectors, or None if the detection has to start its own because one is remote.

        Args:
            plans: the detectors.
            workers: worker processes for each.

        Raises:
            ModelError: weights are missing or not the pinned ones.
        """
        # A remote detector costs nothing to start, and its limit on calls is another one for each file.
        if any(select_remote(plans)):
            self._stop()
            yield None
            return
        key = (tuple(plans), workers)
        if self._running is None or self._running[0] != key:
            self._stop()
            self._running = key, self._stack.enter_context(DetectorEnsemble(plans, self._models, workers))
        try:
            yield self._running[1]
        except BaseException:
            # Batches of the failed file may still be under way, and would answer for the next one.
            self._stop()
            raise

    def _stop(self) -> None:
        self._running = None
        self._stack.close()
