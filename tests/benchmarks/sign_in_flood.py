"""Flood the sign-in and measure the pages beside it: `python -m tests.benchmarks.sign_in_flood`.

Sign-ins all at once, together with bodies of 1 GB, half of them without a length, against a server with accounts; this
process sends them, and another asks for three pages in turn. Prints what the pages took and the memory of the server.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.storage.data_folder import find_data_folder
from tests.browser import Server, make_data_folder, running_workbench
from tests.workbench.accounts import add_accounts

_BODY_BYTES = 1 << 30
_PAGES = ("/", "/_stcore/health", "/static/index.html")
_ASKER = """
import http.client, json, sys, time
port, pages, taken = int(sys.argv[1]), sys.argv[2].split(","), []
end = time.monotonic() + float(sys.argv[3])
while time.monotonic() < end:
    for page in pages:
        start = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        connection.request("GET", page)
        connection.getresponse().read()
        connection.close()
        taken.append(time.monotonic() - start)
    time.sleep(0.01)
print(json.dumps(taken))
"""


def _send_sign_in(port: int) -> int:
    body = b"account=nobody&password=wrong"
    head = f"POST /api/signin HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=120) as caller:
        caller.sendall(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        return int(caller.recv(4096).split()[1])


def _send_body(port: int, *, has_length: bool) -> int:
    """Send a body until the server closes the connection; return the bytes that left."""
    length = f"Content-Length: {_BODY_BYTES}" if has_length else "Transfer-Encoding: chunked"
    head = f"POST /api/signin HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n{length}\r\n\r\n"
    part = b"x" * 65536 if has_length else b"10000\r\n" + b"x" * 65536 + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=120) as caller, contextlib.suppress(OSError):
        caller.sendall(head.encode())
        while sent < _BODY_BYTES:
            sent += caller.send(part)
    return sent


def _flood(server: Server, sign_ins: int, bodies: int, seconds: float) -> None:
    port = int(server.url.rpartition(":")[2])
    idle_mb, peak_mb, stop = server.read_memory_kb() / 1024, [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            peak_mb[0] = max(peak_mb[0], server.read_memory_kb() / 1024)

    watcher = threading.Thread(target=watch)
    watcher.start()
    command = [sys.executable, "-c", _ASKER, str(port), ",".join(_PAGES), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as asker, ThreadPoolExecutor(sign_ins + bodies) as pool:
        time.sleep(1.0)
        answers = [pool.submit(_send_sign_in, port) for _ in range(sign_ins)]
        sent = [pool.submit(_send_body, port, has_length=number % 2 == 0) for number in range(bodies)]
        printed, _ = asker.communicate()
        counts = Counter(answer.result() for answer in answers)
        most_mb = max(body.result() for body in sent) / 2**20
    stop.set()
    watcher.join()
    taken = sorted(json.loads(printed))
    sys.stdout.write(
        f"answers {dict(counts)}; of a body at most {most_mb:.1f} MB left\n"
        f"{len(taken)} pages: median {statistics.median(taken):.3f} s, "
        f"95 of 100 {taken[int(len(taken) * 0.95)]:.3f} s, at most {taken[-1]:.3f} s\n"
        f"memory: {idle_mb:.0f} MB idle, {peak_mb[0]:.0f} MB at most\n"
    )


def main() -> None:
    """Do what the module's docstring says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sign-ins", type=int, default=200)
    parser.add_argument("--bodies", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = add_accounts(make_data_folder(Path(folder), find_data_folder().models.absolute()))
        with running_workbench(data) as server:
            time.sleep(3)  # what the start does after the first answer
            _flood(server, options.sign_ins, options.bodies, options.seconds)


if __name__ == "__main__":
    main()
