"""Questions that a person writes: one SELECT over the tables, answered by a process that can do nothing else."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

import msgspec
import pandas as pd
import pyarrow as pa

from engine.core.python_process import build_module_command, build_python_path
from engine.errors import QueryError
from engine.index.index import Index
from engine.index.selection import Selection
from engine.index.sql_process import COMPLETE_KEY, EXIT_REFUSED, SqlRequest

_STARTUP_ALLOWANCE_S = 30.0
"""Seconds more that the process may take on a machine that is busy; it watches its own processor time."""


@dataclass(frozen=True, slots=True)
class SqlResult:
    """Rows, and whether these are all that there are."""

    table: pd.DataFrame
    complete: bool


def run_sql(index: Index, statement: str, *, limit: int = 10_000, timeout_s: float = 5.0) -> SqlResult:
    """Answer one SELECT over the tables `runs` and `engine.index.schema.TABLES`, of all indexed runs.

    The process that answers reads the index's own files and nothing else: no other file, no network, no extension, no
    setting, no writing. It is killed when it takes too long or wants too much memory.

    Args:
        index: the index.
        statement: in DuckDB's SQL.
        limit: rows that are given at most.
        timeout_s: after which it is stopped.

    Raises:
        QueryError: it is not one SELECT, is wrong, takes too long, or wants too much memory.
    """
    files = index.list_files(Selection()) if index.indexed_runs else {}
    runs = index.list_runs()
    question = SqlRequest(
        statement, limit, timeout_s, files, dict(zip(runs.columns, runs.to_numpy().T.tolist(), strict=True))
    )
    try:
        done = subprocess.run(
            build_module_command("engine.index.sql_process"),
            input=msgspec.json.encode(question),
            capture_output=True,
            timeout=timeout_s + _STARTUP_ALLOWANCE_S,
            check=False,
            # No more of this process's environment than what makes the code importable: the statement is not trusted.
            env={"PYTHONPATH": build_python_path()},
        )
    except subprocess.TimeoutExpired as error:
        raise QueryError(f"This took longer than {timeout_s:g} seconds and was stopped; ask for less.") from error
    if done.returncode == EXIT_REFUSED:
        raise QueryError(done.stdout.decode().strip())
    if done.returncode != 0:
        raise QueryError("This needed more time or memory than it may have and was stopped; ask for less.")
    with pa.ipc.open_stream(done.stdout) as reader:
        complete = (reader.schema.metadata or {}).get(COMPLETE_KEY) == b"yes"
        return SqlResult(reader.read_all().to_pandas(), complete)
