"""Signing in, being turned away, and leaving, in a browser and past it."""

import http.client
import json
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from engine import access, audit
from engine.errors import AccessError
from engine.record import encode_document
from tests.browser import (
    find_free_port,
    make_data_folder,
    running_workbench,
    save_screenshot,
    wait_until_listening,
    wait_until_settled,
)
from tests.workbench.accounts import PASSWORDS, add_accounts
from tests.workbench.page_actions import sign_in
from workbench.auth import session_store
from workbench.auth.form_page import to_local_address
from workbench.auth.middleware import SIGN_IN_PATH

TURNED_AWAY = "The account or the password is wrong."
SECRETS = ("client-secret-of-the-test", "cookie-secret-of-the-test-0123456789")


@pytest.fixture(scope="module")
def data(models, tmp_path_factory):
    people = add_accounts(make_data_folder(tmp_path_factory.mktemp("people"), models))
    ana = access.read_people(people).get_account("ana").to_person("account")
    access.set_policy(people, ana, access.Policy(persons="two", failures=3))
    return people


@pytest.fixture(scope="module")
def server(data):
    """A workbench with three accounts."""
    with running_workbench(data) as running:
        yield running


@pytest.fixture
def addresses(page):
    """Every address that the browser asks for."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def kinds(data):
    return [entry.kind for entry in audit.read_entries(data.audit)]


def said_nothing(server, addresses, *secrets):
    """No secret stands in what the server wrote or the browser asked for."""
    written = server.log.read_text() + (server.data.audit / "log.jsonl").read_text() + " ".join(addresses)
    return [secret for secret in secrets if secret in written]


def cookie(page):
    (token,) = [one for one in page.context.cookies() if one["name"] == "veil_session"]
    return token


def ask(server, path, **headers):
    """Status and place of the answer to a request without a browser."""
    with calling(server) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("location")


def calling(server):
    return closing(http.client.HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=30))


def test_in_with_an_account_and_out_again(server, page, addresses):
    page.goto(f"{server.url}/detect?run=none")
    sign_in(page, "ana", "not her password")
    page.get_by_text(TURNED_AWAY).wait_for()
    save_screenshot(page, "signin-wrong")
    sign_in(page, "ana", PASSWORDS["ana"])
    wait_until_settled(page)
    assert page.url.startswith(f"{server.url}/detect")
    assert page.get_by_text("Ana Bell").is_visible()
    token = cookie(page)
    assert token["httpOnly"] and token["sameSite"] == "Lax"
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Signed out").wait_for()
    page.get_by_text("You have signed out.").wait_for()
    save_screenshot(page, "signed-out")
    assert ask(server, "/", Cookie=f"veil_session={token['value']}")[0] == 303
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Account").wait_for()
    assert [kind for kind in kinds(server.data) if kind.startswith("sign")] == ["sign-in-failed", "sign-in", "sign-out"]
    assert said_nothing(server, addresses, *PASSWORDS.values(), token["value"]) == []


def test_three_wrong_passwords_lock_an_account(server, page):
    page.goto(server.url)
    for _ in range(3):
        sign_in(page, "cho", "guess")
        page.get_by_text(TURNED_AWAY).wait_for()
    sign_in(page, "cho", PASSWORDS["cho"])
    page.get_by_text("After 3 failed attempts an account is locked").wait_for()
    save_screenshot(page, "signin-locked")
    assert page.url.startswith(f"{server.url}/api/signin")


def test_a_session_that_was_not_used_ends_and_comes_back_to_the_same_page(server, page):
    page.goto(f"{server.url}/detect")
    sign_in(page, "ana", PASSWORDS["ana"])
    wait_until_settled(page)
    (kept,) = (server.data.access / "sessions").glob("*.json")
    session = msgspec.json.decode(kept.read_bytes(), type=access.Session)
    kept.write_bytes(encode_document(msgspec.structs.replace(session, seen=session.seen - timedelta(hours=1))))
    page.get_by_text("Your session ended after 30 minutes without use").wait_for()
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, "ana", PASSWORDS["ana"])
    wait_until_settled(page)
    assert page.url == f"{server.url}/detect"


def test_a_page_says_whom_it_is_for(server, page):
    page.goto(f"{server.url}/detect")
    sign_in(page, "ben", PASSWORDS["ben"])
    wait_until_settled(page)
    page.get_by_text("Ben Carr may not start a detection; this needs the role operator.").wait_for()
    pages = page.get_by_test_id("stSidebarNav").get_by_role("link").all_inner_texts()
    assert [name.strip().splitlines()[-1] for name in pages] == ["Home", "Review", "Analyse", "Sign off"]
    save_screenshot(page, "detect-forbidden")


@pytest.mark.parametrize("path", ["/", "/detect", "/review?run=x"])
def test_pages_lead_to_the_sign_in(server, path):
    status, place = ask(server, path)
    assert status == 303
    assert place.startswith("/api/signin?next=")


@pytest.mark.parametrize("path", ["/api/stills/x", "/media/abc.jpg", "/_stcore/metrics", "/_stcore/upload_file/a/b"])
def test_nothing_else_is_answered_without_a_session(server, path):
    assert ask(server, path)[0] == 403


def test_the_socket_of_the_pages_is_closed_to_strangers(server):
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    assert ask(server, "/_stcore/stream", **upgrade, **{"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="})[0] == 403


def test_a_form_of_another_site_signs_nobody_in(server):
    body = f"account=ana&password={PASSWORDS['ana'].replace(' ', '+')}"
    with calling(server) as connection:
        connection.request("POST", "/api/signin", body, {"Origin": "https://elsewhere.example"})
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("set-cookie")) == (403, None)


def test_without_accounts_only_this_machine_by_its_own_name_is_answered(workbench):
    assert ask(workbench, "/")[0] == 200
    assert ask(workbench, "/", Host="elsewhere.example")[0] == 403
    assert ask(workbench, "/_stcore/stream", Host="elsewhere.example")[0] == 403


@pytest.mark.parametrize("address", ["https://a.example", "//a.example", "/\\a.example", "a", "/a\nb", "/api/signin"])
def test_the_sign_in_leads_to_this_server_only(address):
    assert to_local_address(address, SIGN_IN_PATH) == "/"


def test_sessions_are_kept_as_hashes_and_forgotten(data):
    session = access.sign_in(data, "ben", PASSWORDS["ben"])
    token = session_store.add_session(data, session)
    assert all(token not in path.name for path in (data.access / "sessions").iterdir())
    assert session_store.find(data, token).person.account == "ben"
    session_store.remove_session(data, token)
    for lost in (token, None, "", "../people"):
        with pytest.raises(AccessError, match="sign in"):
            session_store.find(data, lost)


def test_a_proof_of_identity_begins_one_session(data):
    assert session_store.use_proof_once(data, b"a token")
    assert not session_store.use_proof_once(data, b"a token")


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    """An OpenID provider that knows Ben, and somebody of whom nobody here has heard."""
    port = find_free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    for sub, email in (("ben-1", "ben@example.org"), ("eve-1", "eve@example.org")):
        command += ["--user-claims", json.dumps({"sub": sub, "email": email, "email_verified": True})]
    with (tmp_path_factory.mktemp("provider") / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    wait_until_listening(process, port, Path(log.name))
    yield f"http://localhost:{port}"
    process.terminate()
    process.wait(60)


@pytest.fixture(scope="module")
def with_provider(models, provider, tmp_path_factory):
    """A workbench whose people sign in with the provider."""
    data = add_accounts(make_data_folder(tmp_path_factory.mktemp("oidc"), models))
    port = find_free_port()
    settings = data.root / "secrets.toml"
    settings.write_text(
        f'[auth]\nredirect_uri = "http://localhost:{port}/oauth2callback"\ncookie_secret = "{SECRETS[1]}"\n'
        f'client_id = "veil"\nclient_secret = "{SECRETS[0]}"\n'
        f'server_metadata_url = "{provider}/.well-known/openid-configuration"\n'
    )
    with running_workbench(data, port=port, STREAMLIT_SECRETS_FILES=str(settings)) as running:
        yield running


def by_provider(page, sub):
    page.get_by_role("link", name="Sign in with your organisation").click()
    page.get_by_role("button", name=sub).click()


def test_in_by_a_provider_and_out_again(with_provider, page, addresses):
    page.goto(with_provider.url)
    save_screenshot(page, "signin-provider")
    by_provider(page, "ben-1")
    wait_until_settled(page)
    assert page.get_by_text("Ben Carr").is_visible()
    entry = next(audit.read_entries(with_provider.data.audit, kinds=["sign-in"]))
    assert (entry.actor.account, entry.actor.how) == ("ben", "oidc")
    token = cookie(page)["value"]
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign out").wait_for(state="detached")
    again = page.context.new_page()  # the first window may be on its way to the provider and back
    again.goto(with_provider.url)
    again.get_by_role("link", name="Sign in with your organisation").wait_for(timeout=60_000)
    assert kinds(with_provider.data)[-1] == "sign-out"
    assert said_nothing(with_provider, addresses, *SECRETS, token) == []


def test_somebody_without_an_account_is_turned_away(with_provider, page):
    page.goto(with_provider.url)
    by_provider(page, "eve-1")
    page.get_by_text("you have no account here").wait_for()
    assert kinds(with_provider.data)[-1] == "sign-in-failed"


def test_somebody_whom_the_provider_refuses_is_on_record(with_provider, page):
    page.goto(with_provider.url)
    page.get_by_role("link", name="Sign in with your organisation").click()
    page.get_by_role("button", name="Deny").click()
    page.get_by_label("Account").wait_for()
    assert kinds(with_provider.data)[-1] == "sign-in-failed"
