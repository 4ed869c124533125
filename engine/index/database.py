"""DuckDB without a file of its own, without a network, and without a way out of the index's folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from engine.core.closeable import Closeable

if TYPE_CHECKING:
    import pandas as pd  # the process of the SQL box does without

_PARAMETER_PATTERN = re.compile(r"\$([a-z_]+)")
_RESTRICTIONS: Mapping[str, str] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "threads": "2",
}
"""Nothing is fetched, no variable of Python is seen by name, nothing is spilled to a disk."""


class Database(Closeable):
    """Reads the Parquet files of one index; every statement has a cursor of its own, so threads may share it."""

    def __init__(self, folder: Path, memory: str = "256MB") -> None:
        self._connection = connect(memory)
        self._connection.execute("SET parquet_metadata_cache = true")
        self._connection.execute("SET allowed_directories = $1", [[f"{folder.absolute()}/"]])
        lock_down(self._connection)

    def close(self) -> None:
        """Let go of files and memory; nothing may be asked after that."""
        self._connection.close()

    def run_query(self, statement: str, values: Mapping[str, Any]) -> pd.DataFrame:
        """The answer to a statement of our own; of `values` it takes those that it names.

        Raises:
            duckdb.Error: a file is missing or damaged.
        """
        named = {name: values[name] for name in _PARAMETER_PATTERN.findall(statement)}
        with self._connection.cursor() as cursor:
            answer: pd.DataFrame = cursor.execute(statement, named).df()
            return answer


def connect(memory: str) -> duckdb.DuckDBPyConnection:
    """A new database in memory that fetches nothing; `memory` is its limit, as "256MB"."""
    return duckdb.connect(":memory:", config={**_RESTRICTIONS, "memory_limit": memory})


def lock_down(connection: duckdb.DuckDBPyConnection) -> None:
    """From here on no file is reached but those that were allowed, and no setting changes."""
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
