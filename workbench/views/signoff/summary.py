"""What the Sign-off page shows of a run, as plain values. Knows no Streamlit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from engine import record as records
from engine import release
from engine.approval.statements import Meaning, Statement
from engine.audio.spans import AudioSpan, words
from engine.core.frame_ranges import named
from engine.record import Record, digest
from engine.rendering.report import RenderReport
from engine.review.apply import Folded
from engine.review.coverage import ReviewCoverage
from engine.review.descriptions import described
from engine.runs import Run
from engine.verification.verify import VerifyReport
from workbench.core.formatting import count, moment, sentence, size
from workbench.core.style_names import words_of

TABLE = """<style>
.facts { border-collapse: collapse; width: 100%; }
.facts th, .facts td { text-align: left; padding: 5px 16px 5px 0; border-bottom: 1px solid #8885; vertical-align: top; }
.facts th { font-weight: 600; } .facts td { overflow-wrap: anywhere; } .facts td > code { font-size: 0.92em; }
.facts.headed td:first-child { white-space: nowrap; }
.facts.named th { width: 15rem; } .facts td.short { white-space: nowrap; overflow-wrap: normal; }
</style>"""
"""How a table of facts looks; one of Streamlit cuts a hash off."""
_PAPERS = MappingProxyType({
    "certificate.html": "certificate, to read and to print",
    "certificate.json": "certificate, to be checked by a program",
    "certificate.json.sig": "signature of the certificate",
    "certificate.pub": "key that it was signed with",
    "detections.json": "detection record",
    "review.jsonl": "amendments of the review",
    "leaks.json": "search for faces left over",
    "planted.json": "faces planted to measure the detection",
    "anchor.json": "head of the audit log at the release",
})  # fmt: skip
"""The documents of a release, those that a person wants first."""
_PAPER_ENDS = MappingProxyType({
    ".checks.json": "report of the checks", ".render.json": "report of the render",
})  # fmt: skip


def still(run: Run, index: int, style: str = "", revision: str = "") -> str:
    """The address of a still.

    Args:
        run: the run.
        index: of the frame.
        style: its name in an address, for a masked one; nothing for the frame as it was recorded.
        revision: SHA-256 of the amendments that it is masked by.
    """
    address = f"/api/stills/{quote(run.id)}/{index}?side=1280"
    return f"{address}&masked=1&style={quote(style)}&at={revision[:12]}" if style else address


def facts(case: release.Case, folded: Folded, looked: ReviewCoverage) -> Iterator[tuple[str, str]]:
    """What is signed, line by line."""
    record, terms, request = case.record, case.terms, case.run.request
    video = record.source.video
    seconds = float((record.frames[-1].pts - record.frames[0].pts) * records.fraction(video.time_base))
    picture = f"{video.display.width} x {video.display.height}, {count(len(record.frames), 'frame')}, {seconds:.1f} s"
    tracks = {face.track for frame in record.frames for face in frame.faces}
    faces = sum(len(frame.faces) for frame in record.frames)
    large = size(record.source.bytes).replace(" ", "\N{NO-BREAK SPACE}")
    yield "Source", f"{case.run.title}, {large}"
    yield "Picture", picture
    yield "Run", f"{case.run.id}, asked for by {request.name} ({request.account}) on {moment(request.at)}"
    yield "Detection", f"{record.detection.mode}: {', '.join(one.name for one in record.detection.detectors)}"
    yield "Found", f"{count(faces, 'face')} in {count(len(tracks), 'track')}"
    yield "Amendments", count(len(case.review.amendments), "amendment") if case.review.amendments else "none"
    shown = [f"track {one.track} in {named(one.start, one.stop)}: {one.reason}" for one in folded.kept_visible()]
    yield "Shown on purpose", "; ".join(shown) or "nobody"
    risk = f"{share} of the risk looked at" if (share := risk_seen(looked)) else "no doubtful spots"
    yield "Review", f"{looked.seen:,} of {looked.frames:,} frames seen, {risk}"
    yield "Audio", audio_decision(record, terms.audio)
    yield "Dropped", dropped(record)
    yield "Style", words_of(terms.style) + (" (forced)" if terms.forced else "")
    encoder = f"quality {terms.encoder.crf:g} (crf), preset {terms.encoder.preset}"
    yield "Output", f"a {terms.suffix} file, {encoder}"


def risk_seen(looked: ReviewCoverage) -> str | None:
    """What share of the risk was looked at, in per cent, rounded down; None where there are no spots."""
    return f"{int(100 * looked.risk_seen)} %" if looked.spots else None


def hashes(case: release.Case) -> Iterator[tuple[str, str]]:
    """The SHA-256 that a signature is bound to."""
    subject = case.steps.subject
    yield "SHA-256 of the source", subject.source
    yield "SHA-256 of the record", subject.record
    yield "SHA-256 of the amendments", subject.review
    yield "SHA-256 of the terms", subject.terms


def amendments(case: release.Case) -> Iterator[tuple[str, str, str, str]]:
    """The amendments: number, what, who and when, why."""
    for one in case.review.amendments:
        when = f"{one.by.name}, {one.at.astimezone():%Y-%m-%d %H:%M}"
        yield str(one.number), sentence(described(one.action)), when, one.reason or "-"


def audio_decision(record: Record, spans: Sequence[AudioSpan] = ()) -> str:
    """What becomes of the sound."""
    if spans:
        return f"{words(spans)}; everything else is kept"
    kept = [stream.codec for stream in record.source.streams if stream.kind == "audio" and stream.fate == "copied"]
    if not kept:
        return "there is none that is kept"
    return f"{len(kept)} stream{'s' * (len(kept) > 1)} kept as in the source ({', '.join(kept)}): voices identify, too"


def dropped(record: Record) -> str:
    """The streams that are left out."""
    gone = [f"{stream.kind} ({stream.codec})" for stream in record.source.streams if stream.fate == "dropped"]
    return ", ".join(gone) or "no stream; container metadata is never kept"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """HTML of a table of texts with heads."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'{TABLE}<table class="facts headed"><tr>{head}</tr>{body}</table>'


def named_values(rows: Iterable[tuple[str, str]]) -> str:
    """HTML of a table of names and values; a hash is set in letters of one width."""
    body = "".join(f"<tr><th scope=row>{escape(name)}</th><td>{_cell(name, value)}</td></tr>" for name, value in rows)
    return f'{TABLE}<table class="facts named">{body}</table>'


def _cell(name: str, value: str) -> str:
    return f"<code>{escape(value)}</code>" if name.startswith("SHA-256") else escape(value)


def showcase(record: Record) -> int:
    """The frame to compare styles on: the largest face that is at most a third of the picture high."""
    third = record.source.video.display.height / 3

    def shown(index: int) -> tuple[float, float]:
        areas = [face.box.area for face in record.frames[index].faces]
        small = [face.box.area for face in record.frames[index].faces if face.box.height <= third]
        return max(small, default=0.0), max(areas, default=0.0)

    return max(range(len(record.frames)), key=shown)


def residual_sentences(coverage: ReviewCoverage, open_spots: int) -> Iterator[str]:
    """What is left open, in sentences; none when nothing is."""
    if unseen := len(coverage.open_unseen):
        yield f"{count(unseen, 'doubtful spot')} {'was' if unseen == 1 else 'were'} not looked at by anybody."
    if open_spots:
        yield f"{count(open_spots, 'doubtful spot')} {'is' if open_spots == 1 else 'are'} neither accepted nor amended."
    if coverage.seen < coverage.frames:
        yield f"{coverage.frames - coverage.seen} of {coverage.frames} frames were not seen by anybody."


def holding(case: release.Case, meaning: Meaning) -> tuple[Statement, ...]:
    """The statements of a meaning that count for what is shown."""
    found = (standing for standing in case.steps.standings() if not standing.void)
    return tuple(one.statement for one in found if one.statement.meaning == meaning)


def step_of(case: release.Case) -> str:
    """How far the sign-off of what is shown is: "approved", "reviewed" or "open"."""
    return "approved" if holding(case, "approved") else "reviewed" if holding(case, "reviewed") else "open"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the sign-off.

    Attributes:
        title: what has to be done.
        by: who did it, and when; None while nobody has, or what was signed counts no more.
        void: why what was signed counts no more.
    """

    title: str
    by: str | None
    void: str | None = None


def steps(case: release.Case) -> tuple[Step, ...]:
    """The steps of the sign-off, in order, each as it stands for what is shown."""
    meanings: tuple[tuple[str, Meaning], ...] = (
        ("Reviewed", "reviewed"), ("Approved", "approved"), ("Released", "released"),
    )  # fmt: skip
    return tuple(_step(case, title, meaning) for title, meaning in meanings)


def _step(case: release.Case, title: str, meaning: Meaning) -> Step:
    signed = [one for one in case.steps.standings() if one.statement.meaning == meaning]
    counting = [one.statement for one in signed if not one.void]
    if counting:
        last = counting[-1]
        return Step(title, f"{last.name}, {last.at.astimezone():%Y-%m-%d %H:%M}")
    return Step(title, None, "; ".join(signed[-1].void) if signed else None)


def sent_back(case: release.Case) -> Statement | None:
    """The rejection after which nobody has signed again, None when there is none."""
    signed = [standing.statement for standing in case.steps.standings()]
    return signed[-1] if signed and signed[-1].meaning == "rejected" else None


def next_step(case: release.Case, findings: int) -> str:
    """What comes next, in a sentence.

    Args:
        case: as it stands.
        findings: how many findings hold a release up.
    """
    if findings:
        return f"{sentence(count(findings, 'finding'))} in the rendered video: judge each one, then release again."
    if sent_back(case):
        return "Amend what was found, then sign again that it was reviewed."
    if holding(case, "released"):
        return "Nothing. A change of the amendments, the style or the audio begins the sign-off anew."
    match step_of(case):
        case "approved":
            return "The final video can be released."
        case "reviewed":
            return "Somebody has to approve it, in this style and with this audio."
        case _:
            return "Somebody who has reviewed it has to sign that."


def outdated(report: RenderReport, case: release.Case) -> Iterator[str]:
    """What of a render is not what is shown now."""
    review = digest(case.review_bytes) if case.review_bytes else None
    if report.record_sha256 != case.steps.subject.record:
        yield "the record"
    if report.review_sha256 != review:
        yield "the amendments"
    if report.spec.style != case.terms.style:
        yield "the style"
    if report.spec.audio != case.terms.audio:
        yield "the audio"


def releases_of(run: Run) -> tuple[Path, ...]:
    """The folders of the releases, newest first."""
    if not run.folder.releases.is_dir():
        return ()
    return tuple(sorted((path for path in run.folder.releases.iterdir() if path.name.isdecimal()), reverse=True))


def video_of(folder: Path) -> Path | None:
    """The video of a release."""
    reports = list(folder.glob("*.render.json"))
    return reports[0].with_name(reports[0].name.removesuffix(".render.json")) if reports else None


def papers_of(folder: Path) -> tuple[Path, ...]:
    """The documents of a release, those that a person wants first."""
    video = video_of(folder)
    papers = [path for path in folder.iterdir() if path.is_file() and path != video]
    rank = {name: place for place, name in enumerate(_PAPERS)}
    return tuple(sorted(papers, key=lambda path: (rank.get(path.name, len(rank)), path.name)))


def paper_named(path: Path) -> str:
    """What a file of a release is, in words."""
    ends = (words for end, words in _PAPER_ENDS.items() if path.name.endswith(end))
    return _PAPERS.get(path.name) or next(ends, "document")


def checks_of(folder: Path) -> VerifyReport | None:
    """The report of the checks of a release.

    Raises:
        RecordError: it cannot be read.
    """
    for path in folder.glob("*.checks.json"):
        return records.read_as(path, VerifyReport, "report of the checks")
    return None
