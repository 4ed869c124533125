"""`veil audit`: check the audit log, and export a part of it."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import datetime
from pathlib import Path

from engine import audit, release
from engine.certificate.html import build_log_html
from engine.certificate.time_stamp import read_authority, read_certificates
from engine.cli.arguments import add_authority_certificates, add_overwrite
from engine.cli.command import Command
from engine.cli.terminal import Terminal
from engine.core.wording import format_count
from engine.errors import CheckFailedError
from engine.record import encode_document, read_document
from engine.release.time_stamps import check_anchor_stamp, write_outside_anchor
from engine.storage.data_folder import TIME_STAMP_SUFFIX, append_suffix, find_data_folder
from engine.storage.file_use import FileUse, check_file_use
from engine.storage.files import write_file


def _add_verify_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--anchor",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="an anchor.json that was kept elsewhere, with its time stamp beside it; can be repeated",
    )
    add_authority_certificates(parser)


def _verify_log(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    authority = read_authority(data)
    certificates = authority.certificates.encode() if authority else None
    if options.authority_certificates is not None:
        certificates = read_certificates(options.authority_certificates)
    for path in options.anchor:
        if stamped := check_anchor_stamp(path, certificates):
            terminal.notice(f"{path} existed at {stamped.at:%F %T %Z}, signed by {stamped.authority}.")
    anchors = {str(path): read_document(path, audit.Anchor, "anchor of an audit log") for path in options.anchor}
    report = release.check_evidence(data, anchors)
    terminal.print_result(report, _format_report(report))
    return 0 if report.passed else CheckFailedError.exit_code


def _format_report(report: audit.AuditReport) -> str:
    entries = format_count(report.entries, "entry", "entries")
    return "\n".join([
        f"{entries} checked against {format_count(report.anchors, 'anchor')}",
        f"Head: entry {report.head.number}, sha256 {report.head.sha256}",
        *(finding.sentence for finding in report.findings),
        "Every line is as it was written, and no file that it vouches for is missing."
        if report.passed
        else "The audit log or the files that it vouches for are not as they were written.",
    ])  # fmt: skip


def _add_anchor_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="file to write, on another disk or for a mail"
    )
    add_overwrite(parser)


def _write_anchor(options: Namespace, terminal: Terminal) -> int:
    data, path = find_data_folder(options.data), options.output
    outputs = [path, append_suffix(path, TIME_STAMP_SUFFIX)]
    check_file_use(FileUse([data.audit_log], outputs), overwrite=options.overwrite)
    anchor, stamped = write_outside_anchor(data, path)
    says = f", stamped {stamped.at:%F %T %Z} by {stamped.authority}" if stamped else ""
    terminal.print_result(
        {"anchor": anchor, "time_stamp": stamped},
        f"{path} proves the log up to entry {anchor.number}{says}. Keep it where the users of this machine cannot "
        "change it.",
    )
    return 0


def _add_export_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--since", type=_parse_time, metavar="TIME", help="from this day or time on, as 2026-03-01")
    parser.add_argument("--until", type=_parse_time, metavar="TIME", help="before this day or time")
    parser.add_argument("--run", metavar="RUN", help="only entries of this run")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="file to write: JSON, or a web page if the name ends in .html (default: JSON to standard output)",
    )
    add_overwrite(parser)


def _export_entries(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    check_file_use(FileUse([data.audit_log], [options.output]), overwrite=options.overwrite)
    export = audit.export_entries(data.audit, since=options.since, until=options.until, run=options.run)
    document = encode_document(export)
    if options.output is not None:
        as_page = options.output.suffix.lower() in {".html", ".htm"}
        write_file(options.output, build_log_html(export).encode() if as_page else document)
        text = f"{format_count(len(export.entries), 'entry', 'entries')} written to {options.output}"
    else:
        # The canonical bytes: redirected to a file, they hash the same as a file that --output wrote.
        text = document.decode().rstrip("\n")
    terminal.print_result(export, text)
    return 0


def _parse_time(text: str) -> datetime:
    # A time without a zone is local, because that is what a person at this machine means by a day.
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise ArgumentTypeError(
            f"must be a day or time, as 2026-03-01 or 2026-03-01T14:00+01:00, got {text!r}"
        ) from error


COMMANDS = {
    "audit verify": Command(_add_verify_arguments, _verify_log),
    "audit anchor": Command(_add_anchor_arguments, _write_anchor),
    "audit export": Command(_add_export_arguments, _export_entries),
}
