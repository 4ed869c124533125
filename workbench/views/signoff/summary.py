"""The facts that the Sign off page shows about a run, as plain values. Knows no Streamlit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from engine import release
from engine.approval.workflow import SignOff
from engine.audio.spans import AudioSpan, describe_spans
from engine.core.frame_ranges import describe_range
from engine.core.wording import format_count, to_sentence
from engine.record import Record, read_document, sha256_hex
from engine.rendering.report import RenderReport
from engine.review.apply import AmendedRecord
from engine.review.coverage import ReviewCoverage
from engine.review.descriptions import describe_action
from engine.runs import Run
from engine.storage.data_folder import (
    ANCHOR_NAME,
    CERTIFICATE_KEY_NAME,
    CERTIFICATE_NAME,
    CERTIFICATE_PAGE_NAME,
    CERTIFICATE_SIGNATURE_NAME,
    CERTIFICATE_TIME_STAMP_NAME,
    CHECKS_SUFFIX,
    LEAK_REPORT_NAME,
    PLANTED_REPORT_NAME,
    RECORD_NAME,
    RENDER_REPORT_SUFFIX,
    REVIEW_NAME,
    remove_suffix,
)
from engine.verification.report import VerifyReport
from workbench.core.formatting import format_size, format_time
from workbench.core.style_names import describe_style

TABLE_CSS = """<style>
.facts { border-collapse: collapse; width: 100%; }
.facts th, .facts td { text-align: left; padding: 5px 16px 5px 0; border-bottom: 1px solid #8885; vertical-align: top; }
.facts th { font-weight: 600; } .facts td { overflow-wrap: anywhere; } .facts td > code { font-size: 0.92em; }
.facts.headed td:first-child { white-space: nowrap; }
.facts.named th { width: 15rem; } .facts td.short { white-space: nowrap; overflow-wrap: normal; }
</style>"""
"""CSS of a table of facts. Streamlit's own table would cut off a hash."""
_DOCUMENT_LABELS = MappingProxyType({
    CERTIFICATE_PAGE_NAME: "certificate to read and print",
    CERTIFICATE_NAME: "certificate for programs",
    CERTIFICATE_SIGNATURE_NAME: "signature of the certificate",
    CERTIFICATE_TIME_STAMP_NAME: "time stamp of the certificate",
    CERTIFICATE_KEY_NAME: "public key of the signature",
    RECORD_NAME: "detection record",
    REVIEW_NAME: "amendments of the review",
    LEAK_REPORT_NAME: "leak check",
    PLANTED_REPORT_NAME: "detection test with planted faces",
    ANCHOR_NAME: "audit log anchor at the release",
})  # fmt: skip
"""The documents of a release, the ones that people need most first."""
_DOCUMENT_SUFFIX_LABELS = MappingProxyType({
    CHECKS_SUFFIX: "verification report", RENDER_REPORT_SUFFIX: "render report",
})  # fmt: skip


def build_still_address(run: Run, index: int, style: str = "", revision: str = "") -> str:
    """Return the address of a still.

    Args:
        run: the run.
        index: index of the frame.
        style: name of the style in an address; empty: the frame without masks.
        revision: SHA-256 of the amendments, so that the browser does not show an older still.
    """
    address = f"/api/stills/{quote(run.id)}/{index}?side=1280"
    return f"{address}&masked=1&style={quote(style)}&at={revision[:12]}" if style else address


def list_signed_facts(
    snapshot: release.SignOffSnapshot, amended: AmendedRecord, coverage: ReviewCoverage
) -> Iterator[tuple[str, str]]:
    """List what a signature covers, one name and value a line."""
    record, terms, request = snapshot.record, snapshot.terms, snapshot.run.request
    video = record.source.video
    seconds = record.to_seconds(-1)
    picture = (
        f"{video.display.width} x {video.display.height}, {format_count(len(record.frames), 'frame')}, {seconds:.1f} s"
    )
    tracks = {face.track for frame in record.frames for face in frame.faces}
    faces = sum(len(frame.faces) for frame in record.frames)
    # A no-break space, so that number and unit stay on one line.
    size_text = format_size(record.source.bytes).replace(" ", "\N{NO-BREAK SPACE}")
    yield "Source", f"{snapshot.run.title}, {size_text}"
    yield "Picture", picture
    yield "Run", f"{snapshot.run.id}, started by {request.name} ({request.account}) on {format_time(request.at)}"
    yield "Detection", f"{record.detection.mode}: {', '.join(one.name for one in record.detection.detectors)}"
    yield "Masks", f"{format_count(len(tracks), 'track')}, {format_count(faces, 'face')} in all frames together"
    yield (
        "Amendments",
        format_count(len(snapshot.review.amendments), "amendment") if snapshot.review.amendments else "none",
    )
    kept_visible = [
        f"track {one.track} in {describe_range(one.start, one.stop)}: {one.reason}"
        for one in amended.find_kept_visible()
    ]
    yield "Kept visible", "; ".join(kept_visible) or "none"
    risk = f"{share} of the risk reviewed" if (share := format_risk_seen(coverage)) else "nothing to check"
    yield "Review", f"{coverage.seen:,} of {coverage.frames:,} frames viewed, {risk}"
    yield "Audio", describe_audio(record, terms.audio)
    yield "Dropped", describe_dropped(record)
    yield "Style", describe_signed_style(snapshot)
    encoder = f"quality {terms.encoder.crf:g} (crf), preset {terms.encoder.preset}"
    yield "Output", f"a {terms.suffix} file, {encoder}"


def describe_signed_style(snapshot: release.SignOffSnapshot) -> str:
    """Describe the style that a signature covers."""
    return describe_style(snapshot.terms.style) + (" (forced)" if snapshot.terms.forced else "")


def format_risk_seen(coverage: ReviewCoverage) -> str | None:
    """Format the reviewed share of the risk in per cent, rounded down; None if there is nothing to check."""
    return f"{int(100 * coverage.risk_seen)} %" if coverage.spots else None


def list_hashes(snapshot: release.SignOffSnapshot) -> Iterator[tuple[str, str]]:
    """List the SHA-256 hashes that a signature is bound to."""
    subject = snapshot.sign_off.hashes
    yield "SHA-256 of the source", subject.source
    yield "SHA-256 of the record", subject.record
    yield "SHA-256 of the amendments", subject.review
    yield "SHA-256 of the output settings", subject.terms


def describe_amendments(snapshot: release.SignOffSnapshot) -> Iterator[tuple[str, str, str, str]]:
    """List the amendments: number, action, person and time, reason."""
    for amendment in snapshot.review.amendments:
        when = f"{amendment.by.name}, {amendment.at.astimezone():%Y-%m-%d %H:%M}"
        yield str(amendment.number), to_sentence(describe_action(amendment.action)), when, amendment.reason or "-"


def describe_audio(record: Record, spans: Sequence[AudioSpan] = ()) -> str:
    """Describe what happens to the audio."""
    if spans:
        return f"{describe_spans(spans)}; everything else is kept"
    kept = [stream.codec for stream in record.source.streams if stream.kind == "audio" and stream.fate == "copied"]
    if not kept:
        return "no audio is kept"
    return f"{len(kept)} stream{'s' * (len(kept) > 1)} kept unchanged ({', '.join(kept)}). Voices can identify people."


def describe_dropped(record: Record) -> str:
    """List the streams that the output leaves out."""
    dropped = [f"{stream.kind} ({stream.codec})" for stream in record.source.streams if stream.fate == "dropped"]
    return ", ".join(dropped) or "no stream; container metadata is always removed"


def build_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the HTML of a table with a head row."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'{TABLE_CSS}<table class="facts headed"><tr>{head}</tr>{body}</table>'


def build_value_table(rows: Iterable[tuple[str, str]]) -> str:
    """Return the HTML of a table of names and values; hashes are set in a monospaced font."""
    body = "".join(
        f"<tr><th scope=row>{escape(name)}</th><td>{_build_cell(name, value)}</td></tr>" for name, value in rows
    )
    return f'{TABLE_CSS}<table class="facts named">{body}</table>'


def _build_cell(name: str, value: str) -> str:
    return f"<code>{escape(value)}</code>" if name.startswith("SHA-256") else escape(value)


def find_showcase_frame(record: Record) -> int:
    """Find the frame on which to compare styles: the largest face at most a third of the frame high."""
    third = record.source.video.display.height / 3

    def rank_frame(index: int) -> tuple[float, float]:
        areas = [face.box.area for face in record.frames[index].faces]
        small = [face.box.area for face in record.frames[index].faces if face.box.height <= third]
        return max(small, default=0.0), max(areas, default=0.0)

    return max(range(len(record.frames)), key=rank_frame)


def describe_open_points(coverage: ReviewCoverage, open_spots: int) -> Iterator[str]:
    """List what the review has left open, one sentence each."""
    if unseen := len(coverage.open_unseen):
        yield f"{format_count(unseen, 'item')} to check {'was' if unseen == 1 else 'were'} not viewed."
    if open_spots:
        verb = "is" if open_spots == 1 else "are"
        yield f"{format_count(open_spots, 'item')} to check {verb} still open."
    if coverage.seen < coverage.frames:
        yield f"{coverage.frames - coverage.seen:,} of {coverage.frames:,} frames were not viewed."


def describe_signatures(sign_off: SignOff) -> str:
    """Say which signature counts, for the caption of a step."""
    for step in reversed(sign_off.list_steps()[:2]):
        if step.statement:
            return f"{step.meaning.capitalize()} by {step.statement.name}"
    return "Sent back" if sign_off.rejection else "Not signed yet"


def describe_next_step(sign_off: SignOff, finding_count: int) -> str:
    """Say what has to be done next.

    Args:
        sign_off: the sign-off as it stands.
        finding_count: number of findings of the leak check that block the release.
    """
    if finding_count:
        return f"judge {format_count(finding_count, 'finding')} in the rendered video, then release again."
    match sign_off.next_step:
        case None:
            return "nothing: it is released. The sign-off starts again if the amendments, the style or audio change."
        case "release":
            return "an approver releases the final video."
        case "approval":
            return "an approver approves the review, style and audio."
        case "review" if sign_off.rejection:
            return "a reviewer amends what was found, then signs the review again."
        case "review":
            return "a reviewer signs the review."


def list_outdated_parts(report: RenderReport, snapshot: release.SignOffSnapshot) -> Iterator[str]:
    """List the parts of a render that differ from what the page shows now."""
    review = sha256_hex(snapshot.review_bytes) if snapshot.review_bytes else None
    if report.record_sha256 != snapshot.sign_off.hashes.record:
        yield "the record"
    if report.review_sha256 != review:
        yield "the amendments"
    if report.spec.style != snapshot.terms.style:
        yield "the style"
    if report.spec.audio != snapshot.terms.audio:
        yield "the audio"


def list_release_folders(run: Run) -> tuple[Path, ...]:
    """List the folders of the releases, newest first."""
    if not run.folder.releases.is_dir():
        return ()
    return tuple(sorted((path for path in run.folder.releases.iterdir() if path.name.isdecimal()), reverse=True))


def find_release_video(folder: Path) -> Path | None:
    """Find the video of a release; None if its render report is missing."""
    reports = list(folder.glob(f"*{RENDER_REPORT_SUFFIX}"))
    return remove_suffix(reports[0], RENDER_REPORT_SUFFIX) if reports else None


def list_documents(folder: Path) -> tuple[Path, ...]:
    """List the documents of a release, the ones that people need most first."""
    video = find_release_video(folder)
    papers = [path for path in folder.iterdir() if path.is_file() and path != video]
    rank = {name: place for place, name in enumerate(_DOCUMENT_LABELS)}
    return tuple(sorted(papers, key=lambda path: (rank.get(path.name, len(rank)), path.name)))


def describe_document(path: Path) -> str:
    """Describe a file of a release."""
    ends = (words for end, words in _DOCUMENT_SUFFIX_LABELS.items() if path.name.endswith(end))
    return _DOCUMENT_LABELS.get(path.name) or next(ends, "document")


def read_checks(folder: Path) -> VerifyReport | None:
    """Read the verification report of a release; None if there is none.

    Raises:
        RecordError: it cannot be read.
    """
    for path in folder.glob(f"*{CHECKS_SUFFIX}"):
        return read_document(path, VerifyReport, "verification report")
    return None
