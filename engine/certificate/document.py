"""The certificate of a release: what was done to which file, who signed it, and how anyone can check it.

A certificate is a JSON document of canonical bytes beside the released video, with a page that says the same for
people. It holds hashes, names and figures, and no picture. It contains the commands that check the release without
Veil.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from engine.access import Persons
from engine.approval.notes import Note
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
from engine.core.json_decoder import decode_json
from engine.detectors.model_terms import describe_model_terms
from engine.errors import RecordError
from engine.media.output.file_fingerprint import AudioPacketHash, FileFingerprint, fingerprint_file
from engine.record import Count, DetectorFacts, Document, Record, Sha256, Timestamp
from engine.rendering.passthrough import PassthroughFacts
from engine.rendering.report import DroppedItem, EncoderFacts, RenderReport
from engine.rendering.spec import RenderSpec
from engine.review.amendments import Review
from engine.review.apply import AmendedRecord, KeptVisible, RemovedMask
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
    """The source: identified by its bytes and never by its name, because a name may identify a person."""

    sha256: Sha256
    bytes: int
    frames: Count
    codec: str
    width: int
    height: int


class OutputSection(Document, frozen=True):
    """The released video: name, size and fingerprint."""

    name: str
    bytes: int
    facts: FileFingerprint


class DetectionSection(Document, frozen=True, omit_defaults=True):
    """The detection: mode, detectors with versions, models and parameters, and the number of tracks.

    Attributes:
        model_terms: Licence and training data of each model file, by its name. Certificates of earlier versions have
            none.
    """

    record_sha256: Sha256
    mode: str
    detectors: tuple[DetectorFacts, ...]
    tracks: Count
    model_terms: Mapping[str, str] = {}


class ReviewSection(Document, frozen=True):
    """The review.

    Attributes:
        review_sha256: Hash of the amendments; None if there are none.
        amendments: Number of amendments.
        kept_visible: The faces that are kept visible.
        removed: The masks that were removed.
        notes: Number of notes that people wrote about the run; their words are in no certificate.
        open_notes: Number of them that nobody said are done.
    """

    review_sha256: Sha256 | None
    amendments: Count
    kept_visible: tuple[KeptVisible, ...]
    removed: tuple[RemovedMask, ...] = ()
    notes: Count = 0
    open_notes: Count = 0


class RenderSection(Document, frozen=True, omit_defaults=True):
    """The render: masks and encoder, what was dropped, and the audio.

    Attributes:
        audio: What happened to the audio, in a sentence. `spec.audio` has the replaced spans, each with its reason.
        altered: The audio streams in which something was replaced, piece by piece.
        passthrough: The frames that are the source's own packets; left out if that was not asked for.
    """

    spec: RenderSpec
    encoder: EncoderFacts
    weaknesses: tuple[str, ...]
    masked: Count
    covered: Count
    dropped: tuple[DroppedItem, ...]
    audio: str
    altered: tuple[AlteredAudio, ...] = ()
    passthrough: PassthroughFacts | msgspec.UnsetType = msgspec.UNSET


class LeakSection(Document, frozen=True):
    """The leak check of the output, and the judgements of its findings.

    Attributes:
        open: Keys of the leaks that still stop the release; empty in every release.
    """

    report_sha256: Sha256
    looked: Count
    frames: Count
    findings: Count
    judgements: tuple[LeakJudgement, ...]
    open: tuple[str, ...]


class Certificate(Document, frozen=True, kw_only=True):
    """The certificate of a release.

    Attributes:
        run: The run that was released.
        policy: The number of people that had to take part, in a sentence.
        statements: The statements that count, in the order in which they were signed.
        leaks: None if the output was not searched for faces; the page says so.
        risk: The measures of the residual risk.
        audit: The head of the audit log before the entry of this certificate.
        documents: SHA-256 of the other files of the release, by name.
        commands: Commands with which anyone can check the release in its folder.
        source_commands: Commands for people who have the source, saved in that folder under the name in the commands.
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
    """The inputs of a certificate.

    Attributes:
        run_id: The run that is released.
        output_path: The released video.
        record: Its detection record.
        review: The review that was applied, None if there was none.
        render: The report of the render.
        verification: The report of its verification.
        statements: The statements that count.
        required_persons: The number of people that the policy asks for.
        log_head: The head of the audit log.
        document_paths: The other files of the release.
        leak_report_path: The report of the leak check, None if there was none.
        judgements: The judgements of its findings.
        risk: The residual risk.
        source_suffix: Suffix of the name under which the commands expect the source.
        notes: The notes about the run, of which only their number is stated.
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
    notes: Sequence[Note] = ()


def build_certificate(inputs: CertificateInputs, issued_at: datetime) -> Certificate:
    """Build the certificate of a release.

    Raises:
        SourceError: The released video cannot be read.
        RecordError: A part of the inputs is of another video, record or output.
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
        review=_build_review_section(inputs),
        render=_build_render_section(render, facts),
        checks=inputs.verification.checks,
        leaks=_build_leak_section(inputs),
        risk=inputs.risk.measures if inputs.risk else (),
        statements=tuple(inputs.statements),
        audit=inputs.log_head,
        documents=documents,
        commands=build_release_commands(output.name, facts, render.spec.comment, render.audio, documents),
        source_commands=build_release_source_commands(
            f"source{inputs.source_suffix}", record, render.audio, facts, output.name
        ),
    )


