"""What the server does before it answers anybody: answers leave at once, and what a first page needs is loaded."""

from __future__ import annotations

import asyncio
import importlib
import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import streamlit as st

from engine.jobs.queue import restart_worker
from engine.storage.data_folder import DataFolder, find_data_folder

_LOGGER = logging.getLogger(__name__)
_QUEUE_INTERVAL_S = 5.0
"""Seconds between two looks at the queue."""
_ACCEPT_DELAY_S = 0.1
"""Seconds after which whoever called while the server was starting has been let in."""


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Around the life of the server, which listens already and answers once this has begun."""
    disable_send_delay()
    asyncio.get_running_loop().call_later(_ACCEPT_DELAY_S, disable_send_delay)
    threading.Thread(target=importlib.import_module, args=("workbench.views.analyse.views",), daemon=True).start()
    queue_watch = asyncio.create_task(watch_queue(find_data_folder()))
    try:
        yield
    finally:
        queue_watch.cancel()


async def watch_queue(data: DataFolder) -> None:
    """Start a worker whenever runs wait and none works, until cancelled.

    Pages only read the queue. Were they to start the worker, a run whose worker was killed would wait until a person
    opens a page, and each open page would try to start one.
    """
    while True:
        try:
            # In a thread: reading all runs takes as long as the disk does, and the event loop serves every page.
            await asyncio.to_thread(restart_worker, data)
        except OSError:
            _LOGGER.warning("The queue in %s cannot be served; trying again.", data.runs, exc_info=True)
        await asyncio.sleep(_QUEUE_INTERVAL_S)


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
