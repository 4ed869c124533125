"""What the server does before it answers anybody: answers leave at once, and what a first page needs is loaded."""

from __future__ import annotations

import asyncio
import importlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import streamlit as st

_ACCEPT_DELAY_S = 0.1
"""Seconds after which whoever called while the server was starting has been let in."""


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Around the life of the server, which listens already and answers once this has begun."""
    disable_send_delay()
    asyncio.get_running_loop().call_later(_ACCEPT_DELAY_S, disable_send_delay)
    threading.Thread(target=importlib.import_module, args=("workbench.views.analyse.views",), daemon=True).start()
    yield


def disable_send_delay() -> None:
    """Let small answers of this process leave at once: on its connections, and on those that others will make to it.

    A kernel keeps a small packet back until the one before it is acknowledged, which the other side puts off for 40 ms:
    on every picture, script and message. asyncio switches that off for sockets that say that they are TCP; those that
    Streamlit listens on, and so those that come of them, say nothing.
    """
    for path in tuple(Path("/dev/fd").iterdir()):
        with _borrow_socket(int(path.name)) as found:
            if found and found.family in {socket.AF_INET, socket.AF_INET6} and found.type == socket.SOCK_STREAM:
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@contextmanager
def _borrow_socket(descriptor: int) -> Iterator[socket.socket | None]:
    """A socket that somebody else will close; None when the descriptor is none."""
    try:
        found = socket.socket(fileno=descriptor)
    except OSError:
        yield None
        return
    try:
        yield found
    finally:
        found.detach()
