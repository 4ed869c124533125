"""The second factor in a browser: set up because the policy asks for it, then asked for at sign-in and signatures."""

import urllib.error
import urllib.request

import pyotp
import pytest

from engine import access, audit
from tests.browser import make_data_folder, running_workbench, save_screenshot, wait_until_settled
from tests.engine.release import signable_runs
from tests.workbench.accounts import PASSWORDS, add_accounts
from tests.workbench.page_actions import find_form, go_to_step, sign_in


@pytest.fixture(scope="module")
def data(models, tmp_path_factory):
    """A data folder whose policy asks reviewers for a second factor, with a run to review."""
    made = add_accounts(make_data_folder(tmp_path_factory.mktemp("codes"), models))
    ana = access.read_people(made).get_account("ana").to_person("account")
    policy = access.Policy(persons="two", second_factor_roles=("reviewer",))
    access.set_policy(made, ana, policy)
    signable_runs.run_by(made, "ana")
    return made


@pytest.fixture(scope="module")
def server(data):
    with running_workbench(data) as running:
        yield running


def test_a_reviewer_sets_it_up_signs_in_and_signs(server, data, page):
    run = signable_runs.the_run(data)
    page.goto(f"{server.url}/signoff?run={run.id}")
    sign_in(page, "ben", PASSWORDS["ben"])
    page.get_by_text("Set up the second factor of your account.").wait_for()
    assert page.get_by_role("img", name="QR code").or_(page.locator(".code svg")).first.is_visible()
    save_screenshot(page, "second-factor")
    secret = page.locator("code").first.inner_text().replace(" ", "")

    # Nothing else answers a session that lacks it.
    (token,) = [one["value"] for one in page.context.cookies() if one["name"] == "veil_session"]
    asked = urllib.request.Request(f"{server.url}/api/sources/{run.id}", headers={"Cookie": f"veil_session={token}"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(asked)
    page.goto(f"{server.url}/signoff?run={run.id}")
    assert page.locator("code").first.inner_text().replace(" ", "") == secret

    page.get_by_label("Password").fill(PASSWORDS["ben"])
    page.get_by_label("Code that the app shows").fill("000000")
    page.get_by_role("button", name="Set up").click()
    page.get_by_text("The code is wrong.").wait_for()
    page.get_by_label("Password").fill(PASSWORDS["ben"])
    page.get_by_label("Code that the app shows").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Set up").click()
    page.get_by_text("Keep these recovery codes").wait_for()
    save_screenshot(page, "second-factor-recovery")
    recovery = page.locator("li code").all_inner_texts()
    assert len(recovery) == 10
    page.get_by_role("link", name="Continue").click()
    wait_until_settled(page)
    assert page.url.startswith(f"{server.url}/signoff")

    sign_with(page, recovery[0])
    (review,) = audit.read_entries(data.audit, kinds=["review"])
    assert (review.actor.account, review.details["asked"]) == ("ben", "account, password and code")

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").click()
    for code, passes in (("", False), (recovery[0], False), (recovery[1], True)):
        page.get_by_label("Code of your second factor").fill(code)
        sign_in(page, "ben", PASSWORDS["ben"])
        if not passes:
            page.get_by_text("The account, the password or the code is wrong.").wait_for()
    wait_until_settled(page)
    page.get_by_role("link", name="Second factor").click()
    page.get_by_text("Your account has a second factor.").wait_for()
    written = server.log.read_text() + data.audit_log.read_text()
    assert not any(word in written for word in (secret, *recovery))


def test_an_account_that_needs_none_signs_in_as_before(server, page):
    page.goto(server.url)
    sign_in(page, "cho", PASSWORDS["cho"])
    wait_until_settled(page)
    assert page.get_by_text("Cho Diaz").is_visible()


def sign_with(page, code):
    go_to_step(page, "4. Sign")
    form = find_form(page, "Sign as reviewed")
    form.get_by_text("I sign although this was not checked.").click()
    form.get_by_role("textbox", name="Reason").fill("a test")
    form.get_by_label("Password", exact=True).fill(PASSWORDS["ben"])
    form.get_by_role("textbox", name="Code of your second factor").fill(code)
    save_screenshot(page, "second-factor-signature")
    form.get_by_role("button", name="Sign as reviewed", exact=True).click()
    page.get_by_text("Signed: ").wait_for()
    wait_until_settled(page)
