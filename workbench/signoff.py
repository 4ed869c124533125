"""What the Sign-off page shows of a run, as plain values. Knows no Streamlit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from engine import record as records
from engine import release
from engine.access.actions import ALLOWED, Action
from engine.access.people import Person
from engine.record import Record
from engine.redact.presets import DEFAULT, PRESETS
from engine.redact.style import Style
from engine.review.coverage import ReviewCoverage
from engine.runs import Run
from engine.sound.choice import AudioSpan, words
from engine.verification import VerifyReport

_SHOWN = 12
"""Characters of a hash that a person compares; the whole one stands beside it to be copied."""

TABLE = """<style>
.facts { border-collapse: collapse; width: 100%; }
.facts th, .facts td { text-align: left; padding: 4px 14px 4px 0; border-bottom: 1px solid #8885; vertical-align: top; }
.facts th { font-weight: 600; white-space: nowrap; width: 16em; } .facts td { overflow-wrap: anywhere; }
</style>"""
"""How a table of facts looks; one of Streamlit cuts a hash off."""
_PRIMARY = ("detections.json", "review.jsonl", "certificate.html", "certificate.json")


def may(person: Person, action: Action) -> bool:
    """Whether the page offers something; whether it is done is asked again when it is."""
    return not ALLOWED[action].isdisjoint(person.roles)


def facts(case: release.Case) -> Iterator[tuple[str, str]]:
    """What is signed, line by line."""
    record, subject = case.record, case.steps.subject
    video = record.source.video
    seconds = float((record.frames[-1].pts - record.frames[0].pts) * records.fraction(video.time_base))
    yield "Source", f"{case.run.title}, {record.source.bytes:,} bytes"
    yield "Picture", f"{video.display.width}x{video.display.height}, {len(record.frames)} frames, {seconds:.1f} s"
    yield "Detection", f"{record.detection.mode}: {', '.join(one.name for one in record.detection.detectors)}"
    yield "Amendments", f"{len(case.review.amendments)}"
    yield "Audio", audio_decision(record, case.terms.audio)
    yield "Dropped", dropped(record)
    yield "Style", words_of(case.terms.style)
    yield "SHA-256 of the source", subject.source
    yield "SHA-256 of the record", subject.record
    yield "SHA-256 of the amendments", subject.review
    yield "SHA-256 of the terms", subject.terms


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


def words_of(style: Style) -> str:
    """A style in a few words."""
    return f"{style.method}, {style.shape}, {style.scale:g} times the face"


def preset_of(style: Style) -> str:
    """The preset that a style is, the default when it is none."""
    return next((name for name, one in PRESETS.items() if one == style), DEFAULT)


def short(sha256: str) -> str:
    """A hash as a person compares it."""
    return sha256[:_SHOWN]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """HTML of a table of texts."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"{TABLE}<table class=facts><tr>{head}</tr>{body}</table>"


def showcase(record: Record) -> int:
    """The frame whose faces are largest, to compare styles on."""

    def covered(index: int) -> float:
        return sum(face.box.area for face in record.frames[index].faces)

    return max(range(len(record.frames)), key=covered)


def residual_sentences(coverage: ReviewCoverage, open_spots: int) -> Iterator[str]:
    """What is left open, in sentences; none when nothing is."""
    if unseen := len(coverage.open_unseen):
        yield f"{_spots(unseen)} not looked at by anybody."
    if open_spots:
        yield f"{_spots(open_spots)} neither accepted nor amended."
    if coverage.seen < coverage.frames:
        yield f"{coverage.frames - coverage.seen} of {coverage.frames} frames were not seen by anybody."


def _spots(number: int) -> str:
    return "1 doubtful spot is" if number == 1 else f"{number} doubtful spots are"


def step_of(case: release.Case) -> str:
    """How far the sign-off of what is shown is: "approved", "reviewed" or "open"."""
    holding = {standing.statement.meaning for standing in case.steps.standings() if not standing.void}
    return "approved" if "approved" in holding else "reviewed" if "reviewed" in holding else "open"


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
    rank = {name: place for place, name in enumerate(_PRIMARY)}
    return tuple(sorted(papers, key=lambda path: (rank.get(path.name, len(rank)), path.name)))


def checks_of(folder: Path) -> VerifyReport | None:
    """The report of the checks of a release.

    Raises:
        RecordError: it cannot be read.
    """
    for path in folder.glob("*.checks.json"):
        return records.read_as(path, VerifyReport, "report of the checks")
    return None
