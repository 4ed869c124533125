"""The ensemble: several detectors side by side, each in worker processes of its own, with the same frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors.base import RemoteDetectorSettings
from engine.detectors.pool import DetectionBatch, DetectorPool, FinishedTask
from engine.detectors.registry import DetectorPlan, import_detector_class

_WAITING_PICTURES = 8
"""Pictures that wait for a remote detector, beyond those of its calls under way."""


BatchesByDetector = Mapping[str, DetectionBatch]
"""The answers to one batch by detector name."""


class DetectorEnsemble:
    """Runs batches of pictures through every detector and returns the answers in the order of the batches.

    Use as a context manager, from one thread.

    Args:
        plans: the detectors.
        models: folder of the weights.
        workers: worker processes for each local detector.

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
        # If one pool cannot be created, those before it are closed; only a complete set is kept open.
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
        """The longest sides in pixels of the pictures that the detectors take; None stands for full size."""
        return frozenset(plan.longest_side for plan in self._plans)

    def set_first_ticket(self, ticket: int) -> None:
        """Set the ticket of the first batch; it is not 0 if a run resumes."""
        self._next_ticket = ticket

    def submit(
        self,
        ticket: int,
        pictures: Mapping[int | None, Sequence[Rgb]],
        label: str,
        positions: Mapping[str, Sequence[int]] | None = None,
        *,
        whole: Mapping[int | None, Size] | None = None,
    ) -> None:
        """Submit a batch to every detector; wait while the queue of a detector is full.

        Args:
            ticket: number of the batch; answers come back in the order of these numbers.
            pictures: the pictures by longest side.
            label: name of the batch in an error, such as "frames 8 to 11".
            positions: by detector, positions of the pictures that it is given; a detector that is absent gets all.
            whole: by longest side, size of the pictures that these are parts of. None: they are whole.
        """
        self._answers[ticket] = {}
        for plan, pool in zip(self._plans, self._pools, strict=True):
            batch = pictures.get(plan.longest_side, ())
            selected = (
                batch
                if positions is None or plan.name not in positions
                else [batch[position] for position in positions[plan.name]]
            )
            if selected:
                pool.submit(ticket, selected, label, whole[plan.longest_side] if whole else None)
            else:
                # Answered at once, so that the batch does not wait for a detector that has nothing to do.
                self._answers[ticket][plan.name] = DetectionBatch(())

    def take_finished(self) -> Iterator[tuple[int, BatchesByDetector]]:
        """Yield the batches that every detector has answered by now, in order."""
        for plan, pool in zip(self._plans, self._pools, strict=True):
            self._collect_answers(plan.name, pool.take_finished())
        yield from self._take_in_order()

    def drain(self) -> Iterator[tuple[int, BatchesByDetector]]:
        """Wait for every submitted batch; yield them in order."""
        for plan, pool in zip(self._plans, self._pools, strict=True):
            self._collect_answers(plan.name, pool.drain())
        yield from self._take_in_order()

    def _create_pool(self, plan: DetectorPlan) -> DetectorPool:
        """Create worker processes for a local detector, or one process with many calls at once for a remote one."""
        detector, settings = import_detector_class(plan.name), plan.settings
        if not isinstance(settings, RemoteDetectorSettings):
            return DetectorPool(detector, settings, self._models, workers=self._workers)
        # One process is enough, because calls wait for the network, and all of them must share one rate limiter.
        room = settings.workers + _WAITING_PICTURES
        return DetectorPool(detector, settings, self._models, tasks_per_worker=room, max_pictures=room)

    def _collect_answers(self, detector: str, answers: Iterable[FinishedTask]) -> None:
        for ticket, batch in answers:
            self._answers[ticket][detector] = batch

    def _take_in_order(self) -> Iterator[tuple[int, BatchesByDetector]]:
        # Fast detectors run ahead of slow ones; a checkpoint needs complete batches in the order of the video.
        while len(self._answers.get(self._next_ticket, ())) == len(self._plans):
            yield self._next_ticket, self._answers.pop(self._next_ticket)
            self._next_ticket += 1
