"""Questions that a person writes: one SELECT over the tables, in a database of its own that can do nothing else."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import duckdb
import pandas as pd
import pyarrow as pa

from engine.analysis.index.database import connect, lock
from engine.analysis.index.opened import Index
from engine.analysis.index.selection import Selection
from engine.analysis.index.tables import TABLES, schema
from engine.errors import QueryError

_ROWS_AT_ONCE = 500
_LARGEST = 32_000_000
"""Bytes of an answer."""
_MEMORY = "128MB"


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows, and whether these are all that there are."""

    table: pd.DataFrame
    complete: bool


def ask(index: Index, statement: str, *, limit: int = 10_000, seconds: float = 5.0) -> Answer:
    """Answer one SELECT over the tables `runs` and `engine.analysis.index.tables.TABLES`, of all indexed runs.

    The database reads the index's own files and nothing else: no other file, no network, no extension, no setting, no
    writing, no variable of this program.

    Args:
        index: the index.
        statement: in DuckDB's SQL.
        limit: rows that are given at most.
        seconds: after which it is stopped.

    Raises:
        QueryError: it is not one SELECT, is wrong, takes too long, or wants too much memory.
    """
    _check(statement)
    with _opened(index) as connection:
        alarm = threading.Timer(seconds, connection.interrupt)
        alarm.start()
        try:
            return _answer(connection, statement, limit)
        except duckdb.InterruptException as error:
            raise QueryError(f"This took longer than {seconds:g} seconds and was stopped; ask for less.") from error
        except duckdb.OutOfMemoryException as error:
            raise QueryError(f"This needs more than {_MEMORY} of memory; ask for less.") from error
        except (duckdb.Error, pa.ArrowException) as error:
            raise QueryError(_first_lines(error)) from error
        finally:
            alarm.cancel()


def _check(statement: str) -> None:
    try:
        statements = duckdb.extract_statements(statement)
    except duckdb.Error as error:
        raise QueryError(_first_lines(error)) from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError("Only a single SELECT is answered here: the index is for reading.")


def _opened(index: Index) -> duckdb.DuckDBPyConnection:
    connection = connect(_MEMORY)
    connection.from_arrow(pa.Table.from_pandas(index.runs(), preserve_index=False)).create("runs")
    files = index.files(Selection()) if index.indexed else {}
    connection.execute("SET allowed_paths = $1", [[path for paths in files.values() for path in paths]])
    for table in TABLES:
        if files:
            connection.read_parquet(files[table]).create_view(table)
        else:
            connection.from_arrow(schema(table).empty_table()).create(table)
    lock(connection)
    return connection


def _answer(connection: duckdb.DuckDBPyConnection, statement: str, limit: int) -> Answer:
    reader = connection.execute(statement).to_arrow_reader(_ROWS_AT_ONCE)
    batches, rows, size = [], 0, 0
    for batch in reader:
        batches.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if size > _LARGEST:
            raise QueryError(f"The answer is larger than {_LARGEST // 1_000_000} MB; ask for less.")
        if rows > limit:
            break
    table = pa.Table.from_batches(batches, reader.schema)
    return Answer(table.slice(0, limit).to_pandas(), rows <= limit)


def _first_lines(error: Exception) -> str:
    """What DuckDB says, without its hints and without paths of this machine."""
    return str(error).split("\n\n", 1)[0].strip()
