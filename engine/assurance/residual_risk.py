"""Residual risk: estimates of what may still show in an output, side by side, each with what it does not say.

No measure is the number of missed faces, and they cannot be added up, because each sees something else:
capture-recapture sees what the detectors disagree about, the random sample check sees whole frames, planted faces show
how well faces of a known look are found, and the leak check shows what other detectors find in the output.

To add a figure, add a row to `_MEASURES` with its function, its name to `MeasureName`, and, if it needs a new report, a
field to `RiskInputs` that `engine.release.risk.collect_risk_inputs` fills. `veil risk`, the page Sign-off and the
certificate show every row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from engine.assurance.frame_audit import FrameAudit
from engine.assurance.leak_check.report import LeakJudgement, LeakReport, find_open_leaks
from engine.assurance.planted_faces.report import PlantedFaceReport
from engine.errors import InputError
from engine.record import Document, Record, Sha256
from engine.statistics.binomial import binomial_upper_bound
from engine.statistics.capture_recapture import ESTIMATE_LABEL, estimate_missed_faces, list_captures
from engine.version import VERSION

SCHEMA: Literal["veil/risk/1"] = "veil/risk/1"

MeasureName = Literal["capture-recapture", "audit of frames", "planted faces", "leak check"]
_CONFIDENCE = 0.95


class RiskMeasure(Document, frozen=True):
    """One estimate of what may have been missed.

    Attributes:
        measured: False if the figure could not be computed; `figure` then says why.
        figure: The figure in a sentence.
        value: The figure alone, None if it was not measured.
        interval: Both ends of its interval, None if it has none.
        means: A sentence on what the figure says.
        means_not: A sentence on what must not be concluded from it.
    """

    name: MeasureName
    measured: bool
    figure: str
    value: float | None
    interval: tuple[float, float] | None
    means: str
    means_not: str


class ResidualRisk(Document, frozen=True):
    """All measures for one record, and for one output of it if an output was checked."""

    schema: Literal["veil/risk/1"]
    veil: str
    source_sha256: Sha256
    record_sha256: Sha256
    output_sha256: Sha256 | None
    summary: str
    measures: tuple[RiskMeasure, ...]


@dataclass(frozen=True, slots=True)
class RiskInputs:
    """Everything the measures are computed from. A report is None if it was not made.

    Attributes:
        record: The record of the video.
        record_sha256: SHA-256 of its stored bytes.
        planted: The report of the planted faces.
        leaks: The report of the leak check of the output.
        judgements: The judgements of its findings, in the order in which they were made.
        audit: The result of the random sample check.
    """

    record: Record
    record_sha256: Sha256
    planted: PlantedFaceReport | None = None
    leaks: LeakReport | None = None
    judgements: tuple[LeakJudgement, ...] = ()
    audit: FrameAudit | None = None


def assess_residual_risk(inputs: RiskInputs) -> ResidualRisk:
    """Compute every measure.

    Raises:
        InputError: A report is of another video or record.
    """
    record, leaks = inputs.record, inputs.leaks
    # A report of an earlier record of the same video would look plausible and be wrong, so both hashes count.
    for name, report in (("planted faces", inputs.planted), ("leak check", leaks), ("audit", inputs.audit)):
        if report is not None and (report.source_sha256, report.record_sha256) != (
            record.source.sha256,
            inputs.record_sha256,
        ):
            raise InputError(
                f"The {name} given is of another video or record; give the one that belongs to this record."
            )
    measures = tuple(_compute_measure(definition, inputs) for definition in _MEASURES)
    return ResidualRisk(
        schema=SCHEMA,
        veil=VERSION,
        source_sha256=record.source.sha256,
        record_sha256=inputs.record_sha256,
        output_sha256=leaks.output_sha256 if leaks else None,
        summary=_summarise_measures(measures),
        measures=measures,
    )


def format_risk(risk: ResidualRisk) -> Iterator[str]:
    """Format the measures as lines of text."""
    yield risk.summary
    for measure in risk.measures:
        yield ""
        yield f"{measure.name}: {measure.figure}"
        yield f"  It means: {measure.means}"
        yield f"  It does not mean: {measure.means_not}"


def _summarise_measures(measures: tuple[RiskMeasure, ...]) -> str:
    missing = [measure.name for measure in measures if not measure.measured]
    warning = "A face may remain in the output, and people can be recognised by more than their face."
    if not missing:
        return f"All {len(measures)} measures were taken. {warning}"
    return f"Not measured: {', '.join(missing)}. {warning}"


class _Figure(NamedTuple):
    """A computed figure: a sentence, the value, and both ends of its interval."""

    sentence: str
    value: float
    interval: tuple[float, float] | None


class _MeasureDefinition(NamedTuple):
    """A row of `_MEASURES`; `compute` returns the figure, or the reason why there is none."""

    name: MeasureName
    compute: Callable[[RiskInputs], _Figure | str]
    means: str
    means_not: str


def _compute_measure(definition: _MeasureDefinition, inputs: RiskInputs) -> RiskMeasure:
    name, compute, means, means_not = definition
    result = compute(inputs)
    if isinstance(result, str):
        return RiskMeasure(name, False, f"not measured: {result}.", None, None, means, means_not)
    return RiskMeasure(name, True, *result, means, means_not)


def _estimate_recapture(inputs: RiskInputs) -> _Figure | str:
    names = [detector.name for detector in inputs.record.detection.detectors]
    if len(names) < 2:
        return f"only {names[0]} looked, and it takes two"
    estimate = estimate_missed_faces(list_captures(inputs.record), names)
    if estimate.missed is None:
        return "nothing was detected"
    figure = (
        f"{estimate.missed:.1f} faces in frames likely seen by no detector, beside {estimate.seen} seen "
        f"({ESTIMATE_LABEL})"
    )
    if estimate.missed_interval is None:
        return _Figure(f"{figure}; too few tracks for an interval.", estimate.missed, None)
    low, high = estimate.missed_interval
    return _Figure(
        f"{figure}; {estimate.confidence:.0%} interval {low:.1f} to {high:.1f}.",
        estimate.missed,
        estimate.missed_interval,
    )


def _bound_frame_audit(inputs: RiskInputs) -> _Figure | str:
    audit = inputs.audit
    # The upper bound and not the plain share: a sample that shows no face at all must still not read as "0 %".
    bound = binomial_upper_bound(len(audit.missed), len(audit.looked), _CONFIDENCE) if audit else None
    if audit is None or bound is None:
        return "nobody looked at drawn frames"
    figure = (
        f"{len(audit.missed)} of {len(audit.looked)} frames show a face that should not be seen; of all frames at most "
        f"{bound:.2%} do ({_CONFIDENCE:.0%} confidence)."
    )
    return _Figure(figure, bound, (0.0, bound))


def _read_planted_recall(inputs: RiskInputs) -> _Figure | str:
    if inputs.planted is None:
        return "the challenge was not run"
    overall = inputs.planted.overall
    if overall.recall is None:
        return "no face could be planted"
    figure = (
        f"{overall.found} of {overall.frames} planted faces in frames found ({overall.recall:.3f}); "
        f"{overall.throughout} of {overall.plants} faces in every one of their frames."
    )
    return _Figure(figure, overall.recall, overall.recall_interval)


def _count_leaks(inputs: RiskInputs) -> _Figure | str:
    leaks = inputs.leaks
    if leaks is None:
        return "no output was checked"
    open_leaks, coverage = find_open_leaks(leaks, inputs.judgements), leaks.looked
    figure = (
        f"{len(leaks.leaks)} leaks found, {len(open_leaks)} of them not cleared by a person; {coverage.whole} of "
        f"{coverage.frames} frames looked at whole, {coverage.parts} parts of frames, {coverage.masks} masks compared."
    )
    return _Figure(figure, float(len(leaks.leaks)), None)


# The sentences are part of issued certificates and of stored risk documents: a certificate of the same release must
# keep its bytes, so a change of wording here is a change of the format.
_MEASURES = (
    _MeasureDefinition(
        "capture-recapture",
        _estimate_recapture,
        means="from how often the detectors saw the same faces, so many faces in frames were likely seen by none of "
        f"them before tracks filled the gaps: a {ESTIMATE_LABEL}.",
        means_not="that no more were missed: detectors share blind spots (turned away, blurred, dark), which makes the "
        "estimate too low. One face missed in 50 frames counts 50 times.",
    ),
    _MeasureDefinition(
        "audit of frames",
        _bound_frame_audit,
        means="a person looked at frames drawn at random; with so few or none that show a face, the share of such "
        "frames in the whole video is at most the bound, in 19 of 20 such audits.",
        means_not="that the frames nobody looked at are clear: the bound is what the number of frames looked at "
        "allows, about 3 in that number when none shows a face. It assumes that the person overlooked nothing.",
    ),
    _MeasureDefinition(
        "planted faces",
        _read_planted_recall,
        means="faces put into copies of segments of this very video, of the sizes, blur and light of its own, were "
        "found by the same detection at this rate.",
        means_not="the share of the real faces that was found: what is planted are cut-outs of faces that a detector "
        "finds well, or of a portrait; profiles, hands before faces and heads turned away are not among them.",
    ),
    _MeasureDefinition(
        "leak check",
        _count_leaks,
        means="detectors that the detection did not use, as far as there are any, looked over the output, and every "
        "mask was held against the source; so many places were found where a face can still be seen.",
        means_not="that nothing else is there: frames are sampled where the record is sure, and a face that these "
        "detectors do not see either is not found.",
    ),
)
