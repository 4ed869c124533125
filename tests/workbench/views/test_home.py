"""The page Home in its states."""

import pytest
from streamlit.testing.v1 import AppTest

from engine import access, runs
from engine.access import Person
from engine.jobs.cases import Case, list_assignable_people, read_case
from engine.record import encode_document
from tests.people_makers import PASSWORD
from tests.queue_holder import hold_queue
from tests.repository import PAGES
from tests.workbench.run_states import make_run_in_state, make_runs_in_every_state
from workbench.components import run_list
from workbench.views import home

PAGE = PAGES / "home.py"


@pytest.fixture
def app(data_folder, monkeypatch):
    monkeypatch.setenv("VEIL_DATA", str(data_folder.root))
    return AppTest.from_file(PAGE, default_timeout=60)


def sample(app):
    return next(button for button in app.button if "sample" in button.label)


def test_an_empty_page_says_what_to_do_first_and_the_sample_is_one_click_away(app, data_folder):
    app.run()
    assert not app.exception
    assert "There are no runs yet" in app.markdown[0].value
    with hold_queue(data_folder):
        sample(app).click().run()
    assert not app.exception
    (run,) = runs.read_register(data_folder).runs
    assert (run.status, run.title) == ("queued", "sample interview.mp4")
    assert run.source.is_file()


def test_without_models_the_sample_says_how_to_get_them(app, data_folder):
    (data_folder.root / "models").unlink()
    app.run()
    sample(app).click().run()
    assert not app.exception
    assert "veil models fetch" in app.error[0].value
    assert runs.read_register(data_folder).runs == ()


def test_every_state_has_its_place(app, data_folder):
    make_runs_in_every_state(data_folder)
    with hold_queue(data_folder):
        app.run()
    assert not app.exception
    assert [header.value for header in app.header] == [
        "Your tasks (2)", "In progress (2)", "Stopped or failed (3)", "Released"
    ]  # fmt: skip
    assert "veil/run-state/9" in app.warning[0].value.replace("\\", "")
    assert sum("next: review" in element.value for element in app.markdown) == 2


def grouped(data_folder, monkeypatch, *roles):
    """Titles of runs by group, for somebody with these roles."""
    monkeypatch.setenv("VEIL_DATA", str(data_folder.root))
    person = Person("eve", "Eve", roles, "account")
    groups = home.group_runs(run_list.list_runs(runs.read_register(data_folder)), person)
    return {group.title: [one.run.title for one in group.entries] for group in groups if group.entries}


@pytest.mark.parametrize(("role", "group"), [("reviewer", "Your tasks"), ("analyst", "Tasks of others")])
def test_what_waits_goes_by_role(data_folder, monkeypatch, role, group):
    make_run_in_state(data_folder, "done", "/exam.mp4")
    assert grouped(data_folder, monkeypatch, role) == {group: ["exam.mp4"]}


def test_a_queued_run_counts_all_that_is_detected_before_it(data_folder, monkeypatch):
    """Also what a search leaves out; a live session takes no turn."""
    monkeypatch.setenv("VEIL_DATA", str(data_folder.root))
    make_run_in_state(data_folder, "running", "/long.mp4", activity="detect")
    make_run_in_state(data_folder, "running", "camera of a browser", mode="live", activity="live")
    for name in ("one", "two"):
        make_run_in_state(data_folder, "queued", f"/{name}.mp4")
    entries = run_list.list_runs(runs.read_register(data_folder))
    assert sorted(one.runs_ahead for one in entries if one.run.status == "queued") == [1, 2]


def test_what_came_to_no_end_and_was_begun_anew_is_not_unfinished(data_folder, monkeypatch):
    make_run_in_state(data_folder, "failed", "/exam.mp4")
    later = make_run_in_state(data_folder, "queued", "/exam.mp4")
    make_run_in_state(data_folder, "failed", "/gait.mp4")
    renamed = runs.RunFolder(later.folder.path.with_name("20991231-000000-exam-0000"))
    later.folder.path.rename(renamed.path)
    assert grouped(data_folder, monkeypatch, "operator") == {
        "In progress": ["exam.mp4"],
        "Stopped or failed": ["gait.mp4"],
    }


def test_what_was_masked_live_waits_for_nobody(data_folder, monkeypatch):
    make_run_in_state(data_folder, "done", "camera of a browser", mode="live", activity="live")
    make_run_in_state(data_folder, "failed", "rtsp://camera", mode="live", activity="live")
    make_run_in_state(data_folder, "running", "camera of a browser", mode="live", activity="live")
    titles = grouped(data_folder, monkeypatch, "reviewer")
    assert sorted(titles) == ["In progress", "Live sessions"]
    assert len(titles["Live sessions"]) == 2


def test_what_was_masked_live_is_not_called_released_and_has_nothing_to_review(app, data_folder):
    make_run_in_state(data_folder, "done", "camera of a browser", mode="live", activity="live")
    app.run()
    assert not app.exception
    (heading,) = [element.value for element in app.markdown if "camera of a browser" in element.value]
    assert "done" in heading
    assert "released" not in heading
    assert [one.proto.label for one in app.get("page_link") if one.proto.query_string] == ["Analyse"]


