"""Requests of other websites, of strangers and of far too many visitors, to a server that runs."""

import http.client
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.browser import make_data_folder, open_window, running_workbench
from tests.tracing import TRACE_SOCKETS, find_contacts, skip_without_strace
from tests.workbench.accounts import add_accounts
from tests.workbench.run_makers import make_run

HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - what the test is about
IDLE_MARGIN_KB = 300 << 10


@pytest.fixture(scope="module")
def guarded(models, tmp_path_factory):
    """A workbench with accounts that lock after three failures, traced; what it contacted stands in `contacts`."""
    data = add_accounts(make_data_folder(tmp_path_factory.mktemp("guarded"), models))
    with running_workbench(data) as server:
        yield server


def port_of(server):
    return int(server.url.rpartition(":")[2])


def send(server, method, path, body=None, **headers):
    """Status and headers of the answer to one request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=60)) as connection:
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        answer.read() if answer.status != 101 else None
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}


def own(server):
    return f"http://127.0.0.1:{port_of(server)}"


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://localhost:1", "null", "", "http://127.0.0.1"])
def test_a_socket_of_another_origin_never_reaches_streamlit(workbench, origin):
    assert send(workbench, "GET", "/_stcore/stream", **HANDSHAKE, Origin=origin)[0] == 403


def test_a_socket_without_an_origin_is_refused_and_one_of_the_page_is_open(workbench):
    assert send(workbench, "GET", "/_stcore/stream", **HANDSHAKE)[0] == 403
    assert send(workbench, "GET", "/_stcore/stream", **HANDSHAKE, Origin=own(workbench))[0] == 101


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/_stcore/upload_file/a/b", "/api/seen/x", "/", "/_stcore/health"])
def test_what_changes_something_comes_from_an_own_page(workbench, method, path):
    for origin in ({}, {"Origin": "http://localhost:3000"}):
        assert send(workbench, method, path, "x", **origin)[0] == 403


@pytest.mark.parametrize("path", ["/", "/analyse", "/api/signin", "/api/drafts/x/y", "/_stcore/health", "/none.js"])
def test_every_answer_has_the_security_headers(workbench, path):
    _, headers = send(workbench, "GET", path)
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"].replace("wasm-unsafe-eval", "")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_refusals_have_the_headers_too(workbench):
    status, headers = send(workbench, "POST", "/", Host="elsewhere.example")
    assert (status, headers["x-frame-options"]) == (403, "DENY")


def test_pages_work_under_the_policy(workbench, chromium):
    run, refused = make_run(workbench.data), []
    with open_window(chromium, obeys_policy=True) as page:
        page.on("console", lambda line: refused.append(line.text) if "Content Security" in line.text else None)
        for path in ("", "analyse", "detect", f"review?run={run.id}", f"signoff?run={run.id}", "live"):
            page.goto(f"{workbench.url}/{path}")
            page.wait_for_selector(".stApp[data-test-script-state=notRunning]", state="attached")
            page.wait_for_selector("h1", state="visible")
            if path.startswith("review"):
                page.locator("rect.box").first.wait_for()
    assert refused == []


def test_a_body_beyond_the_limit_is_refused_before_it_arrives(guarded):
    head = f"POST /api/signin HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nContent-Length: {1 << 30}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port_of(guarded)), timeout=60) as caller:
        caller.sendall(head.encode())
        assert caller.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_body_without_a_length_is_counted_while_it_arrives(guarded):
    head = "POST /api/signin HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port_of(guarded)), timeout=60) as caller:
        caller.sendall(head.encode())
        assert _send_until_refused(caller, b"2000\r\n" + b"x" * 0x2000 + b"\r\n") < 1 << 20


def _send_until_refused(caller, chunk):
    """Bytes sent until an answer came."""
    caller.settimeout(0.05)
    for sent in range(0, 1 << 26, len(chunk)):
        try:
            caller.sendall(chunk)
            answer = caller.recv(4096)
        except TimeoutError:
            continue
        assert answer.startswith(b"HTTP/1.1 413")
        return sent
    pytest.fail("the server took everything")


def test_visitors_who_leave_write_nothing_to_the_log(guarded):
    before = guarded.log.stat().st_size
    head = b"POST /api/signin HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nContent-Length: 2000\r\n\r\nacc"
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", port_of(guarded)), timeout=60) as caller:
            caller.sendall(head)
    send(guarded, "GET", "/api/signin")
    assert guarded.log.stat().st_size == before, guarded.log.read_text()[before:]


def test_a_flood_of_sign_ins_takes_little_memory_and_other_pages_are_answered(guarded):
    """Two hundred sign-ins at once: those that no queue holds are told to wait; the others are answered."""
    idle, stop, longest = guarded.read_memory_kb(), threading.Event(), [0]

    def watch_memory():
        while not stop.wait(0.02):
            longest[0] = max(longest[0], guarded.read_memory_kb())

    watcher = threading.Thread(target=watch_memory)
    watcher.start()
    form = "account=nobody&password=wrong"
    with ThreadPoolExecutor(200) as pool:
        answers = [pool.submit(send, guarded, "POST", "/api/signin", form, Origin=own(guarded)) for _ in range(200)]
        while not all(answer.done() for answer in answers):
            assert send(guarded, "GET", "/_stcore/health")[0] == 200
    stop.set()
    watcher.join()
    assert {answer.result()[0] for answer in answers} == {401, 429}
    assert longest[0] - idle < IDLE_MARGIN_KB


@pytest.mark.parametrize("address", ["127.0.0.1", EVERY_ADDRESS])
def test_no_packet_leaves_the_machine(models, tmp_path, address):
    """From start to end, with visitors from elsewhere, wrong names of the host and proxies, no host is contacted."""
    skip_without_strace()
    data = make_data_folder(tmp_path, models)
    if address == EVERY_ADDRESS:
        add_accounts(data)
    log = tmp_path / "trace"
    # -D: the server is the child itself, and the tracer ends with it.
    tracer = (*TRACE_SOCKETS, "-D", "-o", log)
    with running_workbench(data, "--address", address, wrapper=tracer) as server:
        for headers in (
            {"Origin": "https://elsewhere.example"},
            {"Host": "elsewhere.example", "Origin": "https://elsewhere.example"},
            {
                "Host": "elsewhere.example",
                "Origin": "https://workbench.example",
                "X_Forwarded_Host": "workbench.example",
            },
            {"Origin": "null", "X_Forwarded_For": "192.0.2.7", "X_Forwarded_Proto": "https"},
        ):
            assert send(server, "GET", "/_stcore/stream", **HANDSHAKE, **headers)[0] == 403
            send(server, "GET", "/", **headers)
            send(server, "PUT", "/_stcore/upload_file/a/b", "x", **headers)
        send(server, "GET", "/_stcore/stream", **HANDSHAKE, Origin=own(server))
    assert "accept4(" in log.read_text(), "the tracer saw the server's sockets"
    assert [line for line in find_contacts(log) if "bind(" not in line or EVERY_ADDRESS not in line] == []
