"""The verbs `veil leaks`, `veil plant` and `veil risk`: their arguments, and what they say."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import TypeVar

import msgspec

from engine import release, runs
from engine.assurance.frame_audit import FrameAudit, build_frame_audit, draw_audit_frames
from engine.assurance.leak_check.check import check_leaks
from engine.assurance.leak_check.report import LeakJudgement, LeakReport, find_open_leaks
from engine.assurance.planted_faces.experiment import run_planted_faces
from engine.assurance.planted_faces.report import PlantedFaceReport, PlantedFaceSettings, PlantedRecall
from engine.assurance.residual_risk import ResidualRisk, RiskInputs, assess_residual_risk, format_risk
from engine.cli.arguments import add_person_option
from engine.cli.identity import open_session
from engine.cli.terminal import Terminal
from engine.errors import CheckFailedError, InputError, RecordError
from engine.record import Document, encode_document, read_document, read_document_bytes
from engine.review.amendments import Author
from engine.review.load import load_record
from engine.storage.data_folder import find_data_folder
from engine.storage.files import hash_file, write_file

Kind = TypeVar("Kind", bound=Document)

_LEAK_REPORT_NAME, _PLANTED_REPORT_NAME = "report of a leak check", "report of planted faces"


def add_leaks_arguments(verb: ArgumentParser) -> None:
    """The arguments of `veil leaks`."""
    verb.add_argument("source", type=Path)
    verb.add_argument("record", type=Path)
    verb.add_argument("output", type=Path, metavar="OUT")
    verb.add_argument("--review", type=Path, metavar="FILE", help="amendments that OUT was rendered with")
    verb.add_argument(
        "--judgements", type=Path, metavar="FILE", help="what people said of its leaks, one a line (JSON)"
    )
    verb.add_argument("-o", "--report", type=Path, metavar="FILE", help="write the report as JSON")


def run_leak_check(options: Namespace, terminal: Terminal) -> int:
    """`veil leaks`."""
    start = monotonic()
    report = check_leaks(
        options.source, options.record, options.output, review=options.review, data=options.data, listener=terminal
    )
    if options.report is not None:
        write_file(options.report, encode_document(report))
    open_ones = find_open_leaks(report, _read_judgements(options.judgements))
    terminal.print_result(report, "\n".join(_format_leak_report(report, len(open_ones), monotonic() - start)))
    return CheckFailedError.exit_code if open_ones else 0


def add_plant_arguments(verb: ArgumentParser) -> None:
    """The arguments of `veil plant`."""
    verb.add_argument("source", type=Path)
    verb.add_argument("record", type=Path)
    defaults = PlantedFaceSettings()
    for name, what in (("segments", "stretches of the video"), ("length", "frames of each"), ("faces", "in each")):
        value = getattr(defaults, name)
        verb.add_argument(f"--{name}", type=int, default=value, metavar="N", help=f"{what} (default: {value})")
    verb.add_argument("-o", "--report", type=Path, metavar="FILE", help="write the report as JSON")


def plant_faces(options: Namespace, terminal: Terminal) -> int:
    """`veil plant`."""
    given = {name: getattr(options, name) for name in ("segments", "length", "faces")}
    try:
        settings = msgspec.convert(given, PlantedFaceSettings)
    except msgspec.ValidationError as error:
        raise InputError(f"Faces cannot be planted like that: {error}.") from error
    report = run_planted_faces(options.source, options.record, settings=settings, data=options.data, listener=terminal)
    if options.report is not None:
        write_file(options.report, encode_document(report))
    terminal.print_result(report, "\n".join(_format_planted_report(report)))
    return 0


def add_risk_arguments(verb: ArgumentParser) -> None:
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
    add_person_option(verb)
    verb.add_argument("-o", "--report", type=Path, metavar="FILE", help="write the document as JSON")


def show_risk(options: Namespace, terminal: Terminal) -> int:
    """`veil risk`."""
    found = _compute_run_risk(options) if len(options.subject) == 1 else _compute_record_risk(options)
    if isinstance(found, tuple):
        listed = ", ".join(map(str, found))
        terminal.print_result({"drawn": found}, f"Look at these frames of the output for faces: {listed}")
        return 0
    if options.report is not None:
        write_file(options.report, encode_document(found))
    terminal.print_result(found, "\n".join(format_risk(found)))
    return 0


def _compute_run_risk(options: Namespace) -> ResidualRisk | tuple[int, ...]:
    """What is known of a run, after what somebody found in drawn frames was put on record; or the frames to look at."""
    data = find_data_folder(options.data)
    run = runs.load_run(data, str(options.subject[0]))
    if options.leaks or options.planted or options.audit:
        raise InputError(f"The reports of {run.id} are known; --leaks, --planted and --audit go with SOURCE RECORD.")
    if options.draw is not None:
        if options.missed is None:
            return release.draw_run_audit_frames(run, options.draw)
        session, _ = open_session(data, options)
        release.save_frame_audit(data, run.id, session.person, options.draw, _parse_frame_indices(options.missed))
    return release.compute_residual_risk(data, run)


def _compute_record_risk(options: Namespace) -> ResidualRisk | tuple[int, ...]:
    """What reports say of a record; or the frames to look at."""
    if len(options.subject) > 2:
        raise InputError("Give a run, or a video and its record.")
    source, path = options.subject
    record, sha256 = load_record(path)
    if source.is_file() and hash_file(source) != record.source.sha256:
        raise RecordError(f"The record {path} is of another video than {source}; give its own, or detect this one.")
    audit = _read_optional(options.audit, FrameAudit, "audit of frames")
    if options.draw is not None:
        drawn = draw_audit_frames(record, options.draw)
        if options.missed is None:
            return drawn
        account = getpass.getuser()
        missed = _parse_frame_indices(options.missed)
        audit = build_frame_audit(record, sha256, drawn, missed, Author(account, account))
    inputs = RiskInputs(
        record,
        sha256,
        planted=_read_optional(options.planted, PlantedFaceReport, _PLANTED_REPORT_NAME),
        leaks=_read_optional(options.leaks, LeakReport, _LEAK_REPORT_NAME),
        audit=audit,
    )
    return assess_residual_risk(inputs)


def _read_judgements(path: Path | None) -> list[LeakJudgement]:
    if path is None:
        return []
    lines = read_document_bytes(path).splitlines()
    try:
        return [msgspec.json.decode(line, type=LeakJudgement) for line in lines]
    except msgspec.MsgspecError as error:
        raise RecordError(f"{path} holds a line that is no judgement of a leak: {error}.") from error


def _read_optional(path: Path | None, kind: type[Kind], what: str) -> Kind | None:
    return None if path is None else read_document(path, kind, what)


def _parse_frame_indices(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(index) for index in text.split(",") if index.strip()}))
    except ValueError as error:
        raise InputError(f"--missed takes numbers of frames separated by commas; got {text!r}.") from error


def _format_leak_report(report: LeakReport, open_count: int, seconds: float) -> Iterator[str]:
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
    elif open_count:
        yield f"{open_count} of {len(report.leaks)} leaks are not cleared by a person: look at each before a release."
    else:
        yield f"All {len(report.leaks)} leaks are cleared by a person."


def _format_planted_report(report: PlantedFaceReport) -> Iterator[str]:
    yield f"{len(report.plants)} faces planted in {len(report.segments)} segments ({report.share:.1%} of the frames)"
    if report.left_out:
        yield f"{report.left_out} more found no free place"
    yield f"  {'height':<16} {'plants':>6} {'throughout':>10} {'frames':>7} {'recall':>7}  95 % interval"
    for name, recall in (("all", report.overall), *report.by_size.items()):
        yield f"  {name.replace('_', ' '):<16} {_format_recall(recall)}"


def _format_recall(recall: PlantedRecall) -> str:
    if recall.recall is None or recall.recall_interval is None:
        return f"{recall.plants:>6}"
    low, high = recall.recall_interval
    figures = f"{recall.plants:>6} {recall.throughout:>10} {recall.frames:>7} {recall.recall:>7.3f}"
    return f"{figures}  {low:.3f} to {high:.3f}"
