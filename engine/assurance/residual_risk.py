"""What may still be in an output: several measures side by side, each with what it means and what it does not.

None of them is the number of faces that were missed, and they cannot be added up: each looks from another side. A
capture-recapture estimate sees what detectors disagree about, a person's audit sees frames, planted faces tell how well
faces of a certain look are found, the leak check tells what else is found afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import numpy as np

from engine.assurance.leak_check.report import LeakJudgement, LeakReport, find_open_leaks
from engine.assurance.planted_faces.experiment import PlantedFaceReport
from engine.errors import InputError
from engine.record import Count, Document, Record, Sha256, sha256_hex
from engine.review.amendments import Author, Timestamp
from engine.statistics.binomial import binomial_upper_bound
from engine.statistics.capture_recapture import ESTIMATE_LABEL, RecaptureEstimate, estimate_missed_faces, list_captures
from engine.version import VERSION

SCHEMA: Literal["veil/risk/1"] = "veil/risk/1"
AUDIT_SCHEMA: Literal["veil/audit-of-frames/1"] = "veil/audit-of-frames/1"

MeasureName = Literal["capture-recapture", "audit of frames", "planted faces", "leak check"]
_CONFIDENCE = 0.95


class FrameAudit(Document, frozen=True):
    """What a person found who looked at frames drawn by lot.

    Attributes:
        drawn: the frames, as `audit_sample` drew them.
        looked: those of them that were looked at.
        missed: those of them in which a face shows that should not.
    """

    schema: Literal["veil/audit-of-frames/1"]
    source_sha256: Sha256
    record_sha256: Sha256
    review_sha256: Sha256 | None
    drawn: tuple[Count, ...]
    looked: tuple[Count, ...]
    missed: tuple[Count, ...]
    by: Author
    at: Timestamp


class RiskMeasure(Document, frozen=True):
    """One way of looking at what may have been missed.

    Attributes:
        figure: in a sentence; says so when it was not measured.
        value: the figure by itself; None when it was not measured.
        interval: both ends, where there is one.
        means: what the figure says.
        means_not: what it must not be taken for.
    """

    name: MeasureName
    measured: bool
    figure: str
    value: float | None
    interval: tuple[float, float] | None
    means: str
    means_not: str


class ResidualRisk(Document, frozen=True):
    """All measures for one record, and what was rendered of it."""

    schema: Literal["veil/risk/1"]
    veil: str
    source_sha256: Sha256
    record_sha256: Sha256
    output_sha256: Sha256 | None
    summary: str
    measures: tuple[RiskMeasure, ...]


def draw_audit_frames(record: Record, frame_count: int, review_sha256: Sha256 | None = None) -> tuple[int, ...]:
    """Frames for a person to look at: one drawn by lot from each of `frame_count` equal parts of the video.

    The same record and review give the same frames, so nobody can draw until he likes what he sees.

    Args:
        record: of the video.
        frame_count: of frames; all of them when there are not so many.
        review_sha256: of the amendments, if there are any: other amendments, other frames.

    Raises:
        InputError: `frame_count` is not at least 1.
    """
    if frame_count < 1:
        raise InputError(f"An audit looks at 1 frame at least, got {frame_count}.")
    frames = len(record.frames)
    seed = sha256_hex(f"{AUDIT_SCHEMA} {record.source.sha256} {review_sha256 or ''}".encode())
    lot = np.random.default_rng(int(seed[:16], 16))
    bounds = [part * frames // frame_count for part in range(frame_count + 1)]
    return tuple(int(lot.integers(start, stop)) for start, stop in pairwise(bounds) if stop > start)


def assess_residual_risk(  # noqa: PLR0913 - one argument for each thing that was measured
    record: Record,
    record_sha256: Sha256,
    *,
    planted: PlantedFaceReport | None = None,
    leaks: LeakReport | None = None,
    judgements: tuple[LeakJudgement, ...] = (),
    audit: FrameAudit | None = None,
) -> ResidualRisk:
    """Put the measures side by side.

    Args:
        record: of the video.
        record_sha256: of its stored bytes.
        planted: outcome of the planted-face challenge.
        leaks: outcome of the leak check of the output.
        judgements: of its leaks.
        audit: of frames drawn by lot.

    Raises:
        InputError: a part is of another video or record.
    """
    for name, part in (("planted faces", planted), ("leak check", leaks), ("audit", audit)):
        if part is not None and (part.source_sha256, part.record_sha256) != (record.source.sha256, record_sha256):
            raise InputError(
                f"The {name} given is of another video or record; give the one that belongs to this record."
            )
    measures = (
        _measure_recapture(record),
        _measure_frame_audit(audit),
        _measure_planted_faces(planted),
        _measure_leaks(leaks, judgements),
    )
    return ResidualRisk(
        schema=SCHEMA,
        veil=VERSION,
        source_sha256=record.source.sha256,
        record_sha256=record_sha256,
        output_sha256=leaks.output_sha256 if leaks else None,
        summary=_summarise_measures(measures),
        measures=measures,
    )


def format_risk(risk: ResidualRisk) -> Iterator[str]:
    """The document as lines for a person."""
    yield risk.summary
    for measure in risk.measures:
        yield ""
        yield f"{measure.name}: {measure.figure}"
        yield f"  It means: {measure.means}"
        yield f"  It does not mean: {measure.means_not}"


def _summarise_measures(measures: tuple[RiskMeasure, ...]) -> str:
    missing = [measure.name for measure in measures if not measure.measured]
    says = "A face may remain in the output, and people can be recognised by more than their face."
    if not missing:
        return f"All {len(measures)} measures were taken. {says}"
    return f"Not measured: {', '.join(missing)}. {says}"


def _measure_recapture(record: Record) -> RiskMeasure:
    names = [detector.name for detector in record.detection.detectors]
    found = estimate_missed_faces(list_captures(record), names) if len(names) > 1 else None
    means = (
        "from how often the detectors saw the same faces, so many faces in frames were likely seen by none of them "
        f"before tracks filled the gaps: a {ESTIMATE_LABEL}."
    )
    means_not = (
        "that no more were missed: detectors share blind spots (turned away, blurred, dark), which makes the estimate "
        "too low. One face missed in 50 frames counts 50 times."
    )
    if found is None or found.missed is None:
        reason = "nothing was detected" if found else f"only {names[0]} looked, and it takes two"
        return RiskMeasure("capture-recapture", False, f"not measured: {reason}.", None, None, means, means_not)
    figure = (
        f"{found.missed:.1f} faces in frames likely seen by no detector, beside {found.seen} seen ({ESTIMATE_LABEL})"
    )
    return RiskMeasure(
        "capture-recapture",
        True,
        _append_interval(figure, found),
        found.missed,
        found.missed_interval,
        means,
        means_not,
    )


def _append_interval(figure: str, found: RecaptureEstimate) -> str:
    if found.missed_interval is None:
        return f"{figure}; too few tracks for an interval."
    low, high = found.missed_interval
    return f"{figure}; {found.confidence:.0%} interval {low:.1f} to {high:.1f}."


def _measure_frame_audit(audit: FrameAudit | None) -> RiskMeasure:
    means = (
        "a person looked at frames drawn by lot; with so few or none that show a face, the share of such frames in the "
        "whole video is at most the bound, in 19 of 20 such audits."
    )
    means_not = (
        "that the frames nobody looked at are clear: the bound is what the number of frames looked at allows, about 3 "
        "in that number when none shows a face. It assumes that the person overlooked nothing."
    )
    bound = binomial_upper_bound(len(audit.missed), len(audit.looked), _CONFIDENCE) if audit else None
    if audit is None or bound is None:
        return RiskMeasure(
            "audit of frames", False, "not measured: nobody looked at drawn frames.", None, None, means, means_not
        )
    figure = (
        f"{len(audit.missed)} of {len(audit.looked)} frames show a face that should not be seen; of all frames at most "
        f"{bound:.2%} do ({_CONFIDENCE:.0%} confidence)."
    )
    return RiskMeasure("audit of frames", True, figure, bound, (0.0, bound), means, means_not)


def _measure_planted_faces(planted: PlantedFaceReport | None) -> RiskMeasure:
    means = (
        "faces put into copies of segments of this very video, of the sizes, blur and light of its own, were found by "
        "the same detection at this rate."
    )
    means_not = (
        "the share of the real faces that was found: what is planted are cut-outs of faces that a detector finds well, "
        "or of a portrait; profiles, hands before faces and heads turned away are not among them."
    )
    if planted is None or planted.overall.recall is None:
        reason = "no face could be planted" if planted else "the challenge was not run"
        return RiskMeasure("planted faces", False, f"not measured: {reason}.", None, None, means, means_not)
    overall = planted.overall
    figure = (
        f"{overall.found} of {overall.frames} planted faces in frames found ({overall.recall:.3f}); "
        f"{overall.throughout} of {overall.plants} faces in every one of their frames."
    )
    return RiskMeasure("planted faces", True, figure, overall.recall, overall.recall_interval, means, means_not)


def _measure_leaks(leaks: LeakReport | None, judgements: tuple[LeakJudgement, ...]) -> RiskMeasure:
    means = (
        "detectors that the detection did not use, as far as there are any, looked over the output, and every mask was "
        "held against the source; so many places were found where a face can still be seen."
    )
    means_not = (
        "that nothing else is there: frames are sampled where the record is sure, and a face that these detectors do "
        "not see either is not found."
    )
    if leaks is None:
        return RiskMeasure("leak check", False, "not measured: no output was checked.", None, None, means, means_not)
    open_ones, looked = find_open_leaks(leaks, judgements), leaks.looked
    figure = (
        f"{len(leaks.leaks)} leaks found, {len(open_ones)} of them not cleared by a person; {looked.whole} of "
        f"{looked.frames} frames looked at whole, {looked.parts} parts of frames, {looked.masks} masks compared."
    )
    return RiskMeasure("leak check", True, figure, float(len(leaks.leaks)), None, means, means_not)
