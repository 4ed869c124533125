import pytest

from engine import access
from engine.access.listen_address import is_loopback
from engine.access.permissions import ROLES_BY_PERMISSION
from engine.errors import AccessError
from engine.storage.data_folder import DataFolder
from tests.people_makers import ada, person


@pytest.mark.parametrize("action", list(ROLES_BY_PERMISSION))
@pytest.mark.parametrize("role", access.ROLES)
def test_an_action_takes_one_of_its_roles(action, role):
    somebody = access.Person("sam", "Sam Smith", (role,), "account")
    if role in ROLES_BY_PERMISSION[action]:
        access.require_permission(somebody, action)
    else:
        with pytest.raises(AccessError, match=rf"^Sam Smith may not .*{min(ROLES_BY_PERMISSION[action])}"):
            access.require_permission(somebody, action)


@pytest.mark.slow
def test_roles_are_those_of_the_account_and_not_what_somebody_claims(staffed):
    forged = access.Person("rita", "Rita", access.ROLES, "account")
    with pytest.raises(AccessError, match="may not purge"):
        access.authorise(staffed, forged, "purge")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_this_machine_alone_is_served_without_accounts(tmp_path, address):
    access.check_listen_address(DataFolder(tmp_path), address)
    assert is_loopback(address)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "", "192.168.1.5", "localhost.example.org"])  # noqa: S104
def test_others_are_served_with_accounts_only(staffed, tmp_path, address):
    with pytest.raises(AccessError, match="Without accounts"):
        access.check_listen_address(DataFolder(tmp_path), address)
    access.check_listen_address(staffed, address)


def test_the_policy_is_two_persons_where_there_are_accounts(staffed, tmp_path):
    assert access.read_policy(DataFolder(tmp_path)).persons == "one"
    data = staffed
    assert access.read_policy(data).persons == "two"
    access.set_policy(data, ada(data), access.Policy(persons="three", idle_minutes=5))
    assert access.read_policy(data).persons == "three"
    with pytest.raises(AccessError, match="may not change the policy"):
        access.set_policy(data, person(data, "rita"), access.Policy(persons="one"))
    (data.access / "policy.json").write_text('{"persons": "none"}')
    with pytest.raises(AccessError, match=r"policy\.json is not a policy"):
        access.read_policy(data)
