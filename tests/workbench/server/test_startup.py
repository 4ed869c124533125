import asyncio
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

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
