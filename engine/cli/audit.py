"""`veil audit`: whether the log is what was written, and a part of it to hand on."""

from __future__ import annotations

import argparse
from argparse import SUPPRESS, Namespace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine import audit, release
from engine.certificate.html import build_log_html
from engine.cli.terminal import Terminal
from engine.errors import CheckFailedError
from engine.record import encode_document, read_document
from engine.storage.data_folder import find_data_folder
from engine.storage.files import write_file

if TYPE_CHECKING:
    from engine.cli.arguments import Subparsers


def add_arguments(actions: Subparsers) -> None:
    """The arguments of `veil audit`."""
    check = actions.add_parser("verify", help="check every line of the log, against every anchor that is kept")
    check.add_argument(
        "--anchor",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="an anchor.json that was kept elsewhere",
    )
    check.set_defaults(verb=verify_log)
    export = actions.add_parser("export", help="write the entries of a period")
    export.add_argument("--since", type=_parse_time, metavar="TIME", help="from this day or time on, as 2026-03-01")
    export.add_argument("--until", type=_parse_time, metavar="TIME", help="before this day or time")
    export.add_argument("--run", metavar="RUN", help="of this run only")
    export.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="file to write: JSON, or a page if it ends in .html"
    )
    export.set_defaults(verb=_export_entries)
    for parser in (check, export):
        parser.add_argument("--json", action="store_true", default=SUPPRESS, help="print the result as JSON")
        parser.add_argument("--data", type=Path, metavar="FOLDER", help="data folder (default: $VEIL_DATA, else data)")


def verify_log(options: Namespace, terminal: Terminal) -> int:
    """`veil audit verify`."""
    anchors = {str(path): read_document(path, audit.Anchor, "anchor of an audit log") for path in options.anchor}
    report = release.check_audit_log(find_data_folder(options.data), anchors)
    terminal.print_result(report, _format_report(report))
    return 0 if report.passed else CheckFailedError.exit_code


def _format_report(report: audit.AuditReport) -> str:
    held = f"{report.entries} entries, held against {report.anchors} anchors"
    verdict = "Every line is what was written." if report.passed else "The audit log was tampered with, or cut short."
    head = f"Head: entry {report.head.number}, sha256 {report.head.sha256}"
    return "\n".join([held, head, *(finding.sentence for finding in report.findings), verdict])


def _export_entries(options: Namespace, terminal: Terminal) -> int:
    found = audit.export_entries(
        find_data_folder(options.data).audit, since=options.since, until=options.until, run=options.run
    )
    if options.output is not None:
        as_page = options.output.suffix.lower() in {".html", ".htm"}
        write_file(options.output, build_log_html(found).encode() if as_page else encode_document(found))
    elif not options.json:
        terminal.print_result(found, encode_document(found).decode().rstrip("\n"))
        return 0
    terminal.print_result(found, f"{len(found.entries)} entries in {options.output}")
    return 0


def _parse_time(text: str) -> datetime:
    """A day or a time; of the machine's zone when it names none."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"a day or time as 2026-03-01 or 2026-03-01T14:00+01:00, not {text}"
        ) from error
