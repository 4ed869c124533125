"""Several detectors side by side, each in worker processes of its own, fed the same frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.core.picture import Rgb
from engine.detectors.base import RemoteSettings
from engine.detectors.pool import DetectorPool, Finished, Looks
from engine.detectors.registry import DetectorPlan, detector_class

_AHEAD = 8
"""Pictures beyond the calls under way that wait for a detector that asks a service."""


Answers = Mapping[str, Looks]
"""By detector."""


class Crew:
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
        self._answers: dict[int, dict[str, Looks]] = {}
        self._next = 0
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for plan in self._plans:
                self._pools.append(stack.enter_context(self._pool(plan)))
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def sides(self) -> frozenset[int | None]:
        """The longest sides, in pixels, that the detectors want pictures of; None for full size."""
        return frozenset(plan.longest_side for plan in self._plans)

    def start_at(self, ticket: int) -> None:
        """Expect `ticket` as the first chunk."""
        self._next = ticket

    def submit(
        self,
        ticket: int,
        pictures: Mapping[int | None, Sequence[Rgb]],
        label: str,
        asked: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        """Give every detector a chunk; waits while a detector has no room.

        Args:
            ticket: its number; chunks come back in the order of their numbers.
            pictures: by longest side, the pictures of that size.
            label: what to call them in an error, as "frames 8 to 11".
            asked: by detector, places of the pictures it is to look at; one that is left out looks at all.
        """
        self._answers[ticket] = {}
        for plan, pool in zip(self._plans, self._pools, strict=True):
            chunk = pictures.get(plan.longest_side, ())
            wanted = chunk if asked is None or plan.name not in asked else [chunk[place] for place in asked[plan.name]]
            if wanted:
                pool.submit(ticket, wanted, label)
            else:
                self._answers[ticket][plan.name] = Looks(())

    def finished(self) -> Iterator[tuple[int, Answers]]:
        """The chunks that every detector has answered by now, in order."""
        for plan, pool in zip(self._plans, self._pools, strict=True):
            self._collect(plan.name, pool.take())
        yield from self._in_order()

    def rest(self) -> Iterator[tuple[int, Answers]]:
        """Wait for every chunk that was submitted, in order."""
        for plan, pool in zip(self._plans, self._pools, strict=True):
            self._collect(plan.name, pool.drain())
        yield from self._in_order()

    def _pool(self, plan: DetectorPlan) -> DetectorPool:
        """Processes for a detector that computes; one process with many calls under way for one that asks a service."""
        detector, settings = detector_class(plan.name), plan.settings
        if not isinstance(settings, RemoteSettings):
            return DetectorPool(detector, settings, self._models, workers=self._workers)
        room = settings.workers + _AHEAD
        return DetectorPool(detector, settings, self._models, tasks=room, pictures=room)

    def _collect(self, detector: str, answers: Iterable[Finished]) -> None:
        for ticket, looks in answers:
            self._answers[ticket][detector] = looks

    def _in_order(self) -> Iterator[tuple[int, Answers]]:
        while len(self._answers.get(self._next, ())) == len(self._plans):
            yield self._next, self._answers.pop(self._next)
            self._next += 1
