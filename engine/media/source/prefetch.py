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
class _Made(Generic[Item]):
    item: Item


@contextmanager
def ahead(items: Iterator[Item], depth: int) -> Iterator[Iterator[Item]]:
    """The same items in the same order, made by a thread of their own that is at most `depth` items ahead.

    An exception that ends `items` is raised where the item it stands for would have come. When the block ends, the
    thread has ended too, whether or not every item was taken.

    Args:
        items: made in the thread; nobody else may touch it meanwhile.
        depth: items that wait at most; they cost memory.
    """
    made: queue.Queue[_Made[Item] | BaseException | None] = queue.Queue(depth)
    stopped = threading.Event()

    def work() -> None:
        try:
            for item in items:
                made.put(_Made(item))
                if stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001  raised again where somebody listens
            made.put(error)
        else:
            made.put(None)

    def taken() -> Iterator[Item]:
        while (one := made.get()) is not None:
            if isinstance(one, BaseException):
                raise one
            yield one.item

    thread = threading.Thread(target=work, name="veil-ahead", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        stopped.set()
        while thread.is_alive():
            with suppress(queue.Empty):  # one that waits for room finds it, and sees that it is to stop
                made.get(timeout=0.01)
        thread.join()
