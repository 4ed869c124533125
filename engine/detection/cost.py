"""Detectors that ask a service: what a run will cost, what it has cost, and what left the machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic

import msgspec

from engine.core.progress import Listener
from engine.detection.checkpoint import Seen
from engine.detection.frame_selection import how_many
from engine.detectors.base import Receipt, RemoteSettings
from engine.detectors.registry import DetectorPlan
from engine.errors import InputError
from engine.record import Count, Document, Sha256

_USUAL_RATE = 50.0
"""Calls a second that an account may make where Amazon has set no other quota, in its large regions."""
_USUAL_LATENCY = 0.25
"""Seconds that a call takes."""
_NEWS = 0.1
"""Share of the calls after which a person hears what was spent."""
_PEACE = 2.0
"""Seconds between such news at least."""


class Sent(Document, frozen=True):
    """One frame that left the machine: its index and pts, for which detector, and the receipt."""

    index: Count
    pts: int
    detector: str
    sha256: Sha256
    bytes: Count
    request: str
    paid: bool


class Ledger(Document, frozen=True):
    """Exactly which frames left the machine; lies beside the record.

    Attributes:
        record_sha256: of the record; None when the run did not come to its end.
        calls: that this run paid for, over all its attempts.
        kept: frames whose answer was there from an earlier run, or from a frame with the same picture.
        cost: US dollars for `calls`.
        frames: every one of them, in order.
    """

    record_sha256: Sha256 | None
    calls: Count
    kept: Count
    cost: float
    frames: tuple[Sent, ...]


def ledger_path(record: Path) -> Path:
    """Where the ledger of a record lies."""
    return record.with_name(record.name + ".ledger.json")


def ledger(seen: Sequence[Seen], plans: Sequence[DetectorPlan], record_sha256: str | None) -> Ledger:
    """The ledger of what was seen so far."""
    frames = tuple(
        Sent(index, frame.pts, detector, receipt.sha256, receipt.bytes, receipt.request, receipt.paid)
        for index, frame in enumerate(seen)
        for detector, receipt in frame.receipts.items()
    )
    calls = sum(sent.paid for sent in frames)
    prices = {plan.name: settings.price for plan, settings in remote(plans)}
    cost = round(sum(prices[sent.detector] for sent in frames if sent.paid), 6)
    return Ledger(record_sha256, calls, len(frames) - calls, cost, frames)


def remote(plans: Iterable[DetectorPlan]) -> Iterator[tuple[DetectorPlan, RemoteSettings]]:
    """The detectors among `plans` that ask a service."""
    for plan in plans:
        if isinstance(plan.settings, RemoteSettings):
            yield plan, plan.settings


class Spending:
    """Says before, during and after a run what it costs, and keeps it within a limit.

    Args:
        plans: the detectors of the run.
        limit: US dollars that the run may cost over all its attempts; None knows no limit.
        listener: hears what is spent.
    """

    def __init__(self, plans: Sequence[DetectorPlan], limit: float | None, listener: Listener) -> None:
        self._plans, self._limit, self._listener = plans, limit, listener
        self._prices = {plan.name: settings.price for plan, settings in remote(plans)}
        self._calls = self._kept = self._planned = 0
        self._cost = 0.0
        self._said, self._said_at = 0, monotonic()

    def resume(self, seen: Iterable[Seen]) -> None:
        """Count what an earlier attempt has paid for."""
        for frame in seen:
            self._count(frame.receipts)

    def plan(self, frames: int, contested: frozenset[int] | None) -> None:
        """Say what the whole run will cost, before anything is sent.

        Args:
            frames: of the video, as far as is known.
            contested: which of them are, once that is known.

        Raises:
            InputError: it would be more than the limit.
        """
        needs = [(how_many(plan, frames, contested), settings) for plan, settings in remote(self._plans)]
        if not needs:
            return
        self._planned = sum(calls for calls, _ in needs)
        cost = sum(calls * settings.price for calls, settings in needs)
        open_ = contested is None and any(settings.policy == "contested" for _, settings in needs)
        seconds = max(calls / _rate(settings) for calls, settings in needs)
        most = "at most " if open_ else ""
        rate = min(_rate(settings) for _, settings in needs)
        sentence = (
            f"{most}{self._planned:,} frames leave this machine; {most}USD {cost:,.3f}, about {_duration(seconds)} "
            f"at {rate:g} calls/s"
        )
        if self._limit is not None and cost > self._limit + 1e-9 and not open_:
            raise InputError(
                f"The run would cost more than --max-cost: {sentence}, and the limit is USD {self._limit:g}. Nothing "
                "more was sent; raise the limit, or ask about fewer frames with --policy."
            )
        before = f"; USD {self._cost:,.3f} of it was spent before" if self._cost else ""
        self._listener.notice(f"{sentence}{before}.")

    def limited(self, plans: Iterable[DetectorPlan]) -> list[DetectorPlan]:
        """The detectors with what is left of the limit as the number of calls that each may make."""
        return [self._limited(plan) for plan in plans]

    def heard(self, receipts: Iterable[Mapping[str, Receipt]]) -> None:
        """Count what was sent for some frames, and say so now and then."""
        if not self._prices:
            return
        for some in receipts:
            self._count(some)
        if self._calls >= self._said + _NEWS * self._planned and monotonic() >= self._said_at + _PEACE:
            self._said, self._said_at = self._calls, monotonic()
            self._listener.notice(f"Spent so far: {self._told()}.")

    def end(self) -> None:
        """Say what was spent in all."""
        if self._prices:
            self._listener.notice(f"Spent: {self._told()}.")

    def _limited(self, plan: DetectorPlan) -> DetectorPlan:
        if self._limit is None or not isinstance(plan.settings, RemoteSettings) or plan.settings.price == 0:
            return plan
        left = max(0, int((self._limit - self._cost) / plan.settings.price + 1e-6))
        return msgspec.structs.replace(plan, settings=msgspec.structs.replace(plan.settings, max_calls=left))

    def _count(self, receipts: Mapping[str, Receipt]) -> None:
        for detector, receipt in receipts.items():
            self._calls += receipt.paid
            self._kept += not receipt.paid
            self._cost += self._prices[detector] if receipt.paid else 0.0

    def _told(self) -> str:
        kept = f", {self._kept:,} answers were there already" if self._kept else ""
        return f"{self._calls:,} calls, USD {self._cost:,.3f}{kept}"


def _rate(settings: RemoteSettings) -> float:
    return min(settings.rate or _USUAL_RATE, settings.workers / _USUAL_LATENCY)


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return f"{max(1, round(seconds))} s"
    return f"{round(minutes)} min" if minutes < 90 else f"{minutes / 60:.1f} h"
