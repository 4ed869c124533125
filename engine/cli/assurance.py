"""`veil leaks`, `veil plant` and `veil risk`: measure what an output may still show."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import TypeVar

import msgspec

from engine import release, runs
from engine.access.run_context import RunContext
from engine.assurance.frame_audit import FrameAudit, build_frame_audit, draw_audit_frames
from engine.assurance.leak_check.check import check_leaks
from engine.assurance.leak_check.report import LeakJudgement, LeakReport, find_open_leaks
from engine.assurance.planted_faces.experiment import run_planted_faces
from engine.assurance.planted_faces.report import PlantedFaceReport, PlantedFaceSettings, PlantedRecall
from engine.assurance.residual_risk import ResidualRisk, RiskInputs, assess_residual_risk, format_risk
from engine.cli import arguments
from engine.cli.command import Command
from engine.cli.identity import identify_person
from engine.cli.options import build_settings
from engine.cli.terminal import Terminal
from engine.core.json_decoder import decode_json
from engine.core.wording import format_count
from engine.errors import CheckFailedError, InputError, RecordError
from engine.record import Document, encode_document, read_document, read_document_bytes
from engine.review.amendments import Author
from engine.review.load import load_record
from engine.storage.data_folder import find_data_folder
from engine.storage.file_use import FileUse, check_file_use
from engine.storage.files import hash_file, write_file

Kind = TypeVar("Kind", bound=Document)


def _add_leaks_arguments(parser: ArgumentParser) -> None:
    arguments.add_source(parser)
    arguments.add_record(parser)
    parser.add_argument("output", type=Path, metavar="OUT", help="rendered video to search")
    parser.add_argument("--review", type=Path, metavar="FILE", help="amendments that OUT was rendered with")
    parser.add_argument(
        "--judgements", type=Path, metavar="FILE", help="judgements of the findings, one JSON object per line"
    )
    arguments.add_report(parser)


def _run_leak_check(options: Namespace, terminal: Terminal) -> int:
    reads = [options.source, options.record, options.output, options.review, options.judgements]
    check_file_use(FileUse(reads, [options.report]), overwrite=options.overwrite)
    start = monotonic()
    report = check_leaks(
        options.source, options.record, options.output, review=options.review, data=options.data, listener=terminal
    )
    if options.report is not None:
        write_file(options.report, encode_document(report))
    open_leaks = find_open_leaks(report, _read_judgements(options.judgements))
    terminal.print_result(report, "\n".join(_format_leak_report(report, len(open_leaks), monotonic() - start)))
    return CheckFailedError.exit_code if open_leaks else 0


def _read_judgements(path: Path | None) -> list[LeakJudgement]:
    if path is None:
        return []
    lines = read_document_bytes(path, "file of judgements").splitlines()
    try:
        return [decode_json(line, type=LeakJudgement) for line in lines]
    except msgspec.MsgspecError as error:
        raise RecordError(f"{path} has a line that is not a judgement of a finding: {error}.") from error


def _format_leak_report(report: LeakReport, open_count: int, seconds: float) -> Iterator[str]:
    searched = report.looked
    names = " and ".join(
        f"{detector.facts.name}{'' if detector.independent else ' (which the detection used too)'}"
        for detector in report.detectors
    )
    frames, parts = format_count(searched.frames, "frame"), format_count(searched.parts, "part")
    yield f"{names} searched {searched.whole:,} of {frames} and {parts} of frames"
    if searched.left_out:
        yield f"{format_count(searched.left_out, 'part')} next to a mask not searched, to limit the cost"
    yield f"{format_count(searched.masks, 'mask')} compared with the source; {seconds:.1f} s in all"
    for leak in report.leaks:
        yield f"LEAK  {leak.key}  {leak.finding}"
    for leak in report.doubtful:
        yield f"possible face in the record too  {leak.key}  {leak.finding}"
    leaks = format_count(len(report.leaks), "leak")
    if not report.leaks:
        yield "No leak was found."
    elif open_count:
        yield f"{open_count} of {leaks} not cleared; judge each before a release."
    else:
        yield f"{leaks} found, all cleared by a person."


def _add_plant_arguments(parser: ArgumentParser) -> None:
    arguments.add_source(parser)
    arguments.add_record(parser)
    defaults = PlantedFaceSettings()
    for name, purpose in (
        ("segments", "segments of the video to use"),
        ("length", "frames in each segment"),
        ("faces", "faces to plant in each segment"),
    ):
        value = getattr(defaults, name)
        parser.add_argument(
            f"--{name}", type=arguments.parse_positive, default=value, metavar="N", help=f"{purpose} (default: {value})"
        )
    arguments.add_report(parser)


def _plant_faces(options: Namespace, terminal: Terminal) -> int:
    check_file_use(FileUse([options.source, options.record], [options.report]), overwrite=options.overwrite)
    values = {name: getattr(options, name) for name in ("segments", "length", "faces")}
    settings = build_settings("veil plant", PlantedFaceSettings, values)
    report = run_planted_faces(options.source, options.record, settings=settings, data=options.data, listener=terminal)
    if options.report is not None:
        write_file(options.report, encode_document(report))
    terminal.print_result(report, "\n".join(_format_planted_report(report)))
    return 0


def _format_planted_report(report: PlantedFaceReport) -> Iterator[str]:
    faces, segments = format_count(len(report.plants), "face"), format_count(len(report.segments), "segment")
    yield f"{faces} planted in {segments} ({report.share:.1%} of the frames)"
    if report.left_out:
        yield f"{report.left_out} more not planted, because there was no free place"
    yield f"  {'height':<16} {'plants':>6} {'throughout':>10} {'frames':>7} {'recall':>7}  95 % interval"
    for name, recall in (("all", report.overall), *report.by_size.items()):
        yield f"  {name.replace('_', ' '):<16} {_format_recall(recall)}"


def _format_recall(recall: PlantedRecall) -> str:
    # No interval for a size of which no face was planted.
    if recall.recall is None or recall.recall_interval is None:
        return f"{recall.plants:>6}"
    low, high = recall.recall_interval
    figures = f"{recall.plants:>6} {recall.throughout:>10} {recall.frames:>7} {recall.recall:>7.3f}"
    return f"{figures}  {low:.3f} to {high:.3f}"


def _add_risk_arguments(parser: ArgumentParser) -> None:
    # argparse would write "RUN|SOURCE RECORD [RUN|SOURCE RECORD ...]".
    parser.usage = f"{parser.prog} [options] RUN\n       {parser.prog} [options] SOURCE RECORD"
    parser.add_argument(
        "subject", type=Path, nargs="+", metavar="RUN|SOURCE RECORD", help="a run, or a video and its record"
    )
    parser.add_argument("--leaks", type=Path, metavar="FILE", help="with SOURCE RECORD: report of veil leaks")
    parser.add_argument("--planted", type=Path, metavar="FILE", help="with SOURCE RECORD: report of veil plant")
    parser.add_argument(
        "--audit", type=Path, metavar="FILE", help="with SOURCE RECORD: result of a random sample check, as JSON"
    )
    parser.add_argument(
        "--draw", type=int, metavar="N", help="draw N random frames for a person to look at, and list them"
    )
    parser.add_argument(
        "--missed",
        metavar="I,J,...",
        help="with --draw: state that all drawn frames were looked at and these show a face ('' if none does)",
    )
    arguments.add_account_option(parser)
    arguments.add_report(parser)


def _show_risk(options: Namespace, terminal: Terminal) -> int:
    reads = [*options.subject, options.leaks, options.planted, options.audit]
    check_file_use(FileUse(reads, [options.report]), overwrite=options.overwrite)
    outcome = _compute_run_risk(options) if len(options.subject) == 1 else _compute_record_risk(options)
    if isinstance(outcome, tuple):
        frames = ", ".join(map(str, outcome))
        terminal.print_result({"drawn": outcome}, f"Look at these frames of the output for faces: {frames}")
        return 0
    if options.report is not None:
        write_file(options.report, encode_document(outcome))
    terminal.print_result(outcome, "\n".join(format_risk(outcome)))
    return 0


def _compute_run_risk(options: Namespace) -> ResidualRisk | tuple[int, ...]:
    """Compute the residual risk of a run, after saving the sample check that `--missed` gives.

    Returns:
        The indices of the drawn frames if `--draw` was given without `--missed`.
    """
    data = find_data_folder(options.data)
    run = runs.load_run(data, str(options.subject[0]))
    if options.leaks or options.planted or options.audit:
        raise InputError(
            f"Veil uses the reports of the run {run.id} itself; --leaks, --planted and --audit go with SOURCE RECORD."
        )
    if options.draw is not None:
        # The draw depends on the record and its review alone: the second call, with --missed, draws the same frames.
        if options.missed is None:
            return release.draw_run_audit_frames(run, options.draw)
        person = identify_person(data, options)
        release.save_frame_audit(RunContext(data, run, person), options.draw, _parse_frame_indices(options.missed))
    return release.compute_residual_risk(data, run)


def _compute_record_risk(options: Namespace) -> ResidualRisk | tuple[int, ...]:
    """Compute the residual risk of a record from the reports that were given.

    Returns:
        The indices of the drawn frames if `--draw` was given without `--missed`.
    """
    if len(options.subject) > 2:
        raise InputError("Give a run, or a video and its record.")
    source, path = options.subject
    record, sha256 = load_record(path)
    # The source may be gone, because a retention rule removes it before the record; then only the record is read.
    if source.is_file() and hash_file(source) != record.source.sha256:
        raise RecordError(
            f"The record {path} belongs to another video than {source}; give its own record, or detect this video."
        )
    audit = _read_optional(options.audit, FrameAudit, "random sample check")
    if options.draw is not None:
        drawn = draw_audit_frames(record, options.draw)
        if options.missed is None:
            return drawn
        # Files outside of a data folder have no accounts, so the person is the user of the operating system.
        account = getpass.getuser()
        missed = _parse_frame_indices(options.missed)
        audit = build_frame_audit(record, sha256, drawn, missed, Author(account, account))
    inputs = RiskInputs(
        record,
        sha256,
        planted=_read_optional(options.planted, PlantedFaceReport, "report of planted faces"),
        leaks=_read_optional(options.leaks, LeakReport, "report of a leak check"),
        audit=audit,
    )
    return assess_residual_risk(inputs)


def _read_optional(path: Path | None, kind: type[Kind], kind_name: str) -> Kind | None:
    return None if path is None else read_document(path, kind, kind_name)


def _parse_frame_indices(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(index) for index in text.split(",") if index.strip()}))
    except ValueError as error:
        raise InputError(f"--missed takes indices of frames separated by commas; got {text!r}.") from error


COMMANDS = {
    "leaks": Command(_add_leaks_arguments, _run_leak_check, reads_media=True),
    "plant": Command(_add_plant_arguments, _plant_faces, reads_media=True),
    "risk": Command(_add_risk_arguments, _show_risk),
}
