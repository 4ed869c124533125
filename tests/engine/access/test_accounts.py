import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from engine import access, audit
from engine.access.refusal_limit import MAX_PER_MINUTE, count_refusal
from engine.errors import AccessError
from engine.record import sha256_hex
from engine.storage.data_folder import DataFolder
from tests.people_makers import PASSWORD, STAFF, ada, person

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


@pytest.fixture
def data(staffed):
    return staffed


def check(data, account, password=PASSWORD, minutes=0.0):
    return access.check_password(
        data, access.Password(password, account), purpose="sign in", now=NOW + timedelta(minutes=minutes)
    ).person


def fail(data, account, times):
    for _ in range(times):
        with pytest.raises(AccessError, match="account or the password is wrong"):
            check(data, account, "a wrong password")


def everything_stored(data):
    return b"".join(path.read_bytes() for path in sorted(data.root.rglob("*")) if path.is_file())


def test_the_right_password_makes_the_person(data):
    assert check(data, "rita") == access.Person("rita", "Rita", ("reviewer",), "account")


@pytest.mark.slow
def test_a_password_is_stored_as_an_argon2_hash_only_and_nobody_else_reads_it(data):
    with pytest.raises(AccessError):
        check(data, "rita", "typed by mistake 123")
    with pytest.raises(AccessError):
        check(data, "secret typed in the wrong field")
    assert b"$argon2id$" in (data.access / "people.json").read_bytes()
    assert (data.access / "people.json").stat().st_mode & 0o077 == 0
    for secret in (PASSWORD, "typed by mistake 123", "secret typed in the wrong field"):
        assert secret.encode() not in everything_stored(data)


@pytest.mark.slow
def test_five_wrong_passwords_lock_the_account_for_a_quarter_of_an_hour(data):
    fail(data, "rita", 5)
    with pytest.raises(AccessError) as locked:
        check(data, "rita", minutes=14.9)
    with pytest.raises(AccessError) as unknown:
        check(data, "nils")
    assert str(locked.value) == str(unknown.value)
    assert check(data, "otto").account == "otto"
    assert check(data, "rita", minutes=15.1).account == "rita"
    failed = [entry.reason for entry in audit.read_entries(data.audit, kinds=["sign-in-failed"])]
    assert failed == ["wrong password"] * 4 + ["wrong password; the account is locked now", "locked", "no such account"]


@pytest.mark.slow
def test_the_right_password_starts_the_count_anew(data):
    fail(data, "rita", 3)
    check(data, "rita")
    fail(data, "rita", 3)
    check(data, "rita")


