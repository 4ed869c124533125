"""Detectors that ask a service: what a run will cost, what it has cost, and what left the machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic

import msgspec

from engine.core.progress import ProgressListener
from engine.detection.frame_detections import FrameDetections
from engine.detection.frame_selection import count_sent_frames
from engine.detectors.base import Receipt, RemoteDetectorSettings
from engine.detectors.registry import DetectorPlan
from engine.errors import InputError
from engine.record import Count, Document, Sha256
from engine.storage.data_folder import LEDGER_SUFFIX, append_suffix

_USUAL_CALLS_PER_S = 50.0
"""Calls a second that an account may make where Amazon has set no other quota, in its large regions."""
_USUAL_LATENCY_S = 0.25
"""Seconds that a call takes."""
_NOTICE_CALL_SHARE = 0.1
"""Share of the calls after which a person hears what was spent."""
_NOTICE_INTERVAL_S = 2.0
"""Seconds between such news at least."""


class SentFrame(Document, frozen=True):
    """One frame that left the machine: its index and pts, for which detector, and the receipt."""

    index: Count
    pts: int
    detector: str
    sha256: Sha256
    bytes: Count
    request: str
    paid: bool


class TransferLedger(Document, frozen=True):
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
    frames: tuple[SentFrame, ...]


def ledger_path(record: Path) -> Path:
    """Where the ledger of a record lies."""
    return append_suffix(record, LEDGER_SUFFIX)


def build_ledger(
    frame_detections: Sequence[FrameDetections], plans: Sequence[DetectorPlan], record_sha256: str | None
) -> TransferLedger:
    """The ledger of what was seen so far."""
    frames = tuple(
        SentFrame(index, frame.pts, detector, receipt.sha256, receipt.bytes, receipt.request, receipt.paid)
        for index, frame in enumerate(frame_detections)
        for detector, receipt in frame.receipts.items()
    )
    calls = sum(sent.paid for sent in frames)
    prices = {plan.name: settings.price for plan, settings in select_remote(plans)}
    cost = round(sum(prices[sent.detector] for sent in frames if sent.paid), 6)
    return TransferLedger(record_sha256, calls, len(frames) - calls, cost, frames)


def select_remote(plans: Iterable[DetectorPlan]) -> Iterator[tuple[DetectorPlan, RemoteDetectorSettings]]:
    """The detectors among `plans` that ask a service."""
    for plan in plans:
        if isinstance(plan.settings, RemoteDetectorSettings):
            yield plan, plan.settings


class CostTracker:
    """Says before, during and after a run what it costs, and keeps it within a limit.

    Args:
        plans: the detectors of the run.
        limit: US dollars that the run may cost over all its attempts; None knows no limit.
        listener: hears what is spent.
    """

    def __init__(self, plans: Sequence[DetectorPlan], limit_usd: float | None, listener: ProgressListener) -> None:
        self._plans, self._limit_usd, self._listener = plans, limit_usd, listener
        self._prices = {plan.name: settings.price for plan, settings in select_remote(plans)}
        self._paid_calls = self._cached_answers = self._planned_calls = 0
        self._cost_usd = 0.0
        self._noticed_calls, self._noticed_at = 0, monotonic()

    def count_earlier_attempt(self, seen: Iterable[FrameDetections]) -> None:
        """Count what an earlier attempt has paid for."""
        for frame in seen:
            self._count_receipts(frame.receipts)

    def announce_cost(self, frame_count: int, uncertain: frozenset[int] | None) -> None:
        """Say what the whole run will cost, before anything is sent.

        Args:
            frame_count: of the video, as far as is known.
            uncertain: which of them are, once that is known.

        Raises:
            InputError: it would be more than the limit.
        """
        needs = [
            (count_sent_frames(plan, frame_count, uncertain), settings) for plan, settings in select_remote(self._plans)
        ]
        if not needs:
            return
        self._planned_calls = sum(calls for calls, _ in needs)
        cost = sum(calls * settings.price for calls, settings in needs)
        open_ = uncertain is None and any(settings.policy == "contested" for _, settings in needs)
        seconds = max(calls / _expected_rate(settings) for calls, settings in needs)
        most = "at most " if open_ else ""
        rate = min(_expected_rate(settings) for _, settings in needs)
        sentence = (
            f"{most}{self._planned_calls:,} frames leave this machine; {most}USD {cost:,.3f}, about "
            f"{_format_duration(seconds)} "
            f"at {rate:g} calls/s"
        )
        if self._limit_usd is not None and cost > self._limit_usd + 1e-9 and not open_:
            raise InputError(
                f"The run would cost more than --max-cost: {sentence}, and the limit is USD {self._limit_usd:g}. "
                f"Nothing "
                "more was sent; raise the limit, or ask about fewer frames with --policy."
            )
        before = f"; USD {self._cost_usd:,.3f} of it was spent before" if self._cost_usd else ""
        self._listener.notice(f"{sentence}{before}.")

    def limit_calls(self, plans: Iterable[DetectorPlan]) -> list[DetectorPlan]:
        """The detectors with what is left of the limit as the number of calls that each may make."""
        return [self._limit_detector_calls(plan) for plan in plans]

    def record_receipts(self, receipts: Iterable[Mapping[str, Receipt]]) -> None:
        """Count what was sent for some frames, and say so now and then."""
        if not self._prices:
            return
        for some in receipts:
            self._count_receipts(some)
        if (
            self._paid_calls >= self._noticed_calls + _NOTICE_CALL_SHARE * self._planned_calls
            and monotonic() >= self._noticed_at + _NOTICE_INTERVAL_S
        ):
            self._noticed_calls, self._noticed_at = self._paid_calls, monotonic()
            self._listener.notice(f"Spent so far: {self._describe_spending()}.")

    def announce_total(self) -> None:
        """Say what was spent in all."""
        if self._prices:
            self._listener.notice(f"Spent: {self._describe_spending()}.")

    def _limit_detector_calls(self, plan: DetectorPlan) -> DetectorPlan:
        if self._limit_usd is None or not isinstance(plan.settings, RemoteDetectorSettings) or plan.settings.price == 0:
            return plan
        left = max(0, int((self._limit_usd - self._cost_usd) / plan.settings.price + 1e-6))
        return msgspec.structs.replace(plan, settings=msgspec.structs.replace(plan.settings, max_calls=left))

    def _count_receipts(self, receipts: Mapping[str, Receipt]) -> None:
        for detector, receipt in receipts.items():
            self._paid_calls += receipt.paid
            self._cached_answers += not receipt.paid
            self._cost_usd += self._prices[detector] if receipt.paid else 0.0

    def _describe_spending(self) -> str:
        kept = f", {self._cached_answers:,} answers were there already" if self._cached_answers else ""
        return f"{self._paid_calls:,} calls, USD {self._cost_usd:,.3f}{kept}"


def _expected_rate(settings: RemoteDetectorSettings) -> float:
    return min(settings.rate or _USUAL_CALLS_PER_S, settings.workers / _USUAL_LATENCY_S)


def _format_duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return f"{max(1, round(seconds))} s"
    return f"{round(minutes)} min" if minutes < 90 else f"{minutes / 60:.1f} h"
