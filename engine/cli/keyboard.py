"""Single key presses on a terminal, without Enter, while a verb runs."""

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
    """Call `on_key` for each key, from a thread; do nothing if standard input is not a terminal."""
    if not sys.stdin.isatty():
        yield
        return
    terminal = sys.stdin.fileno()
    saved_mode = termios.tcgetattr(terminal)
    stop = threading.Event()
    # A daemon, so that a key press that never comes cannot keep a failing process alive.
    thread = threading.Thread(target=_read_keys, args=(terminal, stop, on_key), name="keys", daemon=True)
    try:
        # cbreak passes on each key at once but leaves Ctrl-C a signal, which raw mode would not.
        tty.setcbreak(terminal)
        thread.start()
        yield
    finally:
        stop.set()
        thread.join()
        # Without this the shell would come back without an echo.
        termios.tcsetattr(terminal, termios.TCSADRAIN, saved_mode)


def _read_keys(terminal: int, stop: threading.Event, on_key: Callable[[str], None]) -> None:
    while not stop.is_set():
        # A read would block until the next key, and the verb could not end before; so wait with a time limit.
        if select.select([terminal], [], [], _POLL_INTERVAL_S)[0]:
            key = os.read(terminal, 1)
            if not key:
                return
            on_key(key.decode(errors="replace"))
