"""The verb `veil index`: its arguments, and what it says."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine import index
from engine.cli.terminal import Terminal
from engine.errors import RecordError
from engine.storage.data_folder import find_data_folder

if TYPE_CHECKING:
    from engine.index import IndexedRun, UnreadableRun


def add_arguments(verb: ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("action", choices=("rebuild",))
    verb.add_argument("--missing", action="store_true", help="only runs that are not in the index as they are now")


def rebuild_index(options: Namespace, terminal: Terminal) -> int:
    """`veil index rebuild`."""
    data = find_data_folder(options.data)
    entries = index.rebuild_index(data.index, index.find_records(data), missing_only=options.missing, listener=terminal)
    unreadable = [entry for entry in entries.values() if isinstance(entry, index.UnreadableRun)]
    document = {"folder": str(data.index), "runs": list(entries.values())}
    terminal.print_result(document, _format_entries(entries, str(data.index)))
    return RecordError.exit_code if unreadable else 0


def _format_entries(entries: Mapping[str, IndexedRun | UnreadableRun], folder: str) -> str:
    lines = [
        f"{run}: {entry.frames:,} frames, {entry.faces:,} faces, {entry.tracks:,} tracks"
        if isinstance(entry, index.IndexedRun)
        else f"{run}: not indexed. {entry.failure}"
        for run, entry in entries.items()
    ]
    return "\n".join([*lines, f"{len(entries):,} runs looked at; the index lies in {folder}"])
