"""Chooses the groups of pictures of a render that are copied instead of encoded: those without any mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from engine.media.output.passthrough import CopiedGroups
from engine.media.source.picture_groups import NotCopyableError, PictureGroups, read_picture_groups
from engine.record import Count, Document
from engine.rendering.job import RenderJob
from engine.review.plan import plan_amended_record


class PassthroughFacts(Document, frozen=True):
    """The frames of an output that are the source's own packets.

    Attributes:
        copied: their indices, as half-open ranges.
        groups: number of groups of pictures of the source; 0 if they were not read.
        reason: why nothing is copied, to follow "because"; None if something is.
    """

    copied: tuple[tuple[Count, Count], ...]
    groups: Count
    reason: str | None = None

    @property
    def frame_count(self) -> int:
        """Number of frames that are copied."""
        return sum(stop - start for start, stop in self.copied)

    @property
    def sentence(self) -> str:
        """Say what was copied."""
        if self.reason is not None:
            return f"No packets of the source were copied, because {self.reason}."
        return f"{self.frame_count} frames without a mask are the source's own packets, not encoded again."


@dataclass(frozen=True, slots=True)
class PassthroughPlan:
    """What a render copies.

    Attributes:
        copies: the groups of the source; None: nothing is copied.
        facts: the same for the report.
    """

    copies: CopiedGroups | None
    facts: PassthroughFacts


def plan_passthrough(job: RenderJob) -> PassthroughPlan | None:
    """Choose the groups that are copied; None if the specification does not ask for it.

    Raises:
        SourceError: the source cannot be read.
    """
    if not job.spec.passthrough:
        return None
    try:
        groups = _read_groups(job)
    except NotCopyableError as reason:
        return PassthroughPlan(None, PassthroughFacts((), 0, str(reason)))
    masked = {plan.pts for plan in plan_amended_record(job.amended_record) if plan.boxes or plan.covered}
    copied = tuple(masked.isdisjoint(group) for group in groups.groups)
    if not any(copied):
        reason_text = "each of its groups of pictures has a mask"
        return PassthroughPlan(None, PassthroughFacts((), len(copied), reason_text))
    copies = CopiedGroups(groups, copied)
    return PassthroughPlan(copies, PassthroughFacts(tuple(_list_ranges(copies)), len(copied)))


def _read_groups(job: RenderJob) -> PictureGroups:
    if job.spec.mark is not None:
        raise NotCopyableError("a word is written into every picture")
    if job.record.damaged:
        raise NotCopyableError("it has damaged frames")
    groups = read_picture_groups(job.source, job.info)
    # Where the decoder gives other frames than the packets say, nobody could tell which packet shows which frame.
    if sorted(pts for group in groups.groups for pts in group) != [frame.pts for frame in job.record.frames]:
        raise NotCopyableError("its packets have other times than its frames")
    return groups


def _list_ranges(copies: CopiedGroups) -> Iterator[tuple[int, int]]:
    pairs = zip(copies.copied, copies.groups.groups, strict=True)
    start = 0
    for copied, part in groupby(pairs, key=lambda pair: pair[0]):
        stop = start + sum(len(group) for _, group in part)
        if copied:
            yield start, stop
        start = stop
