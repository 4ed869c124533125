"""Run SQL that a user writes: one SELECT over the tables, in a process that can do nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec
import pandas as pd
import pyarrow as pa

from engine.core.python_process import build_module_command, build_python_path
from engine.errors import QueryError
from engine.index.index import Index
from engine.index.selection import Selection
from engine.index.sql_process import COMPLETE_KEY, EXIT_REFUSED, SqlRequest

_STARTUP_ALLOWANCE_S = 30.0
"""Time that the process may take beyond the limit to start on a busy machine. It limits its own processor time."""


_NO_NAMES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SqlResult:
    """The rows of an answer; `complete` is False if there are more."""

    table: pd.DataFrame
    complete: bool


def run_sql(
    index: Index,
    statement: str,
    *,
    names: Mapping[str, str] = _NO_NAMES,
    limit: int = 10_000,
    timeout_s: float = 5.0,
) -> SqlResult:
    """Run one SELECT over the tables `runs` and `engine.index.schema.TABLES`, of all indexed runs.

    The process reads the files of the index and nothing else: no other file, no network, no extension, no setting, no
    writing. It is stopped if it takes too long or needs too much memory. See docs/decisions/0008.

    Args:
        index: The index.
        statement: A statement in the SQL of DuckDB.
        names: Names of the runs for people, which the table `runs` has beside their identifiers.
        limit: Largest number of rows that are returned.
        timeout_s: Time limit.

    Raises:
        QueryError: The statement is not a single SELECT or is wrong, or takes too long or too much memory.
    """
    files = index.list_files(Selection()) if index.indexed_runs else {}
    runs = index.list_runs(names=names)
    request = SqlRequest(
        statement, limit, timeout_s, files, dict(zip(runs.columns, runs.to_numpy().T.tolist(), strict=True))
    )
    try:
        done = subprocess.run(
            build_module_command("engine.index.sql_process"),
            input=msgspec.json.encode(request),
            capture_output=True,
            timeout=timeout_s + _STARTUP_ALLOWANCE_S,
            check=False,
            # No more of this process's environment than what makes the code importable: the statement is not trusted.
            env={"PYTHONPATH": build_python_path()},
        )
    except subprocess.TimeoutExpired as error:
        raise QueryError(
            f"The query was stopped after {timeout_s:g} seconds; ask for fewer rows or a shorter time."
        ) from error
    if done.returncode == EXIT_REFUSED:
        raise QueryError(done.stdout.decode().strip())
    if done.returncode != 0:
        raise QueryError("The query was stopped because it needs more time or memory than allowed; ask for less.")
    with pa.ipc.open_stream(done.stdout) as reader:
        complete = (reader.schema.metadata or {}).get(COMPLETE_KEY) == b"yes"
        return SqlResult(reader.read_all().to_pandas(), complete)
