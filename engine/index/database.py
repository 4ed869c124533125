"""DuckDB in memory, without network access, and without access to files outside the folder of the index."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from engine.core.closeable import Closeable

if TYPE_CHECKING:
    import pandas as pd  # the SQL process does not import it

_PARAMETER_PATTERN = re.compile(r"\$([a-z_]+)")
_RESTRICTIONS: Mapping[str, str] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "threads": "2",
}
"""No extension is downloaded, a table name never refers to a Python variable, and nothing is written to disk."""


class Database(Closeable):
    """Read the Parquet files of one index. Every query has its own cursor, so threads can share a database."""

    def __init__(self, folder: Path, memory: str = "256MB") -> None:
        self._connection = connect(memory)
        self._connection.execute("SET parquet_metadata_cache = true")
        self._connection.execute("SET allowed_directories = $1", [[f"{folder.absolute()}/"]])
        lock_down(self._connection)

    def close(self) -> None:
        """Release files and memory. No query may follow."""
        self._connection.close()

    def run_query(self, statement: str, values: Mapping[str, Any]) -> pd.DataFrame:
        """Run one of the statements of this package with those of `values` that it names.

        Raises:
            duckdb.Error: A file is missing or damaged.
        """
        # DuckDB refuses parameters that a statement does not name.
        named = {name: values[name] for name in _PARAMETER_PATTERN.findall(statement)}
        with self._connection.cursor() as cursor:
            answer: pd.DataFrame = cursor.execute(statement, named).df()
            return answer


def connect(memory: str) -> duckdb.DuckDBPyConnection:
    """Create a database in memory. `memory` is its limit, such as "256MB"."""
    return duckdb.connect(":memory:", config={**_RESTRICTIONS, "memory_limit": memory})


def lock_down(connection: duckdb.DuckDBPyConnection) -> None:
    """Deny access to all files but the allowed ones, and further changes of settings."""
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