def build_release_commands(
    output_name: str,
    facts: FileFingerprint,
    comment: str | None,
    altered: Sequence[AlteredAudio],
    documents: Mapping[str, Sha256],
) -> tuple[ShellCommand, ...]:
    """Build the commands that check a release, from the facts in its certificate."""
    shows = "the documents of the release are those it was certified with"
    of_documents = [build_hash_command(shows, documents)] if documents else []
    return (*build_output_commands(output_name, facts, comment, altered), *of_documents)


def build_release_source_commands(
    source_name: str, record: Record, altered: Sequence[AlteredAudio], facts: FileFingerprint, output_name: str
) -> tuple[ShellCommand, ...]:
    """Build the commands that check the source of a release, from the certificate and the record."""
    audio = _map_copied_audio(record, altered, facts)
    return tuple(build_source_commands(source_name, record.source.sha256, audio, altered, output_name))


def _check_one_release(inputs: CertificateInputs) -> None:
    """Check that every part is of the same source, record and output."""
    render, checks = inputs.render, inputs.verification
    hashes = (render.source_sha256, render.record_sha256, render.output_sha256, render.review_sha256)
    if hashes != (checks.source_sha256, checks.record_sha256, checks.output_sha256, checks.review_sha256):
        raise RecordError("The checks are of another output than the report of the render; verify this output.")
    for statement in inputs.statements:
        if (statement.subject.source, statement.subject.record) != hashes[:2]:
            raise RecordError(f"The signature {statement.number:04} is of another source or record than the release.")


def _build_detection_section(record: Record, record_sha256: Sha256) -> DetectionSection:
    tracks = {face.track for frame in record.frames for face in frame.faces}
    detectors = record.detection.detectors
    names = [model.name for detector in detectors for model in detector.models]
    terms = {name: text for name in names if (text := describe_model_terms(name)) is not None}
    return DetectionSection(record_sha256, record.detection.mode, detectors, len(tracks), terms)


def _build_review_section(inputs: CertificateInputs) -> ReviewSection:
    render, review = inputs.render, inputs.review
    removed = AmendedRecord(inputs.record, review).find_removed() if review else ()
    return ReviewSection(
        render.review_sha256,
        len(review.amendments) if review else 0,
        render.kept_visible,
        removed,
        len(inputs.notes),
        sum(note.done_by is None for note in inputs.notes),
    )


def _build_render_section(render: RenderReport, facts: FileFingerprint) -> RenderSection:
    parts = (render.spec, render.encoder, render.weaknesses, render.masked, render.covered, render.dropped)
    return RenderSection(*parts, _describe_audio(render, len(facts.audio)), render.audio, render.passthrough)


def _describe_audio(render: RenderReport, stream_count: int) -> str:
    """Describe what happened to the audio, in a sentence."""
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
    # Read from the folder of the release: the section must describe the very file that is released with it.
    data = inputs.leak_report_path.read_bytes()
    report = decode_json(data, type=LeakReport)
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


def _map_copied_audio(
    record: Record, altered: Sequence[AlteredAudio], facts: FileFingerprint
) -> dict[int, AudioPacketHash]:
    # The streams of the output follow those of the source in order; only altered ones differ in their packets.
    copied = [stream.index for stream in record.source.streams if stream.fate == "copied"]
    altered_indices = {one.index for one in altered}
    pairs = zip(copied, facts.audio, strict=False)
    return {index: audio for index, audio in pairs if index not in altered_indices}
