"""`veil index`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine import index
from engine.cli.command import Command
from engine.cli.terminal import Terminal
from engine.core.wording import format_count
from engine.errors import RecordError
from engine.storage.data_folder import find_data_folder

if TYPE_CHECKING:
    from engine.index import IndexedRun, UnreadableRun


def _add_rebuild_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--missing", action="store_true", help="only runs that are new or were changed since they were indexed"
    )


def _rebuild_index(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    entries = index.rebuild_index(data.index, index.find_records(data), missing_only=options.missing, listener=terminal)
    document = {"folder": str(data.index), "runs": list(entries.values())}
    terminal.print_result(document, _format_entries(entries, str(data.index)))
    # One unreadable record does not keep the others out of the index, but the exit code tells a script about it.
    unreadable = any(isinstance(entry, index.UnreadableRun) for entry in entries.values())
    return RecordError.exit_code if unreadable else 0


def _format_entries(entries: Mapping[str, IndexedRun | UnreadableRun], folder: str) -> str:
    lines = [
        f"{run}: {format_count(entry.frames, 'frame')}, {format_count(entry.faces, 'face')}, "
        f"{format_count(entry.tracks, 'track')}"
        if isinstance(entry, index.IndexedRun)
        else f"{run}: not indexed. {entry.failure}"
        for run, entry in entries.items()
    ]
    return "\n".join([*lines, f"{format_count(len(entries), 'run')} processed; the index is in {folder}"])


COMMANDS = {"index rebuild": Command(_add_rebuild_arguments, _rebuild_index)}
