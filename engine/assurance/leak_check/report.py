"""The report of a leak check, and the judgement of each leak by a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from engine.core.geometry import Box
from engine.record import Count, DetectorFacts, Document, Score, Sha256, Timestamp
from engine.review.amendments import Author

SCHEMA: Literal["veil/leaks/1"] = "veil/leaks/1"

LeakKind = Literal["unrecorded", "unmasked", "weak"]
LeakVerdict = Literal["no face", "hidden", "allowed", "leak"]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=2000, pattern=r"\S")]
PositiveShare = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]
Stride = Annotated[int, msgspec.Meta(ge=1)]


class LeakSettings(Document, frozen=True):
    """How densely the output is searched, and the thresholds.

    Attributes:
        stride: One whole frame in this many is looked at where masks are complete.
        edge: Number of frames before the first mask of a track, after its last, and in gaps, in which a region around
            the place of the face is looked at.
        sparse: Of those frames, one in this many is looked at from the third frame away from the mask.
        budget: Largest number of regions, per frame of the video. The report says how many were left out.
        likely: Score that two detectors must give to the same face in the same frame for it to count.
        likeness: Correlation of the fine detail inside a mask with that of the source, by the lower end of its
            interval, from which the mask counts as missing.
        small_likeness: The same for faces under 18 pixels, because a mosaic leaves some detail of so small a face.
    """

    stride: Stride = 12
    edge: Stride = 12
    sparse: Stride = 4
    budget: Annotated[float, msgspec.Meta(ge=0.0, le=4.0)] = 0.25
    likely: Score = 0.5
    likeness: PositiveShare = 0.65
    small_likeness: PositiveShare = 0.8


class OutputDetection(Document, frozen=True):
    """A face that a detector found in one frame of the output; the box is in display pixels."""

    frame: Count
    box: Box
    score: Score
    detector: str


class Leak(Document, frozen=True):
    """A face that still shows in an output, to be judged by a person.

    Attributes:
        key: Names the leak within its output: "kind:frame:left-top-right-bottom" in whole pixels.
        kind: "unrecorded": the plan has no mask there. "unmasked": the plan has a mask, but it is not in the output,
            and the source shows. "weak": the mask is in the output, and detectors still find a face under it.
        frame: The frame with the best detection.
        box: Box of the face in that frame, in display pixels.
        score: Score of the best detection, or the likeness to the source for "unmasked".
        detector: The detector that found it; "comparison" for the comparison with the source, "record" for the
            settings of the record.
        first: First frame in which it was found.
        last: Last frame in which it was found. Frames between the two that were not looked at count as part of it.
        seen: All detections of it, by frame.
        track: The track of the record whose mask should cover it, or whose faces are nearest; None if there is none.
        finding: A sentence that describes it.
    """

    key: str
    kind: LeakKind
    frame: Count
    box: Box
    score: Score
    detector: str
    first: Count
    last: Count
    seen: tuple[OutputDetection, ...]
    track: Count | None
    finding: str


class LeakCheckCoverage(Document, frozen=True):
    """How much of the output was looked at.

    Attributes:
        frames: Number of frames of the output.
        whole: Number of frames that were looked at whole.
        parts: Number of regions that were looked at.
        left_out: Number of regions that exceeded the budget.
        masks: Number of masks that were compared with the source. Masks that are too small to compare do not count.
        longest: Length of the longest run of frames in which no detector looked at anything.
    """

    frames: Count
    whole: Count
    parts: Count
    left_out: Count
    masks: Count
    longest: Count


class CheckDetectorFacts(Document, frozen=True):
    """A detector of the check.

    Attributes:
        role: "lookout" scans frames and regions; "witness" looks where a lookout found something.
        independent: True if the detection did not use it.
    """

    role: Literal["lookout", "witness"]
    independent: bool
    facts: DetectorFacts


class LeakReport(Document, frozen=True):
    """The result of the leak check of one output.

    Attributes:
        review_sha256: SHA-256 of the stored bytes of the review, None if the output was rendered without one.
        leaks: The leaks, sorted by frame. Each has to be judged before the release.
        doubtful: Leaks at the place of a possible face of the record. A reviewer finds them as items to check, so they
            do not stop a release.
    """

    schema: Literal["veil/leaks/1"]
    veil: str
    source_sha256: Sha256
    record_sha256: Sha256
    review_sha256: Sha256 | None
    output_sha256: Sha256
    settings: LeakSettings
    detectors: tuple[CheckDetectorFacts, ...]
    looked: LeakCheckCoverage
    leaks: tuple[Leak, ...]
    doubtful: tuple[Leak, ...]


class LeakJudgement(Document, frozen=True):
    """A judgement of one leak of one output by a person.

    Attributes:
        output_sha256: SHA-256 of the output that was checked. Another output needs its own judgements.
        leak: Key of the leak.
        verdict: "no face"; "hidden": the person cannot be recognised; "allowed": the face may be seen; "leak": the
            record has to be amended, and this output must not be released.
    """

    output_sha256: Sha256
    leak: str
    verdict: LeakVerdict
    reason: Reason
    by: Author
    at: Timestamp


def find_open_leaks(report: LeakReport, judgements: Iterable[LeakJudgement]) -> tuple[Leak, ...]:
    """Return the leaks that stop a release: those without a judgement, and those whose last judgement is "leak".

    Args:
        report: The report of the output.
        judgements: The judgements in the order in which they were made. Those of other outputs are ignored.
    """
    verdicts = {
        judgement.leak: judgement.verdict for judgement in judgements if judgement.output_sha256 == report.output_sha256
    }
    return tuple(leak for leak in report.leaks if verdicts.get(leak.key, "leak") == "leak")
