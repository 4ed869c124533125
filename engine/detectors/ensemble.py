"""Several detectors side by side, each in worker processes of its own, fed the same frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.core.picture import Rgb
from engine.detectors.base import RemoteDetectorSettings
from engine.detectors.pool import DetectionBatch, DetectorPool, FinishedTask
from engine.detectors.registry import DetectorPlan, import_detector_class

_WAITING_PICTURES = 8
"""Pictures beyond the calls under way that wait for a detector that asks a service."""


BatchesByDetector = Mapping[str, DetectionBatch]
"""By detector."""


class DetectorEnsemble:
    """Runs chunks of pictures through every detector and hands the answers back in the order of the chunks.

    Use as a context manager, from one thread.

    Args:
        plans: the detectors.
        models: folder of verified weights.
        workers: worker processes for each detector.

    Raises:
        DetectorError: a worker died, hung or failed.
        ModelError: weights are missing or not the pinned ones.
    """

    def __init__(self, plans: Sequence[DetectorPlan], models: Path, workers: int) -> None:
        self._plans, self._models, self._workers = plans, models, workers
        self._pools: list[DetectorPool] = []
        self._answers: dict[int, dict[str, DetectionBatch]] = {}
        self._next_ticket = 0
        self._open_pools = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for plan in self._plans:
                self._pools.append(stack.enter_context(self._create_pool(plan)))
            self._open_pools = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open_pools.close()

    @property
    def input_sides(self) -> frozenset[int | None]:
        """The longest sides, in pixels, that the detectors want pictures of; None for full size."""
        return frozenset(plan.longest_side for plan in self._plans)

    def set_first_ticket(self, ticket: int) -> None:
        """Expect `ticket` as the first chunk."""
        self._next_ticket = ticket

    def submit(
        self,
        ticket: int,
        pictures: Mapping[int | None, Sequence[Rgb]],
        label: str,
        positions: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        """Give every detector a chunk; waits while a detector has no room.

        Args:
            ticket: its number; chunks come back in the order of their numbers.
            pictures: by longest side, the pictures of that size.
            label: what to call them in an error, as "frames 8 to 11".
            positions: by detector, places of the pictures it is to look at; one that is left out looks at all.
        """
        self._answers[ticket] = {}
        for plan, pool in zip(self._plans, self._pools, strict=True):
            chunk = pictures.get(plan.longest_side, ())
            wanted = (
                chunk
                if positions is None or plan.name not in positions
                else [chunk[place] for place in positions[plan.name]]
            )
            if wanted:
                pool.submit(ticket, wanted, label)
            else:
                self._answers[ticket][plan.name] = DetectionBatch(())

    def take_finished(self) -> Iterator[tuple[int, BatchesByDetector]]:
        """The chunks that every detector has answered by now, in order."""
        for plan, pool in zip(self._plans, self._pools, strict=True):
            self._collect_answers(plan.name, pool.take_finished())
        yield from self._take_in_order()

    def drain(self) -> Iterator[tuple[int, BatchesByDetector]]:
        """Wait for every chunk that was submitted, in order."""
        for plan, pool in zip(self._plans, self._pools, strict=True):
            self._collect_answers(plan.name, pool.drain())
        yield from self._take_in_order()

    def _create_pool(self, plan: DetectorPlan) -> DetectorPool:
        """Processes for a detector that computes; one process with many calls under way for one that asks a service."""
        detector, settings = import_detector_class(plan.name), plan.settings
        if not isinstance(settings, RemoteDetectorSettings):
            return DetectorPool(detector, settings, self._models, workers=self._workers)
        room = settings.workers + _WAITING_PICTURES
        return DetectorPool(detector, settings, self._models, tasks_per_worker=room, max_pictures=room)

    def _collect_answers(self, detector: str, answers: Iterable[FinishedTask]) -> None:
        for ticket, looks in answers:
            self._answers[ticket][detector] = looks

    def _take_in_order(self) -> Iterator[tuple[int, BatchesByDetector]]:
        while len(self._answers.get(self._next_ticket, ())) == len(self._plans):
            yield self._next_ticket, self._answers.pop(self._next_ticket)
            self._next_ticket += 1
