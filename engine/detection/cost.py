"""The cost of calls to remote detectors: an estimate before the run, and a count while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

import msgspec

from engine.core.progress import ProgressListener
from engine.detection.frame_detections import FrameDetections
from engine.detection.frame_selection import count_sent_frames
from engine.detectors.base import Receipt, RemoteDetectorSettings
from engine.detectors.registry import DetectorPlan, select_remote
from engine.errors import InputError

_USUAL_CALLS_PER_S = 50.0
"""Calls a second that an account may make in Amazon's large regions unless it has another quota."""
_USUAL_LATENCY_S = 0.25
"""Time from request to answer."""
_NOTICE_CALL_SHARE = 0.1
"""Share of the planned calls after which the listener gets another notice of what was spent."""
_MIN_NOTICE_INTERVAL_S = 2.0


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What the calls of one run to remote detectors will take.

    Attributes:
        frames: number of frames that are sent.
        dollars: their cost in US dollars.
        is_upper_bound: True while it is unknown which frames are uncertain; `frames` and `dollars` are then maxima.
        duration_s: time for all calls.
        calls_per_s: rate of the slowest remote detector.
    """

    frames: int
    dollars: float
    is_upper_bound: bool
    duration_s: float
    calls_per_s: float

    def describe(self) -> str:
        """Return the estimate as a sentence without its full stop."""
        most = "at most " if self.is_upper_bound else ""
        return (
            f"{most}{self.frames:,} frames leave this machine; {most}USD {self.dollars:,.3f}, "
            f"about {_format_duration(self.duration_s)} at {self.calls_per_s:g} calls/s"
        )


def estimate_cost(
    plans: Iterable[DetectorPlan], frame_count: int, uncertain: frozenset[int] | None = None
) -> CostEstimate | None:
    """Estimate what a run costs; None if no detector is remote.

    Args:
        plans: the detectors of the run.
        frame_count: number of frames of the video, as far as it is known.
        uncertain: indices of the uncertain frames. None: not known yet.
    """
    calls = [(count_sent_frames(plan, frame_count, uncertain), settings) for plan, settings in select_remote(plans)]
    if not calls:
        return None
    rates = [_expected_rate(settings) for _, settings in calls]
    return CostEstimate(
        frames=sum(count for count, _ in calls),
        dollars=sum(count * settings.price for count, settings in calls),
        is_upper_bound=uncertain is None and any(settings.policy == "contested" for _, settings in calls),
        # Remote detectors run side by side, so the slowest one decides.
        duration_s=max(count / rate for (count, _), rate in zip(calls, rates, strict=True)),
        calls_per_s=min(rates),
    )


def check_cost_limit(estimate: CostEstimate, limit_usd: float | None) -> None:
    """Refuse a run that is certain to cost more than its limit.

    An upper bound above the limit is not refused: the run may stay below it, and `limit_calls` ends it otherwise.

    Raises:
        InputError: the run would cost more than the limit.
    """
    # The tolerance keeps a limit that equals the cost, such as 50 x 0.001 against 0.05, from being missed by rounding.
    if limit_usd is not None and estimate.dollars > limit_usd + 1e-9 and not estimate.is_upper_bound:
        raise InputError(
            f"The run would cost more than --max-cost: {estimate.describe()}, and the limit is USD {limit_usd:g}. "
            "Nothing more was sent; raise the limit, or ask about fewer frames with --policy."
        )


def limit_calls(plans: Iterable[DetectorPlan], limit_usd: float | None, spent_usd: float) -> list[DetectorPlan]:
    """Return the plans with the rest of the limit as the number of calls that each remote detector may make."""
    return [_limit_detector_calls(plan, limit_usd, spent_usd) for plan in plans]


def _limit_detector_calls(plan: DetectorPlan, limit_usd: float | None, spent_usd: float) -> DetectorPlan:
    if limit_usd is None or not isinstance(plan.settings, RemoteDetectorSettings) or plan.settings.price == 0:
        return plan
    max_calls = max(0, int((limit_usd - spent_usd) / plan.settings.price + 1e-6))
    return msgspec.structs.replace(plan, settings=msgspec.structs.replace(plan.settings, max_calls=max_calls))


class CostTracker:
    """Counts what a run spends over all its attempts, and reports it to the listener.

    Args:
        plans: the detectors of the run.
        listener: gets the notices.
    """

    def __init__(self, plans: Sequence[DetectorPlan], listener: ProgressListener) -> None:
        self._listener = listener
        self._prices = {plan.name: settings.price for plan, settings in select_remote(plans)}
        self._paid_calls = self._cached_answers = self._planned_calls = 0
        self._spent_usd = 0.0
        self._noticed_calls, self._noticed_at = 0, monotonic()

    @property
    def spent_usd(self) -> float:
        """US dollars spent so far, earlier attempts included."""
        return self._spent_usd

    def count_earlier_attempt(self, frames: Iterable[FrameDetections]) -> None:
        """Count what an earlier attempt of the same run has paid for."""
        for frame in frames:
            self._count_receipts(frame.receipts)

    def announce_estimate(self, estimate: CostEstimate) -> None:
        """Report the estimate before anything is sent."""
        self._planned_calls = estimate.frames
        spent = f"; USD {self._spent_usd:,.3f} of it was spent before" if self._spent_usd else ""
        self._listener.notice(f"{estimate.describe()}{spent}.")

    def record_receipts(self, frames: Iterable[FrameDetections]) -> None:
        """Count what was sent for some frames, and report it now and then."""
        if not self._prices:
            return
        for frame in frames:
            self._count_receipts(frame.receipts)
        # Both conditions: a fast run would flood the listener, and a slow one would repeat nearly the same figure.
        if (
            self._paid_calls >= self._noticed_calls + _NOTICE_CALL_SHARE * self._planned_calls
            and monotonic() >= self._noticed_at + _MIN_NOTICE_INTERVAL_S
        ):
            self._noticed_calls, self._noticed_at = self._paid_calls, monotonic()
            self._listener.notice(f"Spent so far: {self._describe_spending()}.")

    def announce_total(self) -> None:
        """Report what was spent in all, if a detector is remote."""
        if self._prices:
            self._listener.notice(f"Spent: {self._describe_spending()}.")

    def _count_receipts(self, receipts: Mapping[str, Receipt]) -> None:
        for detector, receipt in receipts.items():
            self._paid_calls += receipt.paid
            self._cached_answers += not receipt.paid
            self._spent_usd += self._prices[detector] if receipt.paid else 0.0

    def _describe_spending(self) -> str:
        kept = f", {self._cached_answers:,} answers were there already" if self._cached_answers else ""
        return f"{self._paid_calls:,} calls, USD {self._spent_usd:,.3f}{kept}"


def _expected_rate(settings: RemoteDetectorSettings) -> float:
    return min(settings.rate or _USUAL_CALLS_PER_S, settings.workers / _USUAL_LATENCY_S)


def _format_duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return f"{max(1, round(seconds))} s"
    return f"{round(minutes)} min" if minutes < 90 else f"{minutes / 60:.1f} h"
