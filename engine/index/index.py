"""An open index, and the queries on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import pandas as pd

from engine.errors import QueryError
from engine.index.catalog import (
    CatalogEntry,
    IndexedRun,
    UnreadableRun,
    find_records,
    find_stale_runs,
    load_entries,
    rebuild_index,
)
from engine.index.database import Database
from engine.index.schema import RUN_COLUMNS, TABLES
from engine.index.selection import EVERYTHING, Selection, expand_fragments
from engine.storage.data_folder import DataFolder, find_data_folder

_LIMIT_ERRORS = (duckdb.OutOfMemoryException, duckdb.InterruptException)
"""Errors that building the tables again does not repair."""
_MAX_REBUILDS = 3
"""Number of rebuilds within one query: the index may be deleted more than once while it is read."""
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


class Index:
    """The tables of records as they were when the index was opened.

    Attributes:
        folder: Folder of the tables.
        record_paths: Paths of the records by the name of the run.
        database: The database that answers the queries.
    """

    def __init__(self, folder: Path, record_paths: Mapping[str, Path], database: Database) -> None:
        self.folder, self.record_paths, self.database = folder, record_paths, database
        self._entries: Mapping[str, CatalogEntry] = load_entries(folder, record_paths)

    @property
    def indexed_runs(self) -> dict[str, IndexedRun]:
        """The runs that can be queried, by name."""
        return {run: entry for run, entry in self._entries.items() if isinstance(entry, IndexedRun)}

    @property
    def unreadable_runs(self) -> dict[str, UnreadableRun]:
        """The runs whose record is damaged or of an unknown version, by name."""
        return {run: entry for run, entry in self._entries.items() if isinstance(entry, UnreadableRun)}

    @property
    def missing_runs(self) -> tuple[str, ...]:
        """The runs that are missing from the index, or stale in it."""
        return tuple(run for run in self.record_paths if run not in self._entries)

    def list_runs(self, selection: Selection = EVERYTHING, names: Mapping[str, str] = _NO_NAMES) -> pd.DataFrame:
        """Return one row for each run of a selection, with the columns of the table `runs`.

        Args:
            selection: Its runs are listed, all if it names none; its other limits do not apply.
            names: Names of the runs for people; a run that has none is named by its identifier.
        """
        rows = [
            {
                "run": entry.run,
                "name": names.get(entry.run, entry.run),
                "source_sha256": entry.source_sha256,
                "record_sha256": entry.record_sha256,
                "mode": entry.mode,
                "detectors": " + ".join(entry.detectors),
                "frames": entry.frames,
                "seconds": entry.seconds,
                "width": entry.display.width,
                "height": entry.display.height,
                "tracks": entry.tracks,
                "faces": entry.faces,
                "amendments": entry.amendments,
            }
            for entry in self.indexed_runs.values()
            if not selection.runs or entry.run in selection.runs
        ]
        return pd.DataFrame(rows, columns=[column.name for column in RUN_COLUMNS])

    def select_runs(self, selection: Selection) -> dict[str, IndexedRun]:
        """Return the runs of a selection, by name.

        Raises:
            QueryError: One of them is not in the index, or no run is.
        """
        indexed = self.indexed_runs
        for run in selection.runs:
            if run not in indexed:
                raise QueryError(self._explain_absence(run))
        if not indexed:
            raise QueryError(f"No record is in the index {self.folder}; detect a video first.")
        return {run: indexed[run] for run in selection.runs or indexed}

    def list_files(self, selection: Selection) -> dict[str, list[str]]:
        """Return the files of the runs of a selection, by table."""
        folders = [self.folder / entry.folder for entry in self.select_runs(selection).values()]
        return {table: [str(folder / f"{table}.parquet") for folder in folders] for table in TABLES}

    def query(self, statement: str, selection: Selection, **values: Any) -> pd.DataFrame:
        """Run a statement that reads `read_parquet($faces)` and so on, with values by name.

        A mark such as `<faces>` in the statement stands for a fragment of `engine.index.selection`. Tables that were
        removed or damaged are built again from the records.

        Raises:
            QueryError: A run is not in the index, or even new tables cannot be read.
        """
        for _ in range(_MAX_REBUILDS):
            try:
                return self._run_query(statement, selection, values)
            except _LIMIT_ERRORS as error:
                raise QueryError(
                    "The query exceeds the memory or time limit of the index; choose fewer runs."
                ) from error
            # A damaged or missing file is the usual cause, and the records can replace it. If the statement itself is
            # wrong, the same error returns below.
            except duckdb.Error:
                self.rebuild_runs(selection.runs)
        try:
            return self._run_query(statement, selection, values)
        except duckdb.Error as error:
            raise QueryError(f"The index {self.folder} cannot be read: {error}. Remove that folder.") from error

    def rebuild_runs(self, runs: Iterable[str] = ()) -> None:
        """Build the tables of these runs again from their records; of all runs if none is named."""
        chosen = tuple(runs) or tuple(self.record_paths)
        rebuild_index(self.folder, {run: self.record_paths[run] for run in chosen})
        self._entries = load_entries(self.folder, self.record_paths)

    def _run_query(self, statement: str, selection: Selection, values: Mapping[str, Any]) -> pd.DataFrame:
        return self.database.run_query(
            expand_fragments(statement), {**self.list_files(selection), **selection.build_parameters(), **values}
        )

    def _explain_absence(self, run: str) -> str:
        if run in self.unreadable_runs:
            return self.unreadable_runs[run].failure
        if run in self.record_paths:
            return f"Run {run} is not in the index yet; build it with 'veil index rebuild'."
        return f"There is no record of a run {run}; it may have been removed."


def open_index(
    data: DataFolder | Path | str | None = None,
    records: Mapping[str, Path] | None = None,
    *,
    database: Database | None = None,
    refresh: bool = True,
) -> Index:
    """Open the index of a data folder, or of chosen records.

    Args:
        data: The data folder; `$VEIL_DATA` or `data` if left out. The index is its folder `index`.
        records: Paths of records by name; every finished run of the data folder if left out.
        database: An open database of the same index; a new one if left out.
        refresh: Build missing and stale tables first.

    Raises:
        TargetError: The index cannot be written.
    """
    data_folder = data if isinstance(data, DataFolder) else find_data_folder(data)
    folder = data_folder.index
    record_paths = find_records(data_folder) if records is None else records
    if refresh and find_stale_runs(folder, record_paths):
        rebuild_index(folder, record_paths, missing_only=True)
    return Index(folder, record_paths, database or Database(folder))
