import asyncio
import gc
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import pytest

from engine import runs
from engine.storage.data_folder import DataFolder
from tests.workbench.run_states import make_run_in_state
from workbench.server import startup


def test_whoever_connects_is_answered_at_once():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        startup.disable_send_delay()
        with socket.create_connection(listener.getsockname()) as caller, listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert not caller.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            startup.disable_send_delay()
            assert caller.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_signal_that_ends_the_server_ends_what_is_decoded_for_it(monkeypatch):
    ended, viewers, signals = [], threading.Event(), (signal.SIGINT, signal.SIGTERM)
    monkeypatch.setattr(startup.get_viewers(), "close", viewers.set)
    before = [signal.signal(number, lambda *arguments: ended.append(arguments[0])) for number in signals]
    try:
        startup.end_viewers_on_signal()
        for number in signals:
            signal.raise_signal(number)
            assert viewers.wait(60)
            viewers.clear()
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
    assert ended == list(signals)


def test_what_is_no_connection_stays_as_it_is(tmp_path):
    first, second = socket.socketpair()
    with first, second, (tmp_path / "file").open("w") as file:
        startup.disable_send_delay()
        first.send(b"still open")
        assert second.recv(100) == b"still open"
        assert os.fstat(file.fileno())


@pytest.mark.slow
def test_the_server_restarts_the_worker_of_a_queue(tmp_path):
    """A run that waits without a worker is taken up, though no page is open; it fails as its source is missing."""
    data = DataFolder(tmp_path)
    run = make_run_in_state(data, "queued", "/missing.mp4")

    def wait_for_end() -> None:
        deadline = time.monotonic() + 60
        while runs.load_run(data, run.id).status in {"queued", "running"} and time.monotonic() < deadline:
            time.sleep(0.05)

    async def serve() -> None:
        watch = asyncio.create_task(startup.watch_queue(data))
        await asyncio.to_thread(wait_for_end)
        watch.cancel()

    # In a thread of its own: the browser of other tests may have an event loop in this one.
    with ThreadPoolExecutor(1) as executor:
        executor.submit(asyncio.run, serve()).result()
    assert runs.load_run(data, run.id).status == "failed"


@pytest.mark.slow
def test_garbage_collections_leave_out_what_the_start_has_loaded():
    """Streamlit collects after each run of a script, which would look at all of plotly, pandas and Streamlit."""
    try:
        startup.load_pages()
        assert gc.get_freeze_count() > 10 * len(gc.get_objects())
    finally:
        gc.unfreeze()


def test_the_start_loads_the_views_of_every_page_but_live():
    """The component of streamlit_webrtc would not be served if it was imported outside of a script."""
    views = {path.stem for path in Path(startup.__file__).parents[1].joinpath("views").iterdir()} - {"__init__"}
    loaded = {name.split(".")[2] for name in startup.PAGE_MODULES}
    assert views - {"__pycache__", "live"} == loaded


@pytest.mark.slow
def test_the_server_says_where_it_is_and_nothing_else(workbench):
    """Streamlit's own greeting speaks of Streamlit, and a warning at the start would worry who starts it."""
    # The server listens a moment before it has started.
    with urlopen(f"{workbench.url}/_stcore/health", timeout=60) as answer:
        assert answer.read() == b"ok"
    lines = [line for line in workbench.log.read_text().splitlines() if line.strip()]
    assert lines[0] == f"The workbench is at {workbench.url.replace('localhost', '127.0.0.1')} (Ctrl-C stops it)"
