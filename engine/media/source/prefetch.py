"""Making the next few items while the caller works on the one before: decoding beside masking."""

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
    """The same items in the same order, made by a thread of their own that is at most `max_items` items ahead.

    An exception that ends `items` is raised where the item it stands for would have come. When the block ends, the
    thread has ended too, whether or not every item was taken.

    Args:
        items: made in the thread; nobody else may touch it meanwhile.
        max_items: items that wait at most; they cost memory.
    """
    made: queue.Queue[_PrefetchedItem[Item] | BaseException | None] = queue.Queue(max_items)
    stopped = threading.Event()

    def produce() -> None:
        try:
            for item in items:
                made.put(_PrefetchedItem(item))
                if stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001  raised again where somebody listens
            made.put(error)
        else:
            made.put(None)

    def consume() -> Iterator[Item]:
        while (one := made.get()) is not None:
            if isinstance(one, BaseException):
                raise one
            yield one.item

    thread = threading.Thread(target=produce, name="veil-ahead", daemon=True)
    thread.start()
    try:
        yield consume()
    finally:
        stopped.set()
        while thread.is_alive():
            with suppress(queue.Empty):  # one that waits for room finds it, and sees that it is to stop
                made.get(timeout=0.01)
        thread.join()
