"""The certificate of a release: what was done to which file, who answers for it, and how anybody can check it.

A certificate is a JSON document of canonical bytes beside the released video, with a page that says the same for a
person. It holds hashes, names and figures, and no picture. Whoever has the folder of the release can check it with the
commands that stand in it, without Veil.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from engine.access import Persons
from engine.approval.statements import Statement
from engine.assurance.leak_check.report import LeakJudgement, LeakReport, unjudged
from engine.assurance.residual_risk import Measure, ResidualRisk
from engine.audio.compare import AlteredAudio
from engine.audit import Anchor
from engine.audit.entry import Moment
from engine.certificate.shell_commands import StockCommand, hash_command, output_commands, source_commands
from engine.errors import RecordError
from engine.media.output.file_fingerprint import StockAudio, StockFacts, stock_facts
from engine.record import Count, DetectorFacts, Document, Record, Sha256
from engine.rendering.report import Dropped, EncoderFacts, RenderReport
from engine.rendering.spec import RenderSpec
from engine.review.amendments import Review
from engine.review.apply import KeptVisible
from engine.storage.files import file_digest
from engine.verification.verify import Check, VerifyReport
from engine.version import VERSION

SCHEMA: Literal["veil/certificate/1"] = "veil/certificate/1"
JSON_NAME = "certificate.json"
PAGE_NAME = "certificate.html"
SIGNATURE_NAME = "certificate.json.sig"
KEY_NAME = "certificate.pub"

_PERSONS: Mapping[Persons, str] = {
    "one": "One person may run, review and approve here: nobody else has looked at this release.",
    "two": "Two persons: who ran or reviewed did not approve.",
    "three": "Three persons: one ran, another reviewed, a third approved.",
}


class SourcePart(Document, frozen=True):
    """The video that was anonymised: by its bytes, never by its name, which may tell of a person."""

    sha256: Sha256
    bytes: int
    frames: Count
    codec: str
    width: int
    height: int


class OutputPart(Document, frozen=True):
    """The released video: the name of its file, and what stock tools say of it."""

    name: str
    bytes: int
    facts: StockFacts


class DetectionPart(Document, frozen=True):
    """How faces were found: mode, detectors with versions, models and parameters; how many tracks there are."""

    record_sha256: Sha256
    mode: str
    detectors: tuple[DetectorFacts, ...]
    tracks: Count


class ReviewPart(Document, frozen=True):
    """What people changed: how many amendments, and the faces that are shown on purpose."""

    review_sha256: Sha256 | None
    amendments: Count
    kept_visible: tuple[KeptVisible, ...]


class RenderPart(Document, frozen=True, omit_defaults=True):
    """How faces were hidden and the video was encoded, what was dropped, and what became of the audio.

    Attributes:
        audio: what became of it, in a sentence; `spec.audio` has the spans that were replaced, each with its reason.
        altered: the audio streams in which something was replaced, piece by piece.
    """

    spec: RenderSpec
    encoder: EncoderFacts
    weaknesses: tuple[str, ...]
    masked: Count
    covered: Count
    dropped: tuple[Dropped, ...]
    audio: str
    altered: tuple[AlteredAudio, ...] = ()


class LeaksPart(Document, frozen=True):
    """What the leak check of the output found, and what people said of each finding.

    Attributes:
        open: keys of the findings that still hold the release up; empty in any release.
    """

    report_sha256: Sha256
    looked: Count
    frames: Count
    findings: Count
    judgements: tuple[LeakJudgement, ...]
    open: tuple[str, ...]


class Certificate(Document, frozen=True, kw_only=True):
    """All there is to say of a release.

    Attributes:
        run: the run that was released.
        policy: how many persons had to take part, in a sentence.
        statements: the signatures that count, in the order in which they were given.
        leaks: None when the output was not searched for faces; the release says so.
        risk: what may still be in the output, measured from several sides.
        audit: the audit log up to the entry before this certificate.
        documents: SHA-256 of the other files of the release, by name.
        commands: with which anybody can check the release in its folder.
        source_commands: with which who holds the source can check it too, saved there under the name they give.
    """

    schema: Literal["veil/certificate/1"] = SCHEMA
    veil: str = VERSION
    run: str
    issued: Moment
    policy: str
    source: SourcePart
    output: OutputPart
    detection: DetectionPart
    review: ReviewPart
    render: RenderPart
    checks: tuple[Check, ...]
    leaks: LeaksPart | None
    risk: tuple[Measure, ...]
    statements: tuple[Statement, ...]
    audit: Anchor
    documents: Mapping[str, Sha256]
    commands: tuple[StockCommand, ...]
    source_commands: tuple[StockCommand, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a certificate is made of.

    Attributes:
        run: the run that is released.
        output: the released video.
        record: its detection record.
        review: the amendments that were applied; None when there were none.
        render: the report of the render.
        checks: the outcome of its verification.
        statements: the signatures that count.
        persons: how many the policy asks for.
        head: of the audit log.
        documents: the other files of the release.
        leaks: file of the leak check's report.
        judgements: of its findings.
        risk: what may still be in the output.
    """

    run: str
    output: Path
    record: Record
    review: Review | None
    render: RenderReport
    checks: VerifyReport
    statements: Sequence[Statement]
    persons: Persons
    head: Anchor
    documents: Sequence[Path]
    leaks: Path | None = None
    judgements: Sequence[LeakJudgement] = ()
    risk: ResidualRisk | None = None
    source_suffix: str = field(default=".mp4")


