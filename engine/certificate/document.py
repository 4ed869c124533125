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
from engine.assurance.leak_check.report import LeakJudgement, LeakReport, find_open_leaks
from engine.assurance.residual_risk import ResidualRisk, RiskMeasure
from engine.audio.compare import AlteredAudio
from engine.audit import Anchor
from engine.certificate.shell_commands import (
    ShellCommand,
    build_hash_command,
    build_output_commands,
    build_source_commands,
)
from engine.errors import RecordError
from engine.media.output.file_fingerprint import AudioPacketHash, FileFingerprint, fingerprint_file
from engine.record import Count, DetectorFacts, Document, Record, Sha256, Timestamp
from engine.rendering.report import DroppedItem, EncoderFacts, RenderReport
from engine.rendering.spec import RenderSpec
from engine.review.amendments import Review
from engine.review.apply import KeptVisible
from engine.storage.files import hash_file
from engine.verification.report import Check, VerifyReport
from engine.version import VERSION

SCHEMA: Literal["veil/certificate/1"] = "veil/certificate/1"

_POLICY_SENTENCES: Mapping[Persons, str] = {
    "one": "One person may run, review and approve here: nobody else has looked at this release.",
    "two": "Two persons: who ran or reviewed did not approve.",
    "three": "Three persons: one ran, another reviewed, a third approved.",
}


class SourceSection(Document, frozen=True):
    """The video that was anonymised: by its bytes, never by its name, which may tell of a person."""

    sha256: Sha256
    bytes: int
    frames: Count
    codec: str
    width: int
    height: int


class OutputSection(Document, frozen=True):
    """The released video: the name of its file, and what stock tools say of it."""

    name: str
    bytes: int
    facts: FileFingerprint


class DetectionSection(Document, frozen=True):
    """How faces were found: mode, detectors with versions, models and parameters; how many tracks there are."""

    record_sha256: Sha256
    mode: str
    detectors: tuple[DetectorFacts, ...]
    tracks: Count


class ReviewSection(Document, frozen=True):
    """What people changed: how many amendments, and the faces that are shown on purpose."""

    review_sha256: Sha256 | None
    amendments: Count
    kept_visible: tuple[KeptVisible, ...]


class RenderSection(Document, frozen=True, omit_defaults=True):
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
    dropped: tuple[DroppedItem, ...]
    audio: str
    altered: tuple[AlteredAudio, ...] = ()


class LeakSection(Document, frozen=True):
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
    issued: Timestamp
    policy: str
    source: SourceSection
    output: OutputSection
    detection: DetectionSection
    review: ReviewSection
    render: RenderSection
    checks: tuple[Check, ...]
    leaks: LeakSection | None
    risk: tuple[RiskMeasure, ...]
    statements: tuple[Statement, ...]
    audit: Anchor
    documents: Mapping[str, Sha256]
    commands: tuple[ShellCommand, ...]
    source_commands: tuple[ShellCommand, ...]


@dataclass(frozen=True, slots=True)
class CertificateInputs:
    """What a certificate is made of.

    Attributes:
        run_id: the run that is released.
        output_path: the released video.
        record: its detection record.
        review: the amendments that were applied; None when there were none.
        render: the report of the render.
        verification: the outcome of its verification.
        statements: the signatures that count.
        required_persons: how many the policy asks for.
        log_head: of the audit log.
        document_paths: the other files of the release.
        leak_report_path: file of the leak check's report.
        judgements: of its findings.
        risk: what may still be in the output.
    """

    run_id: str
    output_path: Path
    record: Record
    review: Review | None
    render: RenderReport
    verification: VerifyReport
    statements: Sequence[Statement]
    required_persons: Persons
    log_head: Anchor
    document_paths: Sequence[Path]
    leak_report_path: Path | None = None
    judgements: Sequence[LeakJudgement] = ()
    risk: ResidualRisk | None = None
    source_suffix: str = field(default=".mp4")


