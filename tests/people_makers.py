"""Makers of people for tests."""

from engine import access
from engine.storage.data_folder import DataFolder

PASSWORD = "correct horse battery"
STAFF = {
    "otto": "operator",
    "rita": "reviewer",
    "anna": "approver",
    "paul": "approver",
}


def staff(folder):
    """A data folder with an administrator `ada`, and an account for everyone of `STAFF`."""
    data = DataFolder(folder)
    access.add_account(
        data, access.get_single_user(data), "ada", name="Ada Adams", roles=["administrator"], password=PASSWORD
    )
    for account, role in STAFF.items():
        access.add_account(data, person(data, "ada"), account, name=account.title(), roles=[role], password=PASSWORD)
    return data


def person(data, account):
    return access.read_people(data).get_account(account).to_person("account")


def ada(data):
    return person(data, "ada")
