"""Makers of people for tests."""

import msgspec

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


def ask_for_no_checks(data, by=None):
    """Let reviews and approvals be signed without a look, for tests that are about something else."""
    unchecked = {"min_items_percent": 0, "min_frames_percent": 0, "min_approver_frames_percent": 0}
    policy = msgspec.structs.replace(access.read_policy(data), **unchecked)
    access.set_policy(data, by or access.get_single_user(data), policy)
