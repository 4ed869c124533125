import os

from engine import access
from engine.access.people import get_single_user
from engine.storage.data_folder import DataFolder
from engine.storage.open_folders import find_open_folders
from tests.people_makers import PASSWORD


def test_folders_that_every_user_can_read_are_found(tmp_path):
    data = DataFolder(tmp_path)
    for folder in (data.library, data.runs, data.access):
        folder.mkdir(mode=0o755)
    tmp_path.chmod(0o755)
    assert find_open_folders(data) == (data.library, data.runs, data.access)
    data.runs.chmod(0o750)
    assert find_open_folders(data) == (data.library, data.access)
    tmp_path.chmod(0o750)
    assert find_open_folders(data) == ()


def test_what_veil_makes_is_open_to_nobody_whatever_the_umask(tmp_path):
    data, before = DataFolder(tmp_path / "data"), os.umask(0)
    try:
        user = get_single_user(data)
        access.add_account(data, user, "ada", name="Ada", roles=["administrator"], password=PASSWORD)
        access.set_policy(data, user_of(data, "ada"), access.read_policy(data))
    finally:
        os.umask(before)
    assert find_open_folders(data) == ()
    assert {path.stat().st_mode & 0o077 for path in data.root.rglob("*")} == {0}


def user_of(data, account):
    return access.read_people(data).get_account(account).to_person("account")