@pytest.mark.slow
def test_many_guesses_at_once_count_like_one_after_another(data):
    def guess():
        with pytest.raises(AccessError):
            check(data, "rita", "a wrong password")

    threads = [threading.Thread(target=guess) for _ in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = [entry.reason for entry in audit.read_entries(data.audit, kinds=["sign-in-failed"])]
    assert said.count("locked") == 2


def test_who_is_disabled_gets_in_no_more(data):
    access.disable_account(data, ada(data), "rita")
    with pytest.raises(AccessError, match="account or the password is wrong"):
        check(data, "rita")
    with pytest.raises(AccessError, match="rita is disabled"):
        access.authorise(data, access.Person("rita", "Rita", ("reviewer",), "account"), "amend")


def test_the_last_administrator_cannot_be_disabled(data):
    with pytest.raises(AccessError, match="last administrator"):
        access.disable_account(data, ada(data), "ada")


def test_a_name_is_never_given_twice(data):
    with pytest.raises(AccessError, match="already"):
        access.add_account(data, ada(data), "rita", name="Another Rita", roles=["approver"], password=PASSWORD)


@pytest.mark.parametrize("changes", [{"account": "Rita R"}, {"name": ""}, {"roles": ["king"]}, {"password": "short"}])
def test_accounts_that_cannot_be_are_refused(data, changes):
    values = {"account": "new", "name": "New", "roles": ["reviewer"], "password": PASSWORD} | changes
    with pytest.raises(AccessError):
        access.add_account(data, ada(data), **values)
    assert len(access.read_people(data).accounts) == 5


def test_the_first_account_is_an_administrators(tmp_path):
    data = DataFolder(tmp_path)
    with pytest.raises(AccessError, match="first account must be an administrator"):
        access.add_account(
            data, access.get_single_user(data), "rita", name="Rita", roles=["reviewer"], password=PASSWORD
        )


def test_only_administrators_change_accounts_and_a_refusal_is_on_record(data):
    with pytest.raises(AccessError, match=r"Otto may not change accounts.*administrator"):
        access.add_account(data, person(data, "otto"), "new", name="New", roles=["approver"], password=PASSWORD)
    with pytest.raises(AccessError, match="Otto may not"):
        access.change_password(data, person(data, "otto"), "rita", PASSWORD + "!")
    refusals = [entry.actor.account for entry in audit.read_entries(data.audit, kinds=["refusal"])]
    assert refusals == ["otto", "otto"]


@pytest.mark.slow
def test_one_changes_ones_own_password(data):
    access.change_password(data, person(data, "otto"), "otto", "another good one")
    assert check(data, "otto", "another good one").account == "otto"
    fail(data, "otto", 1)


def test_every_change_of_accounts_is_on_record_with_the_hash_of_the_file(data):
    entries = list(audit.read_entries(data.audit, kinds=["people"]))
    assert [entry.details["change"] for entry in entries] == [f"added {name}" for name in ("ada", *STAFF)]
    assert entries[0].actor.how == "single-user"
    assert entries[-1].subjects["people"] == sha256_hex((data.access / "people.json").read_bytes())


def test_there_is_no_single_user_where_there_are_accounts(data, tmp_path):
    with pytest.raises(AccessError, match="--as ACCOUNT"):
        access.get_single_user(data)
    alone = access.get_single_user(DataFolder(tmp_path / "other"))
    assert (alone.how, alone.roles) == ("single-user", access.ROLES)
    with pytest.raises(AccessError, match="--as ACCOUNT"):
        access.authorise(data, alone, "purge")


def test_accounts_that_cannot_be_read_let_nobody_in(data):
    (data.access / "people.json").write_text(json.dumps({"schema": "veil/people/1", "accounts": [{}]}))
    for attempt in (lambda: check(data, "rita"), lambda: access.get_single_user(data)):
        with pytest.raises(AccessError, match="no sign-in is possible"):
            attempt()


IDENTITY = access.Identity("https://id.example", "00u1")


def test_an_identity_of_a_provider_is_a_person(data):
    access.add_account(data, ada(data), "olga", name="Olga", roles=["approver"], identity=IDENTITY)
    assert access.find_person_by_identity(data, IDENTITY, None, is_email_verified=False).account == "olga"
    with pytest.raises(AccessError, match="you have no account here"):
        access.find_person_by_identity(
            data, access.Identity("https://evil.example", "00u1"), None, is_email_verified=False
        )


def test_a_verified_address_opens_an_account_once_and_pins_the_identity(data):
    access.add_account(data, ada(data), "olga", name="Olga", roles=["approver"], email="Olga@example.org")
    with pytest.raises(AccessError):
        access.find_person_by_identity(data, IDENTITY, "olga@example.org", is_email_verified=False)
    assert access.find_person_by_identity(data, IDENTITY, "olga@example.org", is_email_verified=True).how == "oidc"
    with pytest.raises(AccessError):
        access.find_person_by_identity(
            data, access.Identity(IDENTITY.issuer, "00u2"), "olga@example.org", is_email_verified=True
        )
    assert access.find_person_by_identity(data, IDENTITY, None, is_email_verified=False).account == "olga"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("account", "name", "email", "sentence"),
    [
        ("nora\n", "Nora", None, "cannot be seen"),
        ("r1ta", "Nora", None, "looks like rita"),
        ("ri.ta", "Nora", None, "looks like rita"),
        ("nora", "Rita", None, "is that of the account rita"),
        ("nora", "RITA", None, "is that of the account rita"),
        ("nora", "Nora\nApproved by Rita", None, "cannot be seen"),
        ("nora", "Nora \u202eatiR", None, "cannot be seen"),
        ("nora", "\x1b[2JNora", None, "cannot be seen"),
        ("nora", "R\u0456ta", None, "several scripts"),
        ("nora", "Nora  Noe", None, "too many spaces"),
        ("nora", "Nora", "RITA@example.org", "is that of the account rita2"),
    ],
)
def test_names_that_could_be_taken_for_another_are_refused(data, account, name, email, sentence):
    added = {"roles": ["analyst"], "password": PASSWORD}
    if email:
        access.add_account(data, ada(data), "rita2", name="Rita Second", email="rita@example.org", **added)
    with pytest.raises(AccessError, match=sentence):
        access.add_account(data, ada(data), account, name=name, email=email, **added)


@pytest.mark.parametrize(
    "name", ["\u0418\u0432\u0430\u043d", "Zo\xeb M\xfcller-\u0141uk", "\u5c71\u7530", "O'Neil, Jr."]
)
def test_names_in_one_script_are_welcome(data, name):
    assert access.add_account(data, ada(data), "new", name=name, roles=["analyst"], password=PASSWORD).name == name


@pytest.mark.slow
def test_a_flood_of_sign_ins_to_no_account_is_counted_and_not_written(data):
    for _ in range(MAX_PER_MINUTE + 7):
        count_refusal(data, NOW)
    for minutes in (0, 1):
        with pytest.raises(AccessError, match="wrong"):
            check(data, "nobody", minutes=minutes)
    (entry,) = audit.read_entries(data.audit, kinds=["sign-in-failed"])
    assert entry.details["not_written"] == 8
