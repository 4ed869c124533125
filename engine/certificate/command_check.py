"""Check that the shell commands in a certificate are those that Veil writes.

A recipient runs them. So they are built anew from the facts in the certificate and compared: whoever forges a
certificate can state other facts, which the commands then show to be false, but no command of their own.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path, PurePath

from engine.certificate.document import Certificate, build_release_commands, build_release_source_commands
from engine.certificate.shell_commands import ShellCommand
from engine.errors import VeilError
from engine.record import read_record
from engine.storage.data_folder import RECORD_NAME
from engine.verification.report import Check

_NAME = "commands"
_SOURCE_STEM = "source"
_ADVICE = "do not run them, and ask the sender for the release itself"


def check_commands(document: Certificate, folder: Path) -> Check:
    """Check the commands of a certificate in the folder of its release. The record's own hash is checked elsewhere."""
    if foreign := _find_foreign_command(document, folder):
        finding = f"the certificate has a command that Veil did not write ({foreign[:80]!r}); {_ADVICE}"
        return Check(_NAME, passed=False, finding=finding)
    count = len(document.commands) + len(document.source_commands)
    return Check(_NAME, passed=True, finding=f"{count}, each as Veil writes it")


def find_foreign_name(document: Certificate) -> str | None:
    """Return a file name in a certificate that leads out of the folder of the release, None if there is none."""
    names = (document.output.name, *document.documents)
    return next((name for name in names if PurePath(name).name != name or not name.isprintable()), None)


def _find_foreign_command(document: Certificate, folder: Path) -> str | None:
    facts, altered = document.output.facts, document.render.altered
    expected = build_release_commands(
        document.output.name, facts, document.render.spec.comment, altered, document.documents
    )
    if foreign := _find_difference(document.commands, expected):
        return foreign
    source_name = _find_source_name(document)
    if source_name is None:
        return document.source_commands[0].command if document.source_commands else "none for the source"
    try:
        record = read_record(folder / RECORD_NAME)
    except VeilError:
        # The record says which streams the commands name. Without it nothing vouches for them.
        return document.source_commands[0].command
    expected = build_release_source_commands(source_name, record, altered, facts, document.output.name)
    return _find_difference(document.source_commands, expected)


def _find_difference(found: Sequence[ShellCommand], expected: Sequence[ShellCommand]) -> str | None:
    """Return the first command that is not the expected one, None if all are."""
    for place, one in enumerate(found):
        if place >= len(expected) or one != expected[place]:
            return one.command
    return "one is missing" if len(found) < len(expected) else None


def _find_source_name(document: Certificate) -> str | None:
    """Return the name under which the commands expect the source; its suffix stands nowhere else."""
    try:
        words = shlex.split(document.source_commands[0].command)
    except (IndexError, ValueError):
        return None
    # printf FORMAT HASH NAME | sha256sum ...
    name = words[3] if len(words) > 3 else ""
    return name if name.startswith(_SOURCE_STEM) and PurePath(name).name == name else None
