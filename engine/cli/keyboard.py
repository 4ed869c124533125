"""Single keys on a terminal, without Enter, while a verb runs."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_POLL_INTERVAL_S = 0.2


@contextmanager
def handle_keys(on_key: Callable[[str], None]) -> Iterator[None]:
    """Call `on_key` for each key, from a thread; does nothing where standard input is no terminal."""
    if not sys.stdin.isatty():
        yield
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    over = threading.Event()
    thread = threading.Thread(target=_read_keys, args=(terminal, over, on_key), name="keys", daemon=True)
    try:
        tty.setcbreak(terminal)
        thread.start()
        yield
    finally:
        over.set()
        thread.join()
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _read_keys(terminal: int, over: threading.Event, on_key: Callable[[str], None]) -> None:
    while not over.is_set():
        if select.select([terminal], [], [], _POLL_INTERVAL_S)[0]:
            key = os.read(terminal, 1)
            if not key:
                return
            on_key(key.decode(errors="replace"))
