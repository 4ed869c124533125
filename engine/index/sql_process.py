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
from engine.index.database import connect, lock
from engine.index.schema import TABLES, schema

REFUSED = 2
"""Exit code when standard output is a sentence that says why there is no answer."""
COMPLETE = b"complete"
"""Metadata of the answer: "yes" when there are no more rows."""

_MEMORY = "256MB"
_ADDRESSES = 3 << 30
"""Bytes of address space; the libraries themselves reserve half of it."""
_ROWS_AT_ONCE = 500
_LARGEST = 32_000_000
"""Bytes of an answer."""


class Question(msgspec.Struct, frozen=True, array_like=True):
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
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    _limit(question.seconds)
    try:
        answer = _answer(question)
    except QueryError as error:
        sys.stdout.write(str(error))  # libraries say things of their own on standard error
        return REFUSED
    with pa.ipc.new_stream(sys.stdout.buffer, answer.schema) as writer:
        writer.write_table(answer)
    return 0


def _limit(seconds: float) -> None:
    processor = int(2 * seconds) + 5
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(question: Question) -> pa.Table:
    with _opened(question) as connection:
        alarm = threading.Timer(question.seconds, connection.interrupt)
        alarm.daemon = True
        alarm.start()
        try:
            _check(question.statement)
            return _rows(connection, question)
        except duckdb.InterruptException as error:
            raise QueryError(
                f"This took longer than {question.seconds:g} seconds and was stopped; ask for less."
            ) from error
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise QueryError(f"This needs more than {_MEMORY} of memory; ask for less.") from error
        except (duckdb.Error, pa.ArrowException) as error:
            raise QueryError(str(error).split("\n", 1)[0]) from error
        finally:
            alarm.cancel()


def _check(statement: str) -> None:
    statements = duckdb.extract_statements(statement)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError("Only a single SELECT is answered here: the index is for reading.")


def _opened(question: Question) -> duckdb.DuckDBPyConnection:
    connection = connect(_MEMORY)
    connection.from_arrow(pa.table(dict(question.runs))).create("runs")
    allowed = [path for paths in question.files.values() for path in paths]
    connection.execute("SET allowed_paths = $1", [allowed])
    for table in TABLES:
        if question.files:
            connection.read_parquet(list(question.files[table])).create_view(table)
        else:
            connection.from_arrow(schema(table).empty_table()).create(table)
    lock(connection)
    return connection


def _rows(connection: duckdb.DuckDBPyConnection, question: Question) -> pa.Table:
    """The first rows, read a few at a time so that a large answer is noticed before it is whole."""
    relation = connection.sql(question.statement)
    reader = relation.to_arrow_reader(_ROWS_AT_ONCE)
    batches, rows, size = [], 0, 0
    for batch in reader:
        batches.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if size > _LARGEST:
            raise QueryError(f"The answer is larger than {_LARGEST // 1_000_000} MB; ask for less.")
        if rows > question.limit:
            break
    table = pa.Table.from_batches(batches, reader.schema).slice(0, question.limit)
    return table.replace_schema_metadata({COMPLETE: b"yes" if rows <= question.limit else b"no"})


if __name__ == "__main__":
    sys.exit(main())
