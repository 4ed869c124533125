"""The process that answers a person's SELECT: reads a question from standard input, writes Arrow to standard output.

It can read the files of the index and nothing else, and has so much memory and time.
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

from engine.errors import QueryError
from engine.index.database import connect, lock_down
from engine.index.schema import TABLES, build_arrow_schema

EXIT_REFUSED = 2
"""Exit code when standard output is a sentence that says why there is no answer."""
COMPLETE_KEY = b"complete"
"""Metadata of the answer: "yes" when there are no more rows."""

_MEMORY_LIMIT = "256MB"
_MAX_ADDRESS_SPACE_BYTES = 3 << 30
"""Bytes of address space; the libraries themselves reserve half of it."""
_BATCH_ROWS = 500
_MAX_RESULT_BYTES = 32_000_000
"""Bytes of an answer."""


class SqlRequest(msgspec.Struct, frozen=True, array_like=True):
    """What is asked.

    Attributes:
        statement: in DuckDB's SQL.
        limit: rows at most.
        seconds: after which to stop.
        files: by table; none when no run is indexed.
        runs: columns of the table `runs`.
    """

    statement: str
    limit: int
    seconds: float
    files: Mapping[str, Sequence[str]]
    runs: Mapping[str, Sequence[Any]]


def main() -> int:
    """Answer one question; returns the exit code."""
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=SqlRequest)
    _limit_resources(question.seconds)
    try:
        answer = _run_request(question)
    except QueryError as error:
        sys.stdout.write(str(error))  # libraries say things of their own on standard error
        return EXIT_REFUSED
    with pa.ipc.new_stream(sys.stdout.buffer, answer.schema) as writer:
        writer.write_table(answer)
    return 0


def _limit_resources(timeout_s: float) -> None:
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
                f"This took longer than {request.seconds:g} seconds and was stopped; ask for less."
            ) from error
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise QueryError(f"This needs more than {_MEMORY_LIMIT} of memory; ask for less.") from error
        except (duckdb.Error, pa.ArrowException) as error:
            raise QueryError(str(error).split("\n", 1)[0]) from error
        finally:
            alarm.cancel()


def _check_statement(statement: str) -> None:
    statements = duckdb.extract_statements(statement)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError("Only a single SELECT is answered here: the index is for reading.")


def _open_database(request: SqlRequest) -> duckdb.DuckDBPyConnection:
    connection = connect(_MEMORY_LIMIT)
    connection.from_arrow(pa.table(dict(request.runs))).create("runs")
    allowed = [path for paths in request.files.values() for path in paths]
    connection.execute("SET allowed_paths = $1", [allowed])
    for table in TABLES:
        if request.files:
            connection.read_parquet(list(request.files[table])).create_view(table)
        else:
            connection.from_arrow(build_arrow_schema(table).empty_table()).create(table)
    lock_down(connection)
    return connection


def _read_rows(connection: duckdb.DuckDBPyConnection, request: SqlRequest) -> pa.Table:
    """The first rows, read a few at a time so that a large answer is noticed before it is whole."""
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
