"""The verb `veil index`: its arguments, and what it says."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine import index
from engine.cli.terminal import Terminal
from engine.errors import RecordError
from engine.storage.files import data_folder

if TYPE_CHECKING:
    from engine.index import Indexed, Unreadable


def add_arguments(verb: ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("action", choices=("rebuild",))
    verb.add_argument("--missing", action="store_true", help="only runs that are not in the index as they are now")


def run(options: Namespace, terminal: Terminal) -> int:
    """`veil index rebuild`."""
    data = data_folder(options.data)
    entries = index.rebuild(data.index, index.records_of(data), missing_only=options.missing, listener=terminal)
    unreadable = [entry for entry in entries.values() if isinstance(entry, index.Unreadable)]
    document = {"folder": str(data.index), "runs": list(entries.values())}
    terminal.result(document, _text(entries, str(data.index)))
    return RecordError.exit_code if unreadable else 0


def _text(entries: Mapping[str, Indexed | Unreadable], folder: str) -> str:
    lines = [
        f"{run}: {entry.frames:,} frames, {entry.faces:,} faces, {entry.tracks:,} tracks"
        if isinstance(entry, index.Indexed)
        else f"{run}: not indexed. {entry.failure}"
        for run, entry in entries.items()
    ]
    return "\n".join([*lines, f"{len(entries):,} runs looked at; the index lies in {folder}"])
