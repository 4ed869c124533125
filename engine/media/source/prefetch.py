"""Produces items in a thread ahead of their use, so that decoding overlaps with masking."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class _PrefetchedItem(Generic[Item]):
    item: Item


@contextmanager
def prefetch(items: Iterator[Item], max_items: int) -> Iterator[Iterator[Item]]:
    """Iterate over `items` in a thread that is at most `max_items` items ahead; their order stays the same.

    An exception that ends `items` is raised where the next item would have come. When the block ends, the thread has
    ended too, even if not all items were taken.

    Args:
        items: runs in the thread; no other thread may use it meanwhile.
        max_items: how many finished items may wait; each costs memory.
    """
    ready: queue.Queue[_PrefetchedItem[Item] | BaseException | None] = queue.Queue(max_items)
    stopped = threading.Event()

    def produce() -> None:
        try:
            for item in items:
                ready.put(_PrefetchedItem(item))
                if stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001  the consumer raises it again
            ready.put(error)
        else:
            ready.put(None)

    def consume() -> Iterator[Item]:
        while (entry := ready.get()) is not None:
            if isinstance(entry, BaseException):
                raise entry
            yield entry.item

    thread = threading.Thread(target=produce, name="veil-ahead", daemon=True)
    thread.start()
    try:
        yield consume()
    finally:
        stopped.set()
        # The thread may be waiting for room in the queue: making room lets it go on to see that it should stop.
        while thread.is_alive():
            with suppress(queue.Empty):
                ready.get(timeout=0.01)
        thread.join()