def test_a_policy_that_cannot_be_read_is_a_sentence(app, data_folder):
    make_run_in_state(data_folder, "done", "/exam.mp4")
    data_folder.access.mkdir()
    (data_folder.access / "policy.json").write_bytes(b"none")
    app.run()
    assert not app.exception
    assert "policy" in app.error[0].value


def test_runs_are_searched_ordered_and_shown_page_by_page(app, data_folder):
    for number in range(10):
        make_run_in_state(data_folder, "done", f"/footage/ward {number}/exam {number:02}.mp4")
    app.run()
    assert sum("next: review" in one.value for one in app.markdown) == 8
    app.button(key="more-Your tasks").click().run()
    assert sum("next: review" in one.value for one in app.markdown) == 10
    app.text_input(key="home-search").set_value("WARD 7").run()
    assert [one.value.partition("**")[2].partition("**")[0] for one in app.markdown if "next: review" in one.value] == [
        "exam 07.mp4"
    ]
    app.text_input(key="home-search").set_value("no such video").run()
    assert "No run matches the search." in [one.value for one in app.caption]
    app.text_input(key="home-search").set_value("")
    app.selectbox(key="home-order").set_value("Name").run()
    assert "exam 00.mp4" in next(one.value for one in app.markdown if "next: review" in one.value)


def test_a_run_is_archived_assigned_and_removed_from_its_menu(app, data_folder):
    done = make_run_in_state(data_folder, "done", "/exam.mp4")
    failed = make_run_in_state(data_folder, "failed", "/gait.mp4")
    app.run()
    app.button(key=f"remove-{failed.id}").click().run()
    assert not app.exception and not failed.folder.path.exists()
    (person,) = list_assignable_people(data_folder)
    app.selectbox(key=f"assign-{done.id}-None").set_value(person.account).run()
    assert read_case(done).account == person.account
    assert any(f"assigned to {person.name}" in one.value for one in app.caption)
    app.button(key=f"archive-{done.id}").click().run()
    assert read_case(done).archived
    assert not [one for one in app.markdown if "exam.mp4" in one.value]
    app.selectbox(key="home-group").set_value("Archived").run()
    assert [one for one in app.markdown if "exam.mp4" in one.value]
    app.button(key=f"restore-{done.id}").click().run()
    assert not read_case(done).archived


def test_a_run_assigned_to_another_person_is_their_task(data_folder, monkeypatch):
    run = make_run_in_state(data_folder, "done", "/exam.mp4")
    access.add_account(
        data_folder, access.get_single_user(data_folder), "ada", name="Ada", roles=["administrator"], password=PASSWORD
    )
    ada = access.read_people(data_folder).get_account("ada").to_person("account")
    access.add_account(data_folder, ada, "bob", name="Bob", roles=["reviewer"], password=PASSWORD)
    run.folder.case.write_bytes(encode_document(Case(account="bob", name="Bob")))
    assert grouped(data_folder, monkeypatch, "reviewer") == {"Tasks of others": ["exam.mp4"]}


def test_no_card_moves_until_the_list_is_updated(data_folder, monkeypatch):
    monkeypatch.setenv("VEIL_DATA", str(data_folder.root))
    run = make_run_in_state(data_folder, "queued", "/exam.mp4")
    person = Person("eve", "Eve", ("operator", "reviewer"), "account")
    places = {run.id: "In progress"}
    runs.write_state(run.folder, runs.RunState(stage="done", updated=runs.format_utc_now()))
    groups = home.group_runs(run_list.list_runs(runs.read_register(data_folder)), person)
    kept, moved = home.keep_places(groups, places)
    assert moved == 1
    assert [group.title for group in kept if group.entries] == ["In progress"]
    assert [group.title for group in home.keep_places(groups, {})[0] if group.entries] == ["Your tasks"]


def test_an_assignment_keeps_a_step_from_others_only_if_the_assignee_may_take_it(data_folder):
    from engine.approval.next_step import NextStep

    run = make_run_in_state(data_folder, "done")
    rita, anna = Person("rita", "Rita", ("reviewer",), "account"), Person("anna", "Anna", ("approver",), "account")
    paul = Person("paul", "Paul", ("reviewer",), "account")
    case = Case(account="rita", name="Rita")
    to_review = run_list.RunEntry(run, NextStep("review"), case, rita)
    to_approve = run_list.RunEntry(run, NextStep("approval"), case, rita)
    assert [to_review.waits_for(one) for one in (rita, paul, anna)] == [True, False, False]
    assert [to_approve.waits_for(one) for one in (rita, paul, anna)] == [False, False, True]
    assert run_list.RunEntry(run, NextStep("review"), case, None).waits_for(paul), "the account is gone"


def test_why_an_action_failed_stays_until_the_next_action(app, data_folder):
    """The list refreshes itself each second, which would take a message away that is drawn once."""
    gone = make_run_in_state(data_folder, "cancelled", "/footage/gait.mp4", done=10, total=900)
    other = make_run_in_state(data_folder, "cancelled", "/footage/walk.mp4", done=10, total=900)
    app.run()
    runs.write_state(gone.folder, runs.RunState(stage="done", updated=runs.format_utc_now()))
    app.button(key=f"resume-{gone.id}").click().run()
    for _ in range(2):
        assert "is done" in app.error[0].value
        app.run()
    with hold_queue(data_folder):
        app.button(key=f"resume-{other.id}").click().run()
    assert not app.error
