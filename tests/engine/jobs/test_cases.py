"""Who works on a run, what the lists leave out, and what can be removed."""

import pytest

from engine import access, audit, runs
from engine.access.run_context import RunContext
from engine.errors import AccessError, InputError, RunError
from engine.jobs.cases import archive_run, assign_run, list_assignable_people, read_case, remove_run, remove_video
from engine.storage.data_folder import DataFolder
from tests.people_makers import person, staff


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return staff(tmp_path_factory.mktemp("staff"))


@pytest.fixture
def data(made, tmp_path):
    import shutil

    return DataFolder(shutil.copytree(made.root, tmp_path / "data"))


def case_of(data, account, stage="done"):
    """A run in a stage, as a person sees it."""
    request = runs.RunRequest(source="/clip.mp4", account="otto", name="Otto", at=runs.format_utc_now())
    folder = runs.create_run(data, request, runs.RunState(stage=stage, updated=runs.format_utc_now()))
    return RunContext(data, runs.load_run(data, folder.id), person(data, account))


@pytest.mark.slow
def test_a_run_is_assigned_and_taken_back_on_record(data):
    context = case_of(data, "otto")
    assert (read_case(context.run).account, read_case(context.run).archived) == (None, False)
    assign_run(context, "rita")
    assert (read_case(context.run).account, read_case(context.run).name) == ("rita", "Rita")
    archive_run(context)
    assert (read_case(context.run).account, read_case(context.run).archived) == ("rita", True)
    archive_run(context, archived=False)
    assign_run(context, None)
    assert read_case(context.run).account is None
    logged = [entry.kind for entry in audit.read_entries(data.audit, run=context.run.id)]
    assert logged == ["assignment", "archive", "archive", "assignment"]


@pytest.mark.parametrize("account", ["otto", "nobody"])
def test_a_run_is_assigned_only_to_who_can_sign(data, account):
    context = case_of(data, "rita")
    with pytest.raises(InputError, match="no account of a reviewer or approver"):
        assign_run(context, account)
    assert {one.account for one in list_assignable_people(data)} == {"rita", "anna", "paul"}


def test_who_sees_no_footage_assigns_nothing(data):
    with pytest.raises(AccessError):
        assign_run(case_of(data, "ada"), "rita")


@pytest.mark.parametrize("stage", ["failed", "cancelled"])
def test_a_run_that_came_to_nothing_is_removed(data, stage):
    context = case_of(data, "otto", stage)
    remove_run(context)
    assert runs.read_register(data) == runs.RunRegister((), ())
    assert not context.run.folder.path.exists()
    assert list(audit.read_entries(data.audit, run=context.run.id, kinds=["removal"]))


def test_a_record_is_archived_and_never_removed(data):
    context = case_of(data, "otto")
    with pytest.raises(RunError, match="archive it instead"):
        remove_run(context)
    waiting = case_of(data, "otto", "queued")
    with pytest.raises(RunError, match="is queued"):
        archive_run(waiting)


def test_a_bad_upload_is_removed_and_one_in_use_is_not(data):
    otto = person(data, "otto")
    data.library.mkdir()
    bad, used = data.library / "text.mp4", data.library / "used.mp4"
    for path in (bad, used):
        path.write_text("no video")
    request = runs.RunRequest(source=str(used), account="otto", name="Otto", at=runs.format_utc_now())
    runs.create_run(data, request)
    remove_video(data, otto, bad)
    assert not bad.exists()
    with pytest.raises(InputError, match="is the source of 1 run"):
        remove_video(data, otto, used)
    with pytest.raises(InputError, match="not in the library"):
        remove_video(data, otto, data.people)
    with pytest.raises(AccessError):
        remove_video(data, person(data, "rita"), used)


def test_a_single_user_assigns_to_himself(tmp_path):
    data = DataFolder(tmp_path)
    assert list_assignable_people(data) == (access.get_single_user(data),)