def build_certificate(inputs: CertificateInputs, issued_at: datetime) -> Certificate:
    """The certificate of a release.

    Raises:
        SourceError: the released video cannot be read.
        RecordError: a part of the evidence is of another video, record or output.
    """
    _check_one_release(inputs)
    output, record, render = inputs.output_path, inputs.record, inputs.render
    facts = fingerprint_file(output, render.output_sha256)
    documents = {path.name: hash_file(path) for path in inputs.document_paths}
    video = record.source.video
    return Certificate(
        run=inputs.run_id,
        issued=issued_at,
        policy=_POLICY_SENTENCES[inputs.required_persons],
        source=SourceSection(
            record.source.sha256,
            record.source.bytes,
            len(record.frames),
            video.codec,
            video.display.width,
            video.display.height,
        ),
        output=OutputSection(output.name, render.output_bytes, facts),
        detection=_build_detection_section(record, render.record_sha256),
        review=ReviewSection(
            render.review_sha256, len(inputs.review.amendments) if inputs.review else 0, render.kept_visible
        ),
        render=_build_render_section(render, facts),
        checks=inputs.verification.checks,
        leaks=_build_leak_section(inputs),
        risk=inputs.risk.measures if inputs.risk else (),
        statements=tuple(inputs.statements),
        audit=inputs.log_head,
        documents=documents,
        commands=(
            *build_output_commands(output.name, facts, render.spec.comment, render.audio),
            *(
                [build_hash_command("the documents of the release are those it was certified with", documents)]
                * bool(documents)
            ),
        ),
        source_commands=tuple(
            build_source_commands(
                f"source{inputs.source_suffix}",
                record.source.sha256,
                _map_copied_audio(record, render, facts),
                render.audio,
                output.name,
            )
        ),
    )


def _check_one_release(inputs: CertificateInputs) -> None:
    """Every part speaks of the same source, record and output."""
    render, checks = inputs.render, inputs.verification
    said = (render.source_sha256, render.record_sha256, render.output_sha256, render.review_sha256)
    if said != (checks.source_sha256, checks.record_sha256, checks.output_sha256, checks.review_sha256):
        raise RecordError("The checks are not of the output that the render reports; verify this output.")
    for statement in inputs.statements:
        if (statement.subject.source, statement.subject.record) != said[:2]:
            raise RecordError(f"The signature {statement.number:04} is of another source or record than the release.")


def _build_detection_section(record: Record, record_sha256: Sha256) -> DetectionSection:
    tracks = {face.track for frame in record.frames for face in frame.faces}
    return DetectionSection(record_sha256, record.detection.mode, record.detection.detectors, len(tracks))


def _build_render_section(render: RenderReport, facts: FileFingerprint) -> RenderSection:
    parts = (render.spec, render.encoder, render.weaknesses, render.masked, render.covered, render.dropped)
    return RenderSection(*parts, _describe_audio(render, len(facts.audio)), render.audio)


def _describe_audio(render: RenderReport, stream_count: int) -> str:
    """What became of the audio, in a sentence."""
    if not stream_count:
        return "The source has no audio."
    kept = stream_count - len(render.audio)
    sentences = [f"Kept bit for bit: {kept} stream{'s' * (kept != 1)}."] * bool(kept)
    return " ".join(
        [*sentences, *(f"Stream {one.number} ({one.source_codec}): {one.summary}." for one in render.audio)]
    )


def _build_leak_section(inputs: CertificateInputs) -> LeakSection | None:
    if inputs.leak_report_path is None:
        return None
    data = inputs.leak_report_path.read_bytes()
    report = msgspec.json.decode(data, type=LeakReport)
    if report.output_sha256 != inputs.render.output_sha256:
        raise RecordError("The leak check is of another output than the release; check this one.")
    return LeakSection(
        report_sha256=hash_file(inputs.leak_report_path),
        looked=report.looked.whole,
        frames=report.looked.frames,
        findings=len(report.leaks),
        judgements=tuple(inputs.judgements),
        open=tuple(leak.key for leak in find_open_leaks(report, inputs.judgements)),
    )


def _map_copied_audio(record: Record, render: RenderReport, facts: FileFingerprint) -> dict[int, AudioPacketHash]:
    copied = [stream.index for stream in record.source.streams if stream.fate == "copied"]
    altered = {one.index for one in render.audio}
    pairs = zip(copied, facts.audio, strict=False)
    return {index: audio for index, audio in pairs if index not in altered}
