"""`veil certificate`: check the certificate of a release, and create the signing key."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from engine import access
from engine.access.logged_file import signing_key_file
from engine.certificate.issue import (
    AuthorityCertificates,
    CertificateCheckReport,
    check_certificate,
    read_certificate,
)
from engine.certificate.signing_key import create_signing_key
from engine.certificate.time_stamp import read_authority, read_certificates, remove_authority, set_authority
from engine.cli import arguments
from engine.cli.command import Command
from engine.cli.identity import identify_person
from engine.cli.terminal import Terminal
from engine.errors import CheckFailedError, InputError
from engine.release.time_stamps import stamp_release
from engine.storage.data_folder import CERTIFICATE_TIME_STAMP_NAME, DataFolder, find_data_folder
from engine.storage.file_use import FileUse, check_file_use
from engine.storage.files import make_private_folder, write_file


def _add_verify_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="FOLDER|FILE", help="folder of the release, or its certificate.json")
    parser.add_argument("--source", type=Path, metavar="FILE", help="the source, if available")
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="public key of the organisation, obtained independently of the release"
    )
    arguments.add_authority_certificates(parser)
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
        authority=_find_authority(data, options.authority_certificates),
        log_folder=data.audit if compares_log else None,
    )
    terminal.print_result(report, "\n".join(_format_report(report)))
    return 0 if report.passed else CheckFailedError.exit_code


def _find_authority(data: DataFolder, path: Path | None) -> AuthorityCertificates | None:
    """Return the certificates that were given, else those of the authority that this installation asks."""
    if path is not None:
        return AuthorityCertificates(read_certificates(path))
    authority = read_authority(data)
    return None if authority is None else AuthorityCertificates(authority.certificates.encode(), is_expected=False)


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
    person = access.authorise(data, identify_person(data, options), "settings")
    make_private_folder(data.access)
    path = data.signing_key
    public = create_signing_key(path)
    signing_key_file(data).log_content(person.actor, "a new key signs certificates")
    if options.output is not None:
        write_file(options.output, public.encode())
    terminal.print_result(
        {"key": str(path), "public": public},
        f"{path} signs every certificate from now on. Keep a copy of it in a safe place, and publish this public key:\n"
        f"{public}",
    )
    return 0


def _add_authority_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "url", nargs="?", metavar="URL", help="address of the authority; without it, show which is asked"
    )
    arguments.add_authority_certificates(parser)
    parser.add_argument("--remove", action="store_true", help="ask no authority any more")
    arguments.add_account_option(parser)


def _change_authority(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    if options.remove and options.url:
        raise InputError("--remove contradicts the address of an authority; give one of them.")
    if options.url and options.authority_certificates is None:
        raise InputError("Give the authority's certificates with --authority-certificates; its stamps are checked.")
    if options.remove:
        remove_authority(data, identify_person(data, options))
    elif options.url:
        certificates = read_certificates(options.authority_certificates)
        set_authority(data, identify_person(data, options), options.url, certificates)
    authority = read_authority(data)
    text = (
        "No time stamp authority is asked."
        if authority is None
        else f"Certificates of releases and anchors get a time stamp of {authority.url}, which gets their hash."
    )
    terminal.print_result({"authority": authority.url if authority else None}, text)
    return 0


def _add_stamp_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="FOLDER", help="folder of the release")
    arguments.add_account_option(parser)


def _stamp_release(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    made = read_certificate(options.path)
    if (options.path / CERTIFICATE_TIME_STAMP_NAME).exists():
        raise InputError(f"{options.path} has a time stamp already; check it with veil certificate verify.")
    person = access.authorise(data, identify_person(data, options), "release")
    stamped = stamp_release(data, options.path, made.run, person.actor)
    if stamped is None:
        raise InputError("No time stamp authority is named; name one with veil certificate authority.")
    terminal.print_result(stamped, f"{stamped.authority} states that the certificate existed at {stamped.at:%F %T %Z}.")
    return 0


COMMANDS = {
    "certificate verify": Command(_add_verify_arguments, _verify_certificate, reads_media=True),
    "certificate key": Command(_add_key_arguments, _create_key),
    "certificate authority": Command(_add_authority_arguments, _change_authority),
    "certificate stamp": Command(_add_stamp_arguments, _stamp_release),
}
