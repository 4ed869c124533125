"""The verbs `veil leaks`, `veil plant` and `veil risk`: their arguments, and what they say."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TypeVar

import msgspec

from engine import record as records
from engine import release, runs
from engine.assurance.leak_check.check import check_leaks
from engine.assurance.leak_check.report import LeakJudgement, LeakReport, unjudged
from engine.assurance.planted_faces.experiment import PlantedRecall, PlantedReport, PlantSettings, plant
from engine.assurance.residual_risk import AUDIT_SCHEMA, FrameAudit, ResidualRisk, audit_sample, residual, words
from engine.cli.arguments import add_person
from engine.cli.identity import session_of
from engine.cli.terminal import Terminal
from engine.errors import CheckFailedError, InputError, RecordError
from engine.record import Document, Record
from engine.review.amendments import Author
from engine.review.load import load_record
from engine.storage.files import data_folder, file_digest
from engine.storage.files import write as write_file

Kind = TypeVar("Kind", bound=Document)

_LEAKS, _PLANTED = "report of a leak check", "report of planted faces"


def add_leaks(verb: ArgumentParser) -> None:
    """The arguments of `veil leaks`."""
    verb.add_argument("source", type=Path)
    verb.add_argument("record", type=Path)
    verb.add_argument("output", type=Path, metavar="OUT")
    verb.add_argument("--review", type=Path, metavar="FILE", help="amendments that OUT was rendered with")
    verb.add_argument(
        "--judgements", type=Path, metavar="FILE", help="what people said of its leaks, one a line (JSON)"
    )
    verb.add_argument("-o", "--report", type=Path, metavar="FILE", help="write the report as JSON")


def leaks(options: Namespace, terminal: Terminal) -> int:
    """`veil leaks`."""
    start = monotonic()
    report = check_leaks(
        options.source, options.record, options.output, review=options.review, data=options.data, listener=terminal
    )
    if options.report is not None:
        write_file(options.report, records.encode(report))
    open_ones = unjudged(report, _judgements(options.judgements))
    terminal.result(report, "\n".join(_leaks_text(report, len(open_ones), monotonic() - start)))
    return CheckFailedError.exit_code if open_ones else 0


def add_plant(verb: ArgumentParser) -> None:
    """The arguments of `veil plant`."""
    verb.add_argument("source", type=Path)
    verb.add_argument("record", type=Path)
    defaults = PlantSettings()
    for name, what in (("segments", "stretches of the video"), ("length", "frames of each"), ("faces", "in each")):
        value = getattr(defaults, name)
        verb.add_argument(f"--{name}", type=int, default=value, metavar="N", help=f"{what} (default: {value})")
    verb.add_argument("-o", "--report", type=Path, metavar="FILE", help="write the report as JSON")


def planting(options: Namespace, terminal: Terminal) -> int:
    """`veil plant`."""
    given = {name: getattr(options, name) for name in ("segments", "length", "faces")}
    try:
        settings = msgspec.convert(given, PlantSettings)
    except msgspec.ValidationError as error:
        raise InputError(f"Faces cannot be planted like that: {error}.") from error
    report = plant(options.source, options.record, settings=settings, data=options.data, listener=terminal)
    if options.report is not None:
        write_file(options.report, records.encode(report))
    terminal.result(report, "\n".join(_planted_text(report)))
    return 0


def add_risk(verb: ArgumentParser) -> None:
    """The arguments of `veil risk`."""
    verb.add_argument(
        "subject", type=Path, nargs="+", metavar="RUN|SOURCE RECORD", help="a run, or a video and its record"
    )
    verb.add_argument("--leaks", type=Path, metavar="FILE", help="with SOURCE RECORD: report of veil leaks")
    verb.add_argument("--planted", type=Path, metavar="FILE", help="with SOURCE RECORD: report of veil plant")
    verb.add_argument("--audit", type=Path, metavar="FILE", help="with SOURCE RECORD: outcome of an audit of frames")
    verb.add_argument("--draw", type=int, metavar="N", help="draw N frames for a person to look at, and list them")
    verb.add_argument(
        "--missed", metavar="I,J,...", help="with --draw: all were looked at, and these show a face; '' for none"
    )
    add_person(verb)
    verb.add_argument("-o", "--report", type=Path, metavar="FILE", help="write the document as JSON")


def risk(options: Namespace, terminal: Terminal) -> int:
    """`veil risk`."""
    found = _risk_of_run(options) if len(options.subject) == 1 else _risk_of_record(options)
    if isinstance(found, tuple):
        listed = ", ".join(map(str, found))
        terminal.result({"drawn": found}, f"Look at these frames of the output for faces: {listed}")
        return 0
    if options.report is not None:
        write_file(options.report, records.encode(found))
    terminal.result(found, "\n".join(words(found)))
    return 0


def _risk_of_run(options: Namespace) -> ResidualRisk | tuple[int, ...]:
    """What is known of a run, after what somebody found in drawn frames was put on record; or the frames to look at."""
    data = data_folder(options.data)
    run = runs.get(data, str(options.subject[0]))
    if options.leaks or options.planted or options.audit:
        raise InputError(f"The reports of {run.id} are known; --leaks, --planted and --audit go with SOURCE RECORD.")
    if options.draw is not None:
        if options.missed is None:
            return release.drawn_frames(run, options.draw)
        session, _ = session_of(data, options)
        release.audit_frames(data, run.id, session.person, options.draw, _indices(options.missed))
    return release.risk_of(data, run)


def _risk_of_record(options: Namespace) -> ResidualRisk | tuple[int, ...]:
    """What reports say of a record; or the frames to look at."""
    if len(options.subject) > 2:
        raise InputError("Give a run, or a video and its record.")
    source, path = options.subject
    record, sha256 = load_record(path)
    if source.is_file() and file_digest(source) != record.source.sha256:
        raise RecordError(f"The record {path} is of another video than {source}; give its own, or detect this one.")
    audit = _read(options.audit, FrameAudit, "audit of frames")
    if options.draw is not None:
        drawn = audit_sample(record, options.draw)
        if options.missed is None:
            return drawn
        audit = _audited(record, sha256, drawn, options.missed)
    return residual(
        record,
        sha256,
        planted=_read(options.planted, PlantedReport, _PLANTED),
        leaks=_read(options.leaks, LeakReport, _LEAKS),
        audit=audit,
    )


def _judgements(path: Path | None) -> list[LeakJudgement]:
    if path is None:
        return []
    lines = records.read_bytes(path).splitlines()
    try:
        return [msgspec.json.decode(line, type=LeakJudgement) for line in lines]
    except msgspec.MsgspecError as error:
        raise RecordError(f"{path} holds a line that is no judgement of a leak: {error}.") from error


def _read(path: Path | None, kind: type[Kind], what: str) -> Kind | None:
    return None if path is None else records.read_as(path, kind, what)


def _indices(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(index) for index in text.split(",") if index.strip()}))
    except ValueError as error:
        raise InputError(f"--missed takes numbers of frames separated by commas; got {text!r}.") from error


def _audited(record: Record, sha256: str, drawn: tuple[int, ...], missed: str) -> FrameAudit:
    found = _indices(missed)
    if strangers := set(found) - set(drawn):
        raise InputError(f"--missed names frame {min(strangers)}, which was not drawn.")
    account = getpass.getuser()
    return FrameAudit(
        schema=AUDIT_SCHEMA,
        source_sha256=record.source.sha256,
        record_sha256=sha256,
        review_sha256=None,
        drawn=drawn,
        looked=drawn,
        missed=found,
        by=Author(account, account),
        at=datetime.now(UTC),
    )


def _leaks_text(report: LeakReport, open_ones: int, seconds: float) -> Iterator[str]:
    looked = report.looked
    names = " and ".join(
        f"{one.facts.name}{'' if one.independent else ' (which the detection used too)'}" for one in report.detectors
    )
    yield f"{names} looked at {looked.whole} of {looked.frames} frames and at {looked.parts} parts of frames"
    if looked.left_out:
        yield f"{looked.left_out} parts that are next to a mask were left out, to bound the cost"
    yield f"{looked.masks} masks were held against the source; {seconds:.1f} s in all"
    for leak in report.leaks:
        yield f"LEAK  {leak.key}  {leak.finding}"
    for leak in report.doubtful:
        yield f"doubtful in the record too:  {leak.key}  {leak.finding}"
    if not report.leaks:
        yield "No leak was found."
    elif open_ones:
        yield f"{open_ones} of {len(report.leaks)} leaks are not cleared by a person: look at each before a release."
    else:
        yield f"All {len(report.leaks)} leaks are cleared by a person."


def _planted_text(report: PlantedReport) -> Iterator[str]:
    yield f"{len(report.plants)} faces planted in {len(report.segments)} segments ({report.share:.1%} of the frames)"
    if report.left_out:
        yield f"{report.left_out} more found no free place"
    yield f"  {'height':<16} {'plants':>6} {'throughout':>10} {'frames':>7} {'recall':>7}  95 % interval"
    for name, recall in (("all", report.overall), *report.by_size.items()):
        yield f"  {name.replace('_', ' '):<16} {_row(recall)}"


def _row(recall: PlantedRecall) -> str:
    if recall.recall is None or recall.recall_interval is None:
        return f"{recall.plants:>6}"
    low, high = recall.recall_interval
    figures = f"{recall.plants:>6} {recall.throughout:>10} {recall.frames:>7} {recall.recall:>7.3f}"
    return f"{figures}  {low:.3f} to {high:.3f}"