def certificate(evidence: Evidence, issued: datetime) -> Certificate:
    """The certificate of a release.

    Raises:
        SourceError: the released video cannot be read.
        RecordError: a part of the evidence is of another video, record or output.
    """
    _check_one_release(evidence)
    output, record, render = evidence.output, evidence.record, evidence.render
    facts = stock_facts(output, render.output_sha256)
    documents = {path.name: file_digest(path) for path in evidence.documents}
    video = record.source.video
    return Certificate(
        run=evidence.run,
        issued=issued,
        policy=_PERSONS[evidence.persons],
        source=SourcePart(
            record.source.sha256,
            record.source.bytes,
            len(record.frames),
            video.codec,
            video.display.width,
            video.display.height,
        ),
        output=OutputPart(output.name, render.output_bytes, facts),
        detection=_detection(record, render.record_sha256),
        review=ReviewPart(
            render.review_sha256, len(evidence.review.amendments) if evidence.review else 0, render.kept_visible
        ),
        render=_render(render, facts),
        checks=evidence.checks.checks,
        leaks=_leaks(evidence),
        risk=evidence.risk.measures if evidence.risk else (),
        statements=tuple(evidence.statements),
        audit=evidence.head,
        documents=documents,
        commands=(
            *output_commands(output.name, facts, render.spec.comment, render.audio),
            *(
                [hash_command("the documents of the release are those it was certified with", documents)]
                * bool(documents)
            ),
        ),
        source_commands=tuple(
            source_commands(
                f"source{evidence.source_suffix}",
                record.source.sha256,
                _copied(record, render, facts),
                render.audio,
                output.name,
            )
        ),
    )


def _check_one_release(evidence: Evidence) -> None:
    """Every part speaks of the same source, record and output."""
    render, checks = evidence.render, evidence.checks
    said = (render.source_sha256, render.record_sha256, render.output_sha256, render.review_sha256)
    if said != (checks.source_sha256, checks.record_sha256, checks.output_sha256, checks.review_sha256):
        raise RecordError("The checks are not of the output that the render reports; verify this output.")
    for statement in evidence.statements:
        if (statement.subject.source, statement.subject.record) != said[:2]:
            raise RecordError(f"The signature {statement.number:04} is of another source or record than the release.")


def _detection(record: Record, record_sha256: Sha256) -> DetectionPart:
    tracks = {face.track for frame in record.frames for face in frame.faces}
    return DetectionPart(record_sha256, record.detection.mode, record.detection.detectors, len(tracks))


def _render(render: RenderReport, facts: StockFacts) -> RenderPart:
    parts = (render.spec, render.encoder, render.weaknesses, render.masked, render.covered, render.dropped)
    return RenderPart(*parts, _audio(render, len(facts.audio)), render.audio)


def _audio(render: RenderReport, streams: int) -> str:
    """What became of the audio, in a sentence."""
    if not streams:
        return "The source has no audio."
    kept = streams - len(render.audio)
    sentences = [f"Kept bit for bit: {kept} stream{'s' * (kept != 1)}."] * bool(kept)
    return " ".join([*sentences, *(f"Stream {one.number} ({one.source_codec}): {one.words}." for one in render.audio)])


def _leaks(evidence: Evidence) -> LeaksPart | None:
    if evidence.leaks is None:
        return None
    data = evidence.leaks.read_bytes()
    report = msgspec.json.decode(data, type=LeakReport)
    if report.output_sha256 != evidence.render.output_sha256:
        raise RecordError("The leak check is of another output than the release; check this one.")
    return LeaksPart(
        report_sha256=file_digest(evidence.leaks),
        looked=report.looked.whole,
        frames=report.looked.frames,
        findings=len(report.leaks),
        judgements=tuple(evidence.judgements),
        open=tuple(leak.key for leak in unjudged(report, evidence.judgements)),
    )


def _copied(record: Record, render: RenderReport, facts: StockFacts) -> dict[int, StockAudio]:
    copied = [stream.index for stream in record.source.streams if stream.fate == "copied"]
    altered = {one.index for one in render.audio}
    pairs = zip(copied, facts.audio, strict=False)
    return {index: audio for index, audio in pairs if index not in altered}
