"""Keeps the queue of a data folder from being worked on while a test looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.jobs.leases import Holder, open_lease_table
from engine.storage.data_folder import DataFolder


@contextmanager
def hold_queue(data: DataFolder) -> Iterator[None]:
    """Use up what this machine may do at the same time, with a lease of this process, while the block lasts."""
    holder = Holder.this_process()
    with open_lease_table(data) as table:
        assert table.claim(holder, lambda _leases: ("held by a test", "nobody"))
        try:
            yield
        finally:
            table.release("held by a test", holder.host)
