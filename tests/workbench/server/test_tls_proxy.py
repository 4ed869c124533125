"""The configuration in docs/guides/tls.md, run by the real nginx in front of a workbench."""

import contextlib
import http.client
import re
import shutil
import socket
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests import clips
from tests.browser import (
    CI,
    find_free_port,
    make_data_folder,
    running_workbench,
    wait_until_listening,
    wait_until_settled,
)
from tests.repository import ROOT
from tests.workbench.accounts import PASSWORDS, add_accounts
from tests.workbench.page_actions import LONG_TIMEOUT_MS, sign_in, wait_for_bright_video

NAME = "veil.example.org"
_NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
assert _NGINX or not CI, "nginx must be there in continuous integration"
pytestmark = pytest.mark.skipif(_NGINX is None, reason="nginx is not installed; it serves the recipe with TLS")
_FRAME = """daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{recipe}
}}
"""


class Proxy:
    """A proxy that runs the recipe on ports of this machine."""

    def __init__(self, folder, workbench_port, data):
        self.data = data
        self.folder, self.https, self.http = folder, find_free_port(), find_free_port()
        text = (ROOT / "docs/guides/tls.md").read_text()
        (recipe,) = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
        for found, put in (
            ("listen 443", f"listen 127.0.0.1:{self.https}"),
            ("listen 80;", f"listen 127.0.0.1:{self.http};"),
            ("127.0.0.1:8501", f"127.0.0.1:{workbench_port}"),
            ("/etc/ssl/veil", str(folder)),
        ):
            assert found in recipe
            recipe = recipe.replace(found, put)
        (folder / "nginx.conf").write_text(_FRAME.format(folder=folder, recipe=recipe))
        self.context = _make_certificate(folder)

    @property
    def host(self):
        return f"{NAME}:{self.https}"

    @contextlib.contextmanager
    def running(self):
        command = [_NGINX, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            wait_until_listening(process, self.https, self.folder / "error.log")
            yield self
        finally:
            process.terminate()
            process.communicate(timeout=20)

    def connect(self, name=NAME):
        plain = socket.create_connection(("127.0.0.1", self.https), timeout=30)
        try:
            return self.context.wrap_socket(plain, server_hostname=name)
        except ssl.SSLError:
            plain.close()
            raise

    def ask(self, method, path, body=None, **headers):
        """Status, headers and body of an answer through the proxy."""
        with contextlib.closing(http.client.HTTPConnection(NAME, self.https)) as connection:
            connection.sock = self.connect()
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {"Host": self.host, **names})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def shake_hands(self, origin, cookie):
        """The first line of the answer to a handshake of a WebSocket."""
        lines = [
            "GET /_stcore/stream HTTP/1.1", f"Host: {self.host}", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Origin: {origin}",
            f"Cookie: {cookie}", "", "",
        ]  # fmt: skip
        with self.connect() as connection:
            connection.sendall("\r\n".join(lines).encode())
            return connection.recv(200).split(b"\r\n")[0].decode()

    def sign_in(self):
        """Status and cookie of a sign-in."""
        form = urlencode({"account": "ana", "password": PASSWORDS["ana"], "next": "/"})
        status, headers, _ = self.ask(
            "POST", "/api/signin", form, Origin=f"https://{self.host}",
            Content_Type="application/x-www-form-urlencoded",
        )  # fmt: skip
        return status, headers.get("set-cookie", "")


