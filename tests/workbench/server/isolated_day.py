"""A day of a workbench in a network namespace of its own; `test_isolated_day` starts it with `unshare --net`.

The namespace has the loopback and an interface with a default route behind which nobody answers: whatever would leave
the machine is counted there, and strace names the process that wanted it. Prints both as JSON.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from engine import runs
from engine.storage.data_folder import DataFolder
from tests.browser import find_free_port, running_workbench
from tests.tracing import TRACE_SOCKETS, find_contacts

ISOLATED = ("unshare", "--net", "--map-root-user")
OWN_ADDRESS = "192.0.2.1"
INTERFACE = f"""
ip link set lo up
ip link add out0 type veth peer name out1
sysctl -q -w net.ipv6.conf.out0.disable_ipv6=1 net.ipv6.conf.out1.disable_ipv6=1
ip address add {OWN_ADDRESS}/24 dev out0
ip link set out0 up
ip link set out1 up
ip route add default via 192.0.2.2
"""
PROXIES = dict.fromkeys(
    ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://192.0.2.9:3128"
)
HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
_PATHS = ("/", "/detect", "/review", "/signoff", "/analyse", "/live", "/_stcore/health", "/api/signin", "/none.js")


def trace_command(log: Path) -> list[str]:
    """Return the command that traces the sockets of the command after it."""
    return [*TRACE_SOCKETS, "-A", "-o", str(log)]


def count_sent_packets() -> int:
    """Count the packets that left through the interface that leads nowhere."""
    for line in Path("/proc/net/dev").read_text(encoding="ascii").splitlines():
        name, _, figures = line.partition(":")
        if name.strip() == "out0":
            return int(figures.split()[9])
    raise AssertionError("the interface is missing")


def visit(port: int) -> None:
    """Send the requests of the workbench's own pages, of another website, and of somebody with a wrong name."""
    own = f"http://localhost:{port}"
    for headers in (
        {"Origin": own},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null", "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"},
        {"Host": "elsewhere.example", "Origin": "https://elsewhere.example"},
        {"Host": "elsewhere.example", "Origin": own, "X-Forwarded-Host": "workbench.example"},
    ):
        for path in _PATHS:
            _send(port, "GET", path, headers)
        _send(port, "GET", "/_stcore/stream", HANDSHAKE | headers)
        _send(port, "PUT", "/_stcore/upload_file/a/b", headers)


def _send(port: int, method: str, path: str, headers: dict[str, str]) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, headers=headers)
        connection.getresponse()


def work(data: DataFolder, source: str, trace: list[str]) -> None:
    """Detect, review, sign and release a video by the verbs, each traced."""
    at = ("--data", str(data.root))
    veil = [*trace, sys.executable, "-m", "engine"]
    subprocess.run([*veil, "run", source, *at], env=os.environ | PROXIES, check=True)
    (run,) = runs.read_register(data).runs
    amend = [str(run.folder.record), str(run.folder.review), "cover", "0-2"]
    subprocess.run([*veil, "amend", *amend, "--reason", "a face", *at], env=os.environ | PROXIES, check=True)
    for meaning in ("reviewed", "approved"):
        words = ["sign", run.id, "--meaning", meaning, "--below-policy", "--reason", "a test", *at]
        subprocess.run([*veil, *words], env=os.environ | PROXIES, check=True)
    subprocess.run([*veil, "release", run.id, *at], env=os.environ | PROXIES, check=True)
    subprocess.run([*veil, "index", "rebuild", *at], env=os.environ | PROXIES, check=True)


def main(root: str, source: str) -> None:
    """Do what the module's docstring says with a data folder and a video."""
    subprocess.run(["sh", "-ec", INTERFACE], check=True)
    data, log = DataFolder(Path(root)), Path(root) / "trace"
    trace = trace_command(log)
    with running_workbench(data, wrapper=(*trace[:1], "-D", *trace[1:]), port=find_free_port(), **PROXIES) as server:
        port = int(server.url.rpartition(":")[2])
        visit(port)
        work(data, source, trace)
        visit(port)
    result = {"packets": count_sent_packets(), "contacts": find_contacts(log), "traced": "accept4(" in log.read_text()}
    # The control: the same figures see a packet that does leave.
    control = Path(root) / "control"
    script = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('203.0.113.5', 9))"
    subprocess.run([*trace_command(control), sys.executable, "-c", script], check=True)
    result["control"] = {"packets": count_sent_packets(), "contacts": len(find_contacts(control))}
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
