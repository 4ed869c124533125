"""Removes what a process that crashed has left."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from engine.storage.data_folder import DataFolder
from engine.storage.scratch import sweep_data_folder, sweep_scratch, sweep_temporary_folder


def sweep_after_crash(values: Mapping[str, object]) -> None:
    """Remove the scratch folders of a process that crashed, which are where it wrote something.

    Args:
        values: its arguments. Text may be a path or not.
    """
    named = [Path(value).absolute() for value in values.values() if isinstance(value, Path | str) and value]
    for folder in {folder for path in named for folder in (path, path.parent)}:
        with suppress(OSError, ValueError):
            sweep_scratch(folder)
    sweep_temporary_folder()
    for value in values.values():
        if isinstance(value, DataFolder):
            sweep_data_folder(value.root)