def _make_certificate(folder):
    """Write a certificate that signs itself and its key; return the context of a client that trusts it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return ssl.create_default_context(cafile=str(folder / "fullchain.pem"))


@pytest.fixture(scope="module")
def proxy(models, tmp_path_factory):
    data = add_accounts(make_data_folder(tmp_path_factory.mktemp("behind"), models))
    port, nginx = find_free_port(), tmp_path_factory.mktemp("nginx")
    with running_workbench(data, port=port), Proxy(nginx, port, data).running() as running:
        yield running


def test_a_person_signs_in_and_gets_a_cookie_for_tls_alone(proxy):
    status, cookie = proxy.sign_in()
    assert status == 303
    assert {part.strip().partition("=")[0].lower() for part in cookie.split(";")} >= {
        "veil_session", "httponly", "secure", "samesite",
    }  # fmt: skip
    status, headers, _ = proxy.ask("GET", "/", Cookie=cookie.partition(";")[0])
    assert status == 200
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_the_socket_of_the_pages_opens_for_their_own_origin_alone(proxy):
    cookie = proxy.sign_in()[1].partition(";")[0]
    assert " 101 " in proxy.shake_hands(f"https://{proxy.host}", cookie)
    for origin in ("https://evil.example", f"https://{NAME}.evil.example:{proxy.https}", "null"):
        assert " 403 " in proxy.shake_hands(origin, cookie)
    assert " 403 " in proxy.shake_hands(f"https://{proxy.host}", "veil_session=guess")


def test_requests_of_other_pages_are_refused(proxy):
    cookie = proxy.sign_in()[1].partition(";")[0]
    for path in ("/api/signin", "/api/second-factor"):
        status, _, _ = proxy.ask("POST", path, "a=b", Origin="https://evil.example", Cookie=cookie)
        assert status == 403


def test_a_visitor_cannot_pass_for_the_machine_itself(proxy):
    """The headers of the proxy take the place of those that a visitor sends."""
    forged = {"X_Forwarded_For": "127.0.0.1", "X_Forwarded_Proto": "http"}
    status, headers, _ = proxy.ask("GET", "/", **forged)
    assert status == 303
    assert headers["location"].startswith("/api/signin")
    form = urlencode({"account": "ana", "password": PASSWORDS["ana"]})
    status, headers, _ = proxy.ask("POST", "/api/signin", form, Origin=f"https://{proxy.host}", **forged)
    assert "secure" in headers["set-cookie"].lower()


def test_large_bodies_reach_the_workbench_which_has_limits_of_its_own(proxy):
    cookie = proxy.sign_in()[1].partition(";")[0]
    status, headers, _ = proxy.ask(
        "PUT", "/_stcore/upload_file/none/none", b"x" * (2 << 20), Origin=f"https://{proxy.host}", Cookie=cookie
    )
    assert status != 413
    assert headers.get("x-content-type-options") == "nosniff"
    assert proxy.ask("POST", "/api/signin", b"x" * 5000, Origin=f"https://{proxy.host}")[0] == 413


def test_plain_http_leads_to_tls_and_other_names_get_no_answer(proxy):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", proxy.http, timeout=30)) as connection:
        connection.request("GET", "/review?run=1", headers={"Host": NAME})
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("location")) == (301, f"https://{NAME}/review?run=1")
    with pytest.raises(ssl.SSLError):
        proxy.connect("other.example.org")


def test_a_page_works_in_a_browser(proxy, launch_browser):
    browser = launch_browser(f"--host-resolver-rules=MAP {NAME} 127.0.0.1")
    try:
        context = browser.new_context(ignore_https_errors=True, bypass_csp=True)
        page = context.new_page()
        page.goto(f"https://{proxy.host}/detect")
        sign_in(page, "ana", PASSWORDS["ana"])
        wait_until_settled(page)
        assert page.url == f"https://{proxy.host}/detect"
        assert page.get_by_text("Ana Bell").is_visible()
        (token,) = [one for one in context.cookies() if one["name"] == "veil_session"]
        assert token["secure"]
    finally:
        browser.close()


@pytest.mark.slow
def test_the_live_page_connects_through_the_proxy(proxy, launch_browser, carphone):
    """The handshake goes through the proxy, and the picture over UDP from the server to the browser."""
    proxy.data.library.mkdir(exist_ok=True)
    clips.repeated(proxy.data.library / "ward.mp4", carphone, 100, filters=clips.SMALL_AND_FEW)
    browser = launch_browser(f"--host-resolver-rules=MAP {NAME} 127.0.0.1")
    try:
        page = browser.new_context(ignore_https_errors=True, bypass_csp=True).new_page()
        page.set_default_timeout(LONG_TIMEOUT_MS)
        page.goto(f"https://{proxy.host}/live")
        sign_in(page, "ana", PASSWORDS["ana"])
        wait_until_settled(page)
        page.get_by_text("Video from the library").click()
        page.get_by_role("combobox", name="Video").click()
        page.get_by_role("option", name="ward.mp4").click()
        wait_until_settled(page)
        page.get_by_role("button", name="Start", exact=True).click()
        wait_for_bright_video(page)
        assert not page.get_by_text("did not connect in time").count()
        page.get_by_role("button", name="Stop and save").click()
        page.get_by_text("The live run has ended").wait_for()
    finally:
        browser.close()
