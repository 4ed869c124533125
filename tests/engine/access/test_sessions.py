from datetime import UTC, datetime, timedelta

import pytest

from engine import access, audit
from engine.errors import AccessError
from engine.storage.data_folder import DataFolder
from tests.people_makers import PASSWORD, ada

START = datetime.now(UTC) + timedelta(days=1)
IDENTITY = ("https://id.example", "00u1")


@pytest.fixture
def data(staffed):
    return staffed


def after(minutes):
    return START + timedelta(minutes=minutes)


def kinds(data):
    return [entry.kind for entry in audit.read_entries(data.audit) if entry.kind.startswith("sign")]


def test_a_session_ends_without_use_and_in_any_case_after_twelve_hours(data):
    session = access.sign_in(data, "rita", PASSWORD, now=START)
    with pytest.raises(AccessError, match="30 minutes without use"):
        access.touch(data, session, now=after(31))
    for minutes in range(20, 721, 20):
        session = access.touch(data, session, now=after(minutes))
    with pytest.raises(AccessError, match="ended after 720 minutes"):
        access.touch(data, session, now=after(721))


@pytest.mark.slow
def test_a_session_ends_when_the_account_is_disabled_or_the_password_changed(data):
    rita, otto = (access.sign_in(data, account, PASSWORD) for account in ("rita", "otto"))
    access.disable_account(data, ada(data), "rita")
    access.change_password(data, ada(data), "otto", "another good one")
    with pytest.raises(AccessError, match="disabled"):
        access.touch(data, rita)
    with pytest.raises(AccessError, match="password was changed"):
        access.touch(data, otto)


@pytest.mark.slow
def test_the_first_signature_of_a_session_takes_two_components_and_later_ones_the_password(data):
    session = access.sign_in(data, "rita", PASSWORD, now=START)
    with pytest.raises(AccessError, match="account as well as the password"):
        access.reauthenticate(data, session, access.Password(PASSWORD), now=after(1))
    session = access.reauthenticate(data, session, access.Password(PASSWORD, "rita"), now=after(1))
    assert access.reauthenticate(data, session, access.Password(PASSWORD), now=after(2)).signed


@pytest.mark.parametrize(
    ("credential", "word"),
    [
        (None, "needs your credential"),
        (access.Password("a wrong password", "rita"), "wrong"),
        (access.Password(PASSWORD, "otto"), "only you can sign"),
        (access.ProviderLogin(*IDENTITY, START), "only you can sign"),
    ],
)
def test_nothing_is_confirmed_without_the_credential_of_the_session(data, credential, word):
    session = access.sign_in(data, "rita", PASSWORD, now=START)
    with pytest.raises(AccessError, match=word):
        access.reauthenticate(data, session, credential, now=after(1))


@pytest.mark.slow
def test_wrong_passwords_at_signing_lock_the_account_too(data):
    session = access.sign_in(data, "rita", PASSWORD, now=START)
    for _ in range(5):
        with pytest.raises(AccessError, match="wrong"):
            access.reauthenticate(data, session, access.Password("a wrong password", "rita"), now=after(1))
    with pytest.raises(AccessError, match="locked"):
        access.reauthenticate(data, session, access.Password(PASSWORD, "rita"), now=after(2))


def test_who_signs_by_a_provider_has_given_it_the_credential_just_now(data):
    access.add_account(data, ada(data), "olga", name="Olga", roles=["approver"], identity=access.Identity(*IDENTITY))
    session = access.sign_in_by_provider(data, access.ProviderLogin(*IDENTITY, START), now=START)
    assert access.reauthenticate(data, session, access.ProviderLogin(*IDENTITY, after(20)), now=after(22)).signed
    with pytest.raises(AccessError, match="over 5 minutes old"):
        access.reauthenticate(data, session, access.ProviderLogin(*IDENTITY, START), now=after(22))
    with pytest.raises(AccessError, match="only you can sign"):
        access.reauthenticate(data, session, access.ProviderLogin(IDENTITY[0], "00u2", after(22)), now=after(22))


def test_a_single_user_has_no_credential_to_give(tmp_path):
    data = DataFolder(tmp_path)
    session = access.Session(access.get_single_user(data), START, START)
    assert access.reauthenticate(data, session, None, now=after(1)).person.how == "single-user"


@pytest.mark.slow
def test_signing_in_and_out_is_on_record_and_so_is_failing(data):
    session = access.sign_in(data, "rita", PASSWORD)
    access.sign_out(data, session)
    with pytest.raises(AccessError):
        access.sign_in(data, "rita", "a wrong password")
    assert kinds(data) == ["sign-in", "sign-out", "sign-in-failed"]


def test_a_password_does_not_show_when_its_holder_is_printed():
    assert "horse" not in repr(access.Password(PASSWORD, "rita"))
