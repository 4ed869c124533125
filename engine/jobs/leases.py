"""Leases: which process works on which run, in a database that the workers of all machines share.

A lease ends when it is released, when its time is over, or, on the machine of its process, when that process is gone.
Nothing else is kept here: which runs wait, and in what order, is in the folders of the runs. A database without any
lease may therefore be removed.

SQLite serves one machine. Several machines need PostgreSQL, because the locks of SQLite do not reach across a network.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import sqlalchemy as sql
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

from engine.core.machine import current_process, find_host_name, process_start_ticks
from engine.errors import InputError, TargetError
from engine.storage.data_folder import DataFolder
from engine.storage.files import make_private_folder

DATABASE_VARIABLE = "VEIL_QUEUE_DATABASE"
"""Environment variable with the address of a PostgreSQL database; it may have a password, so no file holds it."""
LEASE_S = 60.0
"""Seconds that a lease lasts after its last renewal."""
_BUSY_TIMEOUT_S = 30
"""Time that a transaction waits for another one."""
_ADDRESS_PREFIX = "postgresql"
_CREATION_LOCK = 0x7665696C
"""Any number that other programs in the same database do not use."""

_METADATA = sql.MetaData()
_LEASES = sql.Table(
    "veil_leases",
    _METADATA,
    sql.Column("run", sql.String(100), primary_key=True),
    sql.Column("account", sql.String(200), nullable=False),
    sql.Column("host", sql.String(255), nullable=False),
    sql.Column("pid", sql.Integer, nullable=False),
    sql.Column("born", sql.BigInteger, nullable=False),
    sql.Column("until", sql.Float(53), nullable=False),
    sql.Column("attempt", sql.Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds leases: its machine, process id, and start in clock ticks since boot."""

    host: str
    pid: int
    born: int

    @classmethod
    def this_process(cls) -> Self:
        """Return this process as a holder."""
        pid, born = current_process()
        return cls(find_host_name(), pid, born or 0)

    @property
    def is_gone(self) -> bool:
        """Return True if this is the machine of the process, and the process has ended."""
        return self.host == find_host_name() and process_start_ticks(self.pid) != self.born


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as it was when it was read.

    Attributes:
        run: identifier of the run.
        account: account of the person who started the run.
        holder: the process that works on it.
        attempt: how often the run was taken up since it was queued, from 1.
        is_live: False if the process is gone, or has not renewed the lease in time.
    """

    run: str
    account: str
    holder: Holder
    attempt: int
    is_live: bool


class LeaseTable:
    """The leases of all machines.

    Args:
        engine: the database.
    """

    def __init__(self, engine: sql.Engine) -> None:
        self._engine = engine

    def claim(
        self, holder: Holder, choose: Callable[[Sequence[Lease]], tuple[str, str] | None]
    ) -> tuple[str, str] | None:
        """Take the lease of a run that `choose` returns, with its account; no other claim happens meanwhile.

        Args:
            holder: the process that will hold it.
            choose: gets all leases, and returns a run without a live one, or None.

        Returns:
            What `choose` returned.

        Raises:
            TargetError: the database cannot be used.
        """
        with self._change() as connection:
            leases = {lease.run: lease for lease in _read_leases(connection)}
            chosen = choose(list(leases.values()))
            if chosen is None:
                return None
            run, account = chosen
            attempt = leases[run].attempt + 1 if run in leases else 1
            connection.execute(sql.delete(_LEASES).where(_LEASES.c.run == run))
            connection.execute(
                sql.insert(_LEASES).values(
                    run=run, account=account, host=holder.host, pid=holder.pid, born=holder.born,
                    until=_now(connection) + LEASE_S, attempt=attempt,
                )
            )  # fmt: skip
            return chosen

    def hand_over(self, run: str, before: Holder, after: Holder) -> bool:
        """Let another process hold a lease; return False if `before` does not hold it any more."""
        return self._update(run, before, host=after.host, pid=after.pid, born=after.born)

    def renew(self, run: str, holder: Holder) -> bool:
        """Make a lease last longer; return False if the process does not hold it any more."""
        return self._update(run, holder)

    def release(self, run: str, host: str) -> None:
        """End the lease of a run if a process of this machine holds it."""
        with self._change() as connection:
            connection.execute(sql.delete(_LEASES).where(_LEASES.c.run == run, _LEASES.c.host == host))

    def list_leases(self) -> list[Lease]:
        """Read all leases."""
        with _raise_target_errors(self._engine), self._engine.connect() as connection:
            return _read_leases(connection)

    def _update(self, run: str, holder: Holder, **values: object) -> bool:
        held = (_LEASES.c.run == run, _LEASES.c.host == holder.host, _LEASES.c.pid == holder.pid)
        with self._change() as connection:
            until = _now(connection) + LEASE_S
            changed = connection.execute(
                sql.update(_LEASES).where(*held, _LEASES.c.born == holder.born).values(until=until, **values)
            )
            return changed.rowcount == 1

    @contextmanager
    def _change(self) -> Iterator[sql.Connection]:
        """Begin a transaction beside which no other one changes leases."""
        with _raise_target_errors(self._engine), self._engine.begin() as connection:
            # SQLite begins each transaction with the lock of the whole file (see `_open_sqlite`).
            if connection.dialect.name == "postgresql":
                connection.execute(sql.text(f"LOCK TABLE {_LEASES.name} IN EXCLUSIVE MODE"))
            yield connection


@contextmanager
def open_lease_table(data: DataFolder) -> Iterator[LeaseTable]:
    """Open the leases of the queue.

    They are in the database that `VEIL_QUEUE_DATABASE` names, or else in a file of the data folder.

    Raises:
        InputError: the address is none of a PostgreSQL database, or its driver is missing.
        TargetError: the database cannot be used.
    """
    address = os.environ.get(DATABASE_VARIABLE, "")
    engine = _open_postgresql(address) if address else _open_sqlite(data)
    try:
        with _raise_target_errors(engine), engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                # Two processes that create a table at the same time would both find it missing.
                connection.execute(sql.select(sql.func.pg_advisory_xact_lock(_CREATION_LOCK)))
            _METADATA.create_all(connection)
        yield LeaseTable(engine)
    finally:
        engine.dispose()


def _open_sqlite(data: DataFolder) -> sql.Engine:
    make_private_folder(data.runs)
    engine = sql.create_engine(f"sqlite:///{data.queue_database}", connect_args={"timeout": _BUSY_TIMEOUT_S})

    # The driver would begin a transaction at the first change, after the leases were read; another process could have
    # changed them in between.
    @sql.event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # a sqlite3.Connection

    @sql.event.listens_for(engine, "begin")
    def begin_with_lock(connection: sql.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _open_postgresql(address: str) -> sql.Engine:
    scheme, separator, rest = address.partition("://")
    if not separator or not scheme.startswith(_ADDRESS_PREFIX):
        raise InputError(
            f"{DATABASE_VARIABLE} is no address of a PostgreSQL database: it has to begin with postgresql://."
        )
    try:
        return sql.create_engine(f"postgresql+psycopg://{rest}", connect_args={"connect_timeout": _BUSY_TIMEOUT_S})
    except (ImportError, NoSuchModuleError) as error:
        raise InputError(
            "The driver for PostgreSQL is missing: install it with pip install 'veil-workbench[postgresql]'."
        ) from error
    except (SQLAlchemyError, ValueError) as error:
        # Without the text of the error, which has the whole address with its password.
        raise InputError(f"{DATABASE_VARIABLE} is no address of a PostgreSQL database; check it.") from error


@contextmanager
def _raise_target_errors(engine: sql.Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        where = engine.url.render_as_string(hide_password=True)
        raise TargetError(f"The database of the queue {where} cannot be used: {reason}.") from error


def _read_leases(connection: sql.Connection) -> list[Lease]:
    now = _now(connection)
    leases = []
    for row in connection.execute(sql.select(_LEASES).order_by(_LEASES.c.run)):
        holder = Holder(row.host, row.pid, row.born)
        leases.append(Lease(row.run, row.account, holder, row.attempt, row.until > now and not holder.is_gone))
    return leases


def _now(connection: sql.Connection) -> float:
    """Return the time of the database in seconds: the clocks of several machines differ."""
    if connection.dialect.name != "postgresql":
        return time.time()
    return float(connection.execute(sql.select(sql.extract("epoch", sql.func.clock_timestamp()))).scalar_one())
