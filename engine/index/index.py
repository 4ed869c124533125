"""An index that is open for questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
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
from engine.index.schema import TABLES
from engine.index.selection import Selection, expand_fragments
from engine.storage.data_folder import DataFolder, find_data_folder

_LIMIT_ERRORS = (duckdb.OutOfMemoryException, duckdb.InterruptException)
"""Errors that building the index again does not mend."""
_MAX_REBUILDS = 3
"""Somebody may delete the index while it is read, more than once."""


class Index:
    """The tables of records, as they were when it was opened.

    Attributes:
        folder: where the tables lie.
        record_paths: paths of the records by name of the run.
        database: what answers.
    """

    def __init__(self, folder: Path, record_paths: Mapping[str, Path], database: Database) -> None:
        self.folder, self.record_paths, self.database = folder, record_paths, database
        self._entries: Mapping[str, CatalogEntry] = load_entries(folder, record_paths)

    @property
    def indexed_runs(self) -> dict[str, IndexedRun]:
        """The runs that can be asked about, by name."""
        return {run: entry for run, entry in self._entries.items() if isinstance(entry, IndexedRun)}

    @property
    def unreadable_runs(self) -> dict[str, UnreadableRun]:
        """The runs whose record is damaged or of an unknown version, by name."""
        return {run: entry for run, entry in self._entries.items() if isinstance(entry, UnreadableRun)}

    @property
    def missing_runs(self) -> tuple[str, ...]:
        """Runs that are not in the index as their record is now."""
        return tuple(run for run in self.record_paths if run not in self._entries)

    def list_runs(self) -> pd.DataFrame:
        """One row a run, with the columns `RUN_COLUMNS`."""
        rows = [
            (
                entry.run,
                entry.source_sha256,
                entry.record_sha256,
                entry.mode,
                " + ".join(entry.detectors),
                entry.frames,
                entry.seconds,
                entry.display.width,
                entry.display.height,
                entry.tracks,
                entry.faces,
                entry.amendments,
            )
            for entry in self.indexed_runs.values()
        ]
        return pd.DataFrame(rows, columns=RUN_COLUMNS)

    def select_runs(self, selection: Selection) -> dict[str, IndexedRun]:
        """The runs that a selection is about.

        Raises:
            QueryError: one of them is not in the index, or there is none at all.
        """
        indexed = self.indexed_runs
        for run in selection.runs:
            if run not in indexed:
                raise QueryError(self._explain_absence(run))
        if not indexed:
            raise QueryError(f"No record is in the index {self.folder}; detect a video first.")
        return {run: indexed[run] for run in selection.runs or indexed}

    def list_files(self, selection: Selection) -> dict[str, list[str]]:
        """The files of each table that a selection is about."""
        folders = [self.folder / entry.folder for entry in self.select_runs(selection).values()]
        return {table: [str(folder / f"{table}.parquet") for folder in folders] for table in TABLES}

    def query(self, statement: str, selection: Selection, **values: Any) -> pd.DataFrame:
        """The answer to a statement that reads `read_parquet($faces)` and so on, its values given by name.

        `<faces>` and so on in it are what the selection asks of such rows (`engine.index.selection`).

        Tables that were removed or damaged are built again from the records.

        Raises:
            QueryError: a run is not in the index, or the tables cannot be read even when they are new.
        """
        for _ in range(_MAX_REBUILDS):
            try:
                return self._run_query(statement, selection, values)
            except _LIMIT_ERRORS as error:
                raise QueryError("The index could not answer within its limits; choose fewer runs.") from error
            except duckdb.Error:
                self.rebuild_runs(selection.runs)
        try:
            return self._run_query(statement, selection, values)
        except duckdb.Error as error:
            raise QueryError(f"The index {self.folder} cannot be read: {error}. Remove that folder.") from error

    def rebuild_runs(self, runs: Iterable[str] = ()) -> None:
        """Build the tables of runs (of all, when none is named) again from their records."""
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


RUN_COLUMNS = [
    "run",
    "source_sha256",
    "record_sha256",
    "mode",
    "detectors",
    "frames",
    "seconds",
    "width",
    "height",
    "tracks",
    "faces",
    "amendments",
]
"""Columns of `Index.runs`, and of the table `runs` in the SQL box."""


def open_index(
    data: DataFolder | Path | str | None = None,
    records: Mapping[str, Path] | None = None,
    *,
    database: Database | None = None,
    refresh: bool = True,
) -> Index:
    """Open the index of a data folder, or of chosen records.

    Args:
        data: the data folder; `$VEIL_DATA` or `data` when left out. The index lies in its folder `index`.
        records: paths of records by a name; every finished run of the data folder when left out.
        database: an open one of the same index; a new one when left out.
        refresh: first build what is missing or stale.

    Raises:
        TargetError: the index cannot be written.
    """
    home = data if isinstance(data, DataFolder) else find_data_folder(data)
    folder = home.index
    known = find_records(home) if records is None else records
    if refresh and find_stale_runs(folder, known):
        rebuild_index(folder, known, missing_only=True)
    return Index(folder, known, database or Database(folder))
