"""Start of the server: small answers are sent without delay, slow imports begin, and the queue is watched."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

import streamlit as st
from streamlit.web.server import server_util

from engine.errors import VeilError
from engine.jobs.queue import start_worker
from engine.storage.data_folder import DataFolder, find_data_folder
from engine.storage.scratch import sweep_data_folder
from workbench.core.viewing import get_viewers

_LOGGER = logging.getLogger(__name__)
PAGE_MODULES = (
    *("workbench.views.analyse.views", "workbench.views.home", "workbench.views.detect.start_runs"),
    *("workbench.views.review.canvas_data", "workbench.views.signoff.page", "workbench.views.policy"),
)
"""Modules whose imports the pages need, the slowest of the pages that people open first at the front.

Not those of Live: Streamlit serves a component only if a script imports the module that declares it, and
streamlit_webrtc does that when it is imported.
"""
_QUEUE_INTERVAL_S = 5.0
"""Seconds between two looks at the queue."""
_ACCEPT_DELAY_S = 0.1
"""Seconds after which connections that were opened during the start have been accepted."""


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Prepare the server, say where it is, and stop its tasks at the end. Its sockets listen already."""
    # Twice: connections that are being accepted now may not have the option yet.
    disable_send_delay()
    asyncio.get_running_loop().call_later(_ACCEPT_DELAY_S, disable_send_delay)
    end_viewers_on_signal()
    threading.Thread(target=load_pages, daemon=True).start()
    address = server_util.get_url(st.get_option("browser.serverAddress"))
    sys.stdout.write(f"The workbench is at {address} (Ctrl-C stops it)\n")
    sys.stdout.flush()
    # Not before the server answers: the folder may hold thousands of files.
    threading.Thread(target=sweep_data_folder, args=(find_data_folder().root,), daemon=True).start()
    # The first still of a run does not wait for the start of a process.
    threading.Thread(target=get_viewers().keep_spare, daemon=True).start()
    queue_watch = asyncio.create_task(watch_queue(find_data_folder()))
    try:
        yield
    finally:
        queue_watch.cancel()
        get_viewers().close()


def end_viewers_on_signal() -> None:
    """Have a signal that ends the server end what is being decoded for its pages, too.

    uvicorn waits for requests that are being answered, and the looks of all people of a long video take minutes: Ctrl-C
    would seem to have no effect.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if callable(handler):
            signal.signal(number, partial(_end_viewers, handler))


def _end_viewers(handler: Callable[[int, FrameType | None], object], number: int, frame: FrameType | None) -> None:
    handler(number, frame)
    # In a thread, because a signal may interrupt whoever holds the lock of the viewers.
    threading.Thread(target=get_viewers().close, daemon=True).start()


def load_pages() -> None:
    """Import what the pages need, and take what is in memory then out of all later garbage collections.

    Streamlit collects garbage after each run of a script, also of a list that refreshes itself every second. That looks
    at every object of plotly, pandas and Streamlit, which takes 100 ms of a core, and no other thread runs meanwhile:
    each button of each person waits for it.
    """
    # plotly and pandas take long to import; otherwise the first person on Analyse would wait for them.
    for name in PAGE_MODULES:
        importlib.import_module(name)
    # What is garbage by now would never be freed.
    gc.collect()
    gc.freeze()


async def watch_queue(data: DataFolder) -> None:
    """Start a worker whenever there are runs that this machine may take, until cancelled.

    Pages only read the queue. If they started the worker, a run whose worker was killed would wait until a person opens
    a page, and each open page would try to start one.
    """
    while True:
        try:
            # In a thread: reading all runs takes as long as the disk does, and the event loop serves every page.
            await asyncio.to_thread(start_worker, data)
        except (OSError, VeilError):
            _LOGGER.warning("The queue in %s cannot be served; trying again.", data.runs, exc_info=True)
        await asyncio.sleep(_QUEUE_INTERVAL_S)


def disable_send_delay() -> None:
    """Turn off the delay of small packets, on all connections of this process and on the sockets that it listens on.

    The kernel holds a small packet back until the previous one is acknowledged, which the other side delays by 40 ms:
    for every still, script and message. asyncio turns this off for sockets that are declared as TCP. The sockets that
    Streamlit listens on are not, nor are the connections that they accept.
    """
    for path in tuple(Path("/dev/fd").iterdir()):
        with _borrow_socket(int(path.name)) as connection:
            if (
                connection
                and connection.family in {socket.AF_INET, socket.AF_INET6}
                and connection.type == socket.SOCK_STREAM
            ):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@contextmanager
def _borrow_socket(descriptor: int) -> Iterator[socket.socket | None]:
    """Yield the socket of a descriptor without taking it over; None if the descriptor is not a socket."""
    try:
        borrowed = socket.socket(fileno=descriptor)
    except OSError:
        yield None
        return
    try:
        yield borrowed
    finally:
        # Closing it would end a connection of the server.
        borrowed.detach()
