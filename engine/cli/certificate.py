"""`veil certificate`: check the certificate of a release, and create the signing key."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from engine import access
from engine.certificate.issue import CertificateCheckReport, check_certificate
from engine.certificate.signing_key import create_signing_key
from engine.cli import arguments
from engine.cli.command import Command
from engine.cli.identity import identify_person
from engine.cli.terminal import Terminal
from engine.errors import CheckFailedError
from engine.storage.data_folder import find_data_folder
from engine.storage.file_use import FileUse, check_file_use
from engine.storage.files import make_private_folder, write_file


def _add_verify_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="FOLDER|FILE", help="folder of the release, or its certificate.json")
    parser.add_argument("--source", type=Path, metavar="FILE", help="the source, if available")
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="public key of the organisation, obtained independently of the release"
    )
    parser.add_argument("--no-log", action="store_true", help="do not compare with the audit log of this machine")


def _verify_certificate(options: Namespace, terminal: Terminal) -> int:
    # The recipient of a release has no audit log. The organisation that issued it has one, and there the check includes
    # that the log has the release.
    data = find_data_folder(options.data)
    compares_log = not options.no_log and data.audit_log.exists()
    report = check_certificate(
        options.path,
        source_path=options.source,
        public_key_path=options.key,
        log_folder=data.audit if compares_log else None,
    )
    terminal.print_result(report, "\n".join(_format_report(report)))
    return 0 if report.passed else CheckFailedError.exit_code


def _format_report(report: CertificateCheckReport) -> Iterator[str]:
    for check in report.checks:
        yield f"{'ok  ' if check.passed else 'FAIL'}  {check.name}: {check.finding}"
    yield f"certificate sha256 {report.certificate_sha256}"
    yield "The release is what was certified." if report.passed else "The release is not what was certified."


def _add_key_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="also write the public key to this file")
    arguments.add_overwrite(parser)
    arguments.add_account_option(parser)


def _create_key(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    check_file_use(FileUse([data.signing_key], [options.output]), overwrite=options.overwrite)
    access.authorise(data, identify_person(data, options), "settings")
    make_private_folder(data.access)
    path = data.signing_key
    public = create_signing_key(path)
    if options.output is not None:
        write_file(options.output, public.encode())
    terminal.print_result(
        {"key": str(path), "public": public},
        f"{path} signs every certificate from now on. Keep a copy of it in a safe place, and publish this public key:\n"
        f"{public}",
    )
    return 0


COMMANDS = {
    "certificate verify": Command(_add_verify_arguments, _verify_certificate),
    "certificate key": Command(_add_key_arguments, _create_key),
}
