"""The process that runs the SELECT of a user: a request on standard input, an Arrow table on standard output.

It can read the files of the index and nothing else, and its time and memory are limited.
"""

from __future__ import annotations

import resource
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from engine.core.json_decoder import decode_json
from engine.errors import QueryError
from engine.index.database import connect, lock_down
from engine.index.schema import RUN_COLUMNS, TABLES, Column

EXIT_REFUSED = 2
"""Exit code if standard output holds an error message instead of an answer."""
COMPLETE_KEY = b"complete"
"""Metadata of the answer: "yes" if there are no more rows."""

_MEMORY_LIMIT = "256MB"
_MAX_ADDRESS_SPACE_BYTES = 3 << 30
"""Limit of the address space. The libraries alone reserve half of it."""
_BATCH_ROWS = 500
_MAX_RESULT_BYTES = 32_000_000
"""Largest size of an answer."""


class SqlRequest(msgspec.Struct, frozen=True, array_like=True):
    """A request to the process.

    Attributes:
        statement: A statement in the SQL of DuckDB.
        limit: Largest number of rows of the answer.
        seconds: Time limit.
        files: Files of each table; empty if no run is indexed.
        runs: Columns of the table `runs`.
    """

    statement: str
    limit: int
    seconds: float
    files: Mapping[str, Sequence[str]]
    runs: Mapping[str, Sequence[Any]]


def main() -> int:
    """Answer one request and return the exit code."""
    request = decode_json(sys.stdin.buffer.read(), type=SqlRequest)
    _limit_resources(request.seconds)
    try:
        answer = _run_request(request)
    except QueryError as error:
        sys.stdout.write(str(error))  # standard error may hold warnings of libraries
        return EXIT_REFUSED
    with pa.ipc.new_stream(sys.stdout.buffer, answer.schema) as writer:
        writer.write_table(answer)
    return 0


def _limit_resources(timeout_s: float) -> None:
    # The interrupt of DuckDB is the limit that users meet. These limits stop what it does not reach, such as a single
    # function that never returns; no file can be written, and no core dump keeps data.
    processor = int(2 * timeout_s) + 5
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_ADDRESS_SPACE_BYTES, _MAX_ADDRESS_SPACE_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _run_request(request: SqlRequest) -> pa.Table:
    with _open_database(request) as connection:
        alarm = threading.Timer(request.seconds, connection.interrupt)
        alarm.daemon = True
        alarm.start()
        try:
            _check_statement(request.statement)
            return _read_rows(connection, request)
        except duckdb.InterruptException as error:
            raise QueryError(
                f"The query was stopped after {request.seconds:g} seconds; ask for fewer rows or a shorter time."
            ) from error
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise QueryError(f"The query needs more than {_MEMORY_LIMIT} of memory; ask for less.") from error
        except (duckdb.Error, pa.ArrowException) as error:
            raise QueryError(str(error).split("\n", 1)[0]) from error
        finally:
            alarm.cancel()


def _check_statement(statement: str) -> None:
    # The database is locked down as well. This gives a clear message, and stops COPY, ATTACH and SET before they run.
    statements = duckdb.extract_statements(statement)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError("Only a single SELECT is answered here; write one statement that reads.")


def _open_database(request: SqlRequest) -> duckdb.DuckDBPyConnection:
    # Not from Arrow: DuckDB imports pandas for that, which takes half of the time of a short question.
    connection = connect(_MEMORY_LIMIT)
    connection.execute(f"CREATE TABLE runs ({_list_columns(RUN_COLUMNS)})")
    values = ", ".join(f"unnest(${number}::{column.sql_type}[])" for number, column in enumerate(RUN_COLUMNS, 1))
    connection.execute(f"INSERT INTO runs SELECT {values}", [request.runs[column.name] for column in RUN_COLUMNS])
    allowed = [path for paths in request.files.values() for path in paths]
    connection.execute("SET allowed_paths = $1", [allowed])
    for table, columns in TABLES.items():
        # Saved questions name columns as they were called when they were written.
        earlier = [f"{column.name} AS {column.earlier_name}" for column in columns if column.earlier_name]
        if request.files:
            rows = connection.read_parquet(list(request.files[table]))
        else:
            blank = ", ".join(f"NULL::{column.sql_type} AS {column.name}" for column in columns)
            rows = connection.sql(f"SELECT {blank} WHERE false")
        rows.project(", ".join(["*", *earlier])).create_view(table)
    # Last, because no file can be opened and no setting changed from here on.
    lock_down(connection)
    return connection


def _list_columns(columns: Sequence[Column]) -> str:
    return ", ".join(f"{column.name} {column.sql_type}" for column in columns)


def _read_rows(connection: duckdb.DuckDBPyConnection, request: SqlRequest) -> pa.Table:
    """Read the first rows, a batch at a time, so that an answer that is too large is stopped before it is complete."""
    relation = connection.sql(request.statement)
    reader = relation.to_arrow_reader(_BATCH_ROWS)
    batches, rows, size = [], 0, 0
    for batch in reader:
        batches.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if size > _MAX_RESULT_BYTES:
            raise QueryError(f"The answer is larger than {_MAX_RESULT_BYTES // 1_000_000} MB; ask for less.")
        if rows > request.limit:
            break
    table = pa.Table.from_batches(batches, reader.schema).slice(0, request.limit)
    return table.replace_schema_metadata({COMPLETE_KEY: b"yes" if rows <= request.limit else b"no"})


if __name__ == "__main__":
    sys.exit(main())
