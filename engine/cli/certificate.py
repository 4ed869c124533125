"""`veil certificate` and `veil judge`: checking what proves a release, and judging what the leak check found."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from engine import access, release, runs
from engine.assurance.leak_check.report import LeakReport, LeakVerdict
from engine.certificate.issue import CertificateCheckReport, check_certificate
from engine.certificate.signing_key import create_signing_key
from engine.cli.arguments import add_person_option
from engine.cli.identity import open_session
from engine.cli.terminal import Terminal
from engine.errors import CheckFailedError
from engine.storage.data_folder import find_data_folder
from engine.storage.files import write_file

if TYPE_CHECKING:
    from engine.cli.arguments import Subparsers


def add_arguments(actions: Subparsers) -> None:
    """The arguments of `veil certificate`."""
    check = actions.add_parser("verify", help="check a certificate and the release it stands for")
    check.add_argument("path", type=Path, metavar="FOLDER|FILE", help="folder of the release, or its certificate.json")
    check.add_argument("--source", type=Path, metavar="FILE", help="the source, if it is at hand")
    check.add_argument("--key", type=Path, metavar="FILE", help="public key of the organisation, got by another way")
    check.add_argument("--no-log", action="store_true", help="do not hold it against the audit log of this machine")
    check.set_defaults(verb=verify_certificate)
    key = actions.add_parser("key", help="make the key with which certificates are signed from now on")
    key.add_argument("-o", "--output", type=Path, metavar="FILE", help="also write the public key to this file")
    key.set_defaults(verb=_make_signing_key)
    add_person_option(key)
    for parser in (check, key):
        parser.add_argument("--json", action="store_true", default=SUPPRESS, help="print the result as JSON")
        parser.add_argument("--data", type=Path, metavar="FOLDER", help="data folder (default: $VEIL_DATA, else data)")


def verify_certificate(options: Namespace, terminal: Terminal) -> int:
    """`veil certificate verify`."""
    data = find_data_folder(options.data)
    known = data.audit if not options.no_log and data.audit_log.exists() else None
    report = check_certificate(options.path, source_path=options.source, public_key_path=options.key, log_folder=known)
    terminal.print_result(report, "\n".join(_format_report(report)))
    return 0 if report.passed else CheckFailedError.exit_code


def add_judge_arguments(verb: ArgumentParser) -> None:
    """The arguments of `veil judge`."""
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("leak", nargs="?", help="key of the finding; without it, what was found is listed")
    verb.add_argument("--verdict", choices=get_args(LeakVerdict), help="what it is")
    verb.add_argument("--reason", default="", help="why")
    add_person_option(verb)


def judge_leak(options: Namespace, terminal: Terminal) -> int:
    """`veil judge`."""
    data = find_data_folder(options.data)
    if options.leak is None or options.verdict is None:
        run = runs.load_run(data, options.run)
        report = release.read_newest_leak_report(data, run)
        still = () if report is None else release.list_open_leaks(data, run, report)
        terminal.print_result(
            {"open": still, "report": report}, "\n".join(_format_leaks(report, {leak.key for leak in still}))
        )
        return CheckFailedError.exit_code if still else 0
    session, _ = open_session(data, options)
    made = release.judge_leak(data, options.run, session.person, options.leak, options.verdict, options.reason)
    terminal.print_result(made, f"{made.leak}: {made.verdict}, {made.by.name}: {made.reason}")
    return 0


def _make_signing_key(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    session, _ = open_session(data, options)
    access.authorise(data, session.person, "settings")
    data.access.mkdir(parents=True, exist_ok=True)
    path = data.signing_key
    public = create_signing_key(path)
    if options.output is not None:
        write_file(options.output, public.encode())
    terminal.print_result(
        {"key": str(path), "public": public},
        f"{path} signs every certificate from now on; keep a copy of it safe. Hand out this public key:\n{public}",
    )
    return 0


def _format_report(report: CertificateCheckReport) -> Iterator[str]:
    for check in report.checks:
        yield f"{'passed' if check.passed else 'FAILED'}  {check.name}: {check.finding}"
    yield f"certificate sha256 {report.certificate_sha256}"
    yield "The release is what was certified." if report.passed else "The release is not what was certified."


def _format_leaks(report: LeakReport | None, open_keys: set[str]) -> Iterator[str]:
    if report is None:
        yield "No output of this run was searched for faces yet; veil release does that."
        return
    for leak in report.leaks:
        yield f"{'open  ' if leak.key in open_keys else 'judged'}  {leak.key}  {leak.finding}"
    yield f"{len(open_keys)} of {len(report.leaks)} findings hold the release up."
