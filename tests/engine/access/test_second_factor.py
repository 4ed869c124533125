"""A second factor is asked for at every sign-in and signature, accepts no code twice, and is enforced by the policy."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import pyotp
import pytest

from engine import access, audit
from engine.access import second_factor
from engine.access.second_factor import CodeError
from engine.errors import AccessError
from tests.people_makers import PASSWORD, ada, person

START = datetime.now(UTC) + timedelta(days=1)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def data(staffed):
    """A data folder in which rita has a second factor."""
    add(staffed, "rita")
    return staffed


def add(data, account, secret=SECRET, now=START):
    return access.add_second_factor(data, person(data, account), secret, code_at(now, secret), now=now)


def at(seconds):
    return START + timedelta(seconds=seconds)


def code_at(now, secret=SECRET):
    return pyotp.TOTP(secret).at(now)


def sign_in(data, code, seconds=60, **options):
    return access.sign_in(data, "rita", PASSWORD, code, now=at(seconds), **options)


def use(data, code, seconds=60, account="rita"):
    """Use a code as a sign-in does, without the password, whose check is slow on purpose."""
    return second_factor.use_code(data, access.read_people(data).get_account(account), code, at(seconds))


def reasons(data):
    return [entry.reason for entry in audit.read_entries(data.audit, kinds=["sign-in-failed"])]


def require_for(data, *roles):
    access.set_policy(data, ada(data), msgspec.structs.replace(access.read_policy(data), second_factor_roles=roles))


@pytest.mark.slow
def test_a_code_of_the_app_is_needed_besides_the_password(data):
    for code in (None, code_at(at(600))):
        with pytest.raises(AccessError, match="The account, the password or the code is wrong"):
            sign_in(data, code)
    assert reasons(data) == ["no code of the second factor", "wrong code of the second factor"]
    assert sign_in(data, code_at(at(60))).person.account == "rita"
    assert [entry.details for entry in audit.read_entries(data.audit, kinds=["sign-in"])] == [{"second_factor": True}]


@pytest.mark.parametrize(
    "code", ["", "  ", "000000", "12345", "1234567", "\uff11" * 6, "ABCD-EFGH-IJKL-MNOP", "A" * 10_000]
)
def test_what_is_no_code_is_refused(data, code):
    with pytest.raises(CodeError):
        use(data, code)


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_the_code_before_and_after_the_current_one_are_accepted_too(data, seconds):
    use(data, code_at(at(600 + seconds)), seconds=600)
    use(data, f" {code_at(at(720))[:3]} {code_at(at(720))[3:]} ", seconds=720)


@pytest.mark.parametrize("seconds", [-60, 60])
def test_older_and_later_codes_are_not(data, seconds):
    with pytest.raises(CodeError):
        use(data, code_at(at(600 + seconds)), seconds=600)


def test_no_code_is_accepted_twice_nor_one_before_it(data):
    use(data, code_at(at(60)))
    for code in (code_at(at(60)), code_at(at(30))):
        with pytest.raises(CodeError, match="used before"):
            use(data, code)
    use(data, code_at(at(90)), seconds=90)


def test_the_code_that_set_it_up_is_used_up(data):
    with pytest.raises(CodeError, match="used before"):
        use(data, code_at(START), seconds=1)


def test_of_many_requests_with_one_code_one_passes(data):
    def attempt(_):
        try:
            return bool(use(data, code_at(at(60))))
        except CodeError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1


@pytest.mark.slow
def test_wrong_codes_lock_the_account_like_wrong_passwords(data):
    for _ in range(5):
        with pytest.raises(AccessError, match="wrong"):
            sign_in(data, "000000")
    assert reasons(data)[-1] == "wrong code of the second factor; the account is locked now"
    with pytest.raises(AccessError, match="wrong"):
        sign_in(data, code_at(at(60)))
    assert reasons(data)[-1] == "locked"


def test_a_recovery_code_works_once_and_is_on_record(staffed):
    codes = add(staffed, "rita")
    assert len(set(codes)) == 10
    stored = staffed.people.read_text()
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)
    use(staffed, codes[3].lower())
    with pytest.raises(CodeError, match="wrong recovery code"):
        use(staffed, codes[3])
    changes = [entry.details["change"] for entry in audit.read_entries(staffed.audit, kinds=["people"])]
    assert changes[-2:] == ["set up the second factor of rita", "rita used a recovery code"]
    fresh = access.renew_recovery_codes(staffed, person(staffed, "rita"))
    with pytest.raises(CodeError):
        use(staffed, codes[4])
    use(staffed, fresh[0])


def test_a_recovery_code_of_one_account_is_worth_nothing_for_another(staffed):
    codes = add(staffed, "rita")
    add(staffed, "anna")
    with pytest.raises(CodeError):
        use(staffed, codes[0], account="anna")


@pytest.mark.slow
def test_every_signature_takes_a_new_code(data):
    session = sign_in(data, code_at(at(60)))
    for credential in (access.Password(PASSWORD, "rita"), access.Password(PASSWORD, "rita", code_at(at(60)))):
        with pytest.raises(AccessError, match="wrong"):
            access.reauthenticate(data, session, credential, now=at(61))
    session = access.reauthenticate(data, session, access.Password(PASSWORD, "rita", code_at(at(90))), now=at(90))
    assert access.reauthenticate(data, session, access.Password(PASSWORD, None, code_at(at(120))), now=at(120)).signed


@pytest.mark.slow
def test_the_session_of_one_command_signs_once_with_the_code_that_began_it(data):
    credential = access.Password(PASSWORD, "rita", code_at(at(60)))
    session = sign_in(data, credential.code, is_one_command=True)
    session = access.reauthenticate(data, session, credential, now=at(661))  # a large source was hashed meanwhile
    with pytest.raises(AccessError, match="wrong"):
        access.reauthenticate(data, session, credential, now=at(662))


@pytest.mark.parametrize(("typed", "passes"), [(60, True), (-1800, False), (720, False)])
def test_a_code_is_checked_as_of_the_time_when_it_was_typed(data, typed, passes):
    """A signature hashes the source before it asks for the credential; a program that lies gains half an hour."""
    session = access.Session(person(data, "rita"), START, at(600))
    credential = access.Password(PASSWORD, "rita", code_at(at(typed)), at(typed))
    if passes:
        access.reauthenticate(data, session, credential, now=at(660))
        with pytest.raises(AccessError, match="wrong"):
            access.reauthenticate(data, session, credential, now=at(661))
    else:
        with pytest.raises(AccessError, match="wrong"):
            access.reauthenticate(data, session, credential, now=at(660))


@pytest.mark.slow
def test_the_policy_lets_nobody_of_a_role_in_without_one(staffed):
    session = access.sign_in(staffed, "anna", PASSWORD, now=START)
    require_for(staffed, "approver")
    with pytest.raises(access.SecondFactorRequiredError, match="requires a second factor"):
        access.sign_in(staffed, "anna", PASSWORD, now=START)
    for refused in (
        lambda: access.touch(staffed, session, now=at(1)),
        lambda: access.reauthenticate(staffed, session, access.Password(PASSWORD, "anna"), now=at(1)),
    ):
        with pytest.raises(access.SecondFactorRequiredError):
            refused()
    access.sign_in(staffed, "rita", PASSWORD, now=START)
    begun = access.sign_in(staffed, "anna", PASSWORD, sets_up_second_factor=True, now=START)
    assert access.touch(staffed, begun, sets_up_second_factor=True, now=at(1))
    add(staffed, "anna", now=at(2))
    with pytest.raises(AccessError, match="ended because the second factor was set up"):
        access.touch(staffed, begun, now=at(3))
    assert access.sign_in(staffed, "anna", PASSWORD, code_at(at(60)), now=at(60))


def test_only_its_owner_or_an_administrator_removes_it(data):
    with pytest.raises(AccessError, match="may not change accounts"):
        access.remove_second_factor(data, person(data, "anna"), "rita")
    require_for(data, "reviewer")
    with pytest.raises(AccessError, match="requires a second factor"):
        access.remove_second_factor(data, person(data, "rita"), "rita")
    access.remove_second_factor(data, ada(data), "rita")
    assert access.read_people(data).get_account("rita").second_factor is None


def test_a_wrong_first_code_sets_nothing_up(staffed):
    with pytest.raises(AccessError, match="The code is wrong"):
        access.add_second_factor(staffed, person(staffed, "rita"), SECRET, "000000")
    assert access.read_people(staffed).get_account("rita").second_factor is None


def test_no_secret_shows_when_its_holder_is_printed_nor_in_the_log(data):
    account = access.read_people(data).get_account("rita")
    session = access.Session(person(data, "rita"), START, START, new_secret=SECRET)
    assert SECRET not in repr(account) + repr(session) + data.audit_log.read_text()
    assert "rita" in second_factor.build_app_address("rita", SECRET)


def test_accounts_of_an_earlier_version_are_read(staffed):
    for account in (stored := msgspec.json.decode(staffed.people.read_bytes()))["accounts"]:
        del account["second_factor"]
    staffed.people.write_bytes(msgspec.json.encode(stored))
    assert access.read_people(staffed).get_account("rita").second_factor is None
