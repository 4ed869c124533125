"""What the leak check of an output says, and what a person says of each finding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from engine.core.geometry import Box
from engine.record import Count, DetectorFacts, Document, Score, Sha256
from engine.review.amendments import Author, Timestamp

SCHEMA: Literal["veil/leaks/1"] = "veil/leaks/1"

LeakKind = Literal["unrecorded", "unmasked", "weak"]
LeakVerdict = Literal["no face", "hidden", "allowed", "leak"]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=2000, pattern=r"\S")]
PositiveShare = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]
Stride = Annotated[int, msgspec.Meta(ge=1)]


class LeakSettings(Document, frozen=True):
    """How the output is looked through.

    Attributes:
        stride: one frame in so many is looked at whole wherever the plan is sure.
        edge: frames before the first mask of a track and after its last, and in gaps, that are looked at about there.
        sparse: of such frames further from the mask than two, one in so many is looked at.
        budget: looks at parts of frames, a frame of the video, that are spent at most; what is left out is said.
        likely: score that two detectors must give to the same face in the same frame to be believed.
        likeness: correlation of the fine detail inside a mask with the source's, by the lower end of its interval,
            from which the mask is not there.
        small_likeness: the same for a face under 18 pixels: a mosaic leaves something of so small a face.
    """

    stride: Stride = 12
    edge: Stride = 12
    sparse: Stride = 4
    budget: Annotated[float, msgspec.Meta(ge=0.0, le=4.0)] = 0.25
    likely: Score = 0.5
    likeness: PositiveShare = 0.65
    small_likeness: PositiveShare = 0.8


class OutputDetection(Document, frozen=True):
    """A face that a detector found in one frame of the output: box in display pixels, score."""

    frame: Count
    box: Box
    score: Score
    detector: str


class Leak(Document, frozen=True):
    """A face that can still be found in an output, to be judged by a person.

    Attributes:
        key: names it within this output: "kind:frame:left-top-right-bottom" in whole pixels.
        kind: "unrecorded": the plan has no mask there. "unmasked": it has one, and the source shows through: the mask
            is not in the output. "weak": the mask is there, and what is under it is still found as a face.
        frame: where it is seen best.
        box: there, in display pixels.
        score: of the detector, or the likeness to the source for "unmasked".
        detector: who found it; "comparison" for the comparison with the source.
        first: first frame of the run of neighbouring frames in which it was found.
        last: last frame of that run; frames between that were not looked at are inside.
        seen: every time that it was found, by frame.
        track: of the record, whose mask should have covered it, or whose faces come nearest; None when there is none.
        finding: the same in a sentence.
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
        frames: of the output.
        whole: frames that a detector saw whole.
        parts: looks at parts of frames.
        left_out: parts of frames that were to be looked at and were not, for want of budget.
        masks: masks that were compared with the source; those too small to tell are not among them.
        longest: longest run of frames of which no detector saw anything.
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
        role: "lookout" looks at frames and parts of frames, "witness" looks where the lookout found something.
        independent: the detection did not use it.
    """

    role: Literal["lookout", "witness"]
    independent: bool
    facts: DetectorFacts


class LeakReport(Document, frozen=True):
    """The outcome of the leak check of one output.

    Attributes:
        review_sha256: of the review's stored bytes; None when the output was rendered without one.
        leaks: sorted by frame; each is to be judged before a release.
        doubtful: found where the detection itself had seen something that its neighbours did not bear out, which
            stands in the record for a reviewer; they do not hold a release up.
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
    """What a person says of a leak of one output.

    Attributes:
        output_sha256: of the output that was checked: another output needs judgements of its own.
        leak: the key.
        verdict: "no face", "hidden" (nobody could be recognised), "allowed" (the face may be seen), or "leak": it is to
            be amended, and this output is not to be released.
    """

    output_sha256: Sha256
    leak: str
    verdict: LeakVerdict
    reason: Reason
    by: Author
    at: Timestamp


def find_open_leaks(report: LeakReport, judgements: Iterable[LeakJudgement]) -> tuple[Leak, ...]:
    """The leaks that hold a release up: those nobody has judged, and those whose last judgement is "leak".

    Args:
        report: of the output.
        judgements: in the order in which they were made; those of other outputs count for nothing.
    """
    verdicts = {one.leak: one.verdict for one in judgements if one.output_sha256 == report.output_sha256}
    return tuple(leak for leak in report.leaks if verdicts.get(leak.key, "leak") == "leak")
