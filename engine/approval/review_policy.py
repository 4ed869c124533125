"""What must have been looked at before a statement is signed, and what is lacking. Does no I/O.

The policy of the installation (`engine.access.policy`) sets thresholds. A statement below one of them is signed only if
the person confirms it and gives a reason; the statement then carries the figures and what was lacking, for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.access import Policy
from engine.core.wording import format_count
from engine.record import Count, Document
from engine.review.coverage import ReviewCoverage
from engine.review.queue import ReviewItem


class ReviewFigures(Document, frozen=True):
    """How much of a run was checked when a statement was signed.

    Attributes:
        items: Number of items to check.
        decided: Number of them that were accepted or amended.
        frames: Number of frames.
        viewed: Number of frames that at least one person viewed.
        risk_viewed_percent: Share of the risk of all items that was viewed, in per cent, rounded down.
        sample_checked: Whether a random sample check of the current amendments found no visible face.
        viewed_by_signer: Number of frames that the person who signs viewed.
    """

    items: Count
    decided: Count
    frames: Count
    viewed: Count
    risk_viewed_percent: Count
    sample_checked: bool
    viewed_by_signer: Count

    def to_sentence(self) -> str:
        """Format the figures as one sentence."""
        items = f"{self.decided:,} of {format_count(self.items, 'item')} to check decided" if self.items else "no items"
        sample = "random sample check done" if self.sample_checked else "no random sample check"
        return (
            f"{items}, {self.viewed:,} of {format_count(self.frames, 'frame')} viewed "
            f"({self.viewed_by_signer:,} by the signer), {sample}."
        )


def build_figures(
    items: Sequence[ReviewItem], coverage: ReviewCoverage, account: str, *, sample_checked: bool
) -> ReviewFigures:
    """Build the figures of a run.

    Args:
        items: The items to check, with their state.
        coverage: The coverage of these items and of the frames.
        account: The account of the person who signs.
        sample_checked: Whether a current random sample check found no visible face.
    """
    return ReviewFigures(
        items=len(items),
        decided=sum(item.state != "open" for item in items),
        frames=coverage.frames,
        viewed=coverage.seen,
        risk_viewed_percent=int(100 * coverage.risk_seen),
        sample_checked=sample_checked,
        viewed_by_signer=sum(stop - start for start, stop in coverage.by.get(account, ())),
    )


def find_shortfalls(policy: Policy, meaning: str, figures: ReviewFigures) -> tuple[str, ...]:
    """List what the policy asks for before a statement and what is lacking, one clause each.

    An approval states that the review is enough, so it has the thresholds of the review and one of its own. A rejection
    and a release have none: the one needs no proof of care, the other follows from the approval.
    """
    if meaning == "reviewed":
        return tuple(_list_review_shortfalls(policy, figures))
    if meaning == "approved":
        return (*_list_review_shortfalls(policy, figures), *_list_approver_shortfalls(policy, figures))
    return ()


def _list_review_shortfalls(policy: Policy, figures: ReviewFigures) -> Iterator[str]:
    if _is_below(figures.decided, figures.items, policy.min_items_percent):
        yield (
            f"{figures.items - figures.decided:,} of {format_count(figures.items, 'item')} to check "
            f"still open (policy: {_format_share(policy.min_items_percent)} decided)"
        )
    if _is_below(figures.viewed, figures.frames, policy.min_frames_percent):
        yield (
            f"{figures.viewed:,} of {format_count(figures.frames, 'frame')} viewed "
            f"(policy: {_format_share(policy.min_frames_percent)})"
        )
    if figures.items and figures.risk_viewed_percent < policy.min_risk_percent:
        yield f"{figures.risk_viewed_percent} % of the risk viewed (policy: {_format_share(policy.min_risk_percent)})"
    if policy.random_sample and not figures.sample_checked:
        yield "no random sample check without a visible face since the last amendment (policy: done)"


def _list_approver_shortfalls(policy: Policy, figures: ReviewFigures) -> Iterator[str]:
    if _is_below(figures.viewed_by_signer, figures.frames, policy.min_approver_frames_percent):
        yield (
            f"{figures.viewed_by_signer:,} of {format_count(figures.frames, 'frame')} viewed by the approver "
            f"(policy: {_format_share(policy.min_approver_frames_percent)})"
        )


def _is_below(part: int, whole: int, percent: int) -> bool:
    # In whole numbers: 29 of 100 must not count as less than 29 %.
    return 100 * part < percent * whole


def _format_share(percent: int) -> str:
    return "all" if percent == 100 else f"at least {percent} %"
