"""`veil queue`: the order, a priority, the limits."""

import json

import pytest

from engine import access, audit, runs
from engine.cli import main
from engine.errors import AccessError, InputError
from engine.jobs.queue_settings import QueueSettings, read_queue_settings, set_queue_settings
from engine.runs import RunRequest
from engine.storage.data_folder import DataFolder
from tests.queue_holder import hold_queue


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return DataFolder(tmp_path / "data")


def queue(data, capsys, *words):
    code = main(["queue", *words, "--data", str(data.root), "--json"])
    text = capsys.readouterr().out
    return code, json.loads(text)


def test_the_queue_is_shown_in_its_order(data, capsys):
    made = [
        runs.create_run(
            data, RunRequest(source=f"/{number}.mp4", account="ana", name="Ana", at=f"2026-03-02T09:30:0{number}+00:00")
        )
        for number in range(2)
    ]
    with hold_queue(data):
        code, case = queue(data, capsys, "priority", made[1].id, "high")
        assert (code, case["priority"]) == (0, "high")
        _, entries = queue(data, capsys, "show")
    assert [(entry["title"], entry["priority"], entry["host"]) for entry in entries] == [
        ("1.mp4", "high", None),
        ("0.mp4", "normal", None),
    ]
    assert [entry.kind for entry in audit.read_entries(data.audit)] == ["priority"]


def test_limits_are_kept_and_logged(data, capsys):
    assert queue(data, capsys, "limits", "--runs-per-person", "2")[0] == 0
    assert queue(data, capsys, "limits", "--runs-per-machine", "3")[0] == 0
    assert read_queue_settings(data) == QueueSettings(runs_per_machine=3, runs_per_person=2)
    queue(data, capsys, "limits", "--runs-per-person", "none")
    assert queue(data, capsys, "limits")[1]["runs_per_person"] is None
    assert [entry.kind for entry in audit.read_entries(data.audit)] == ["settings"] * 3


@pytest.mark.parametrize("words", [["--runs-per-machine", "65"], ["--runs-per-person", "1001"]])
def test_a_limit_that_makes_no_sense_is_refused(data, capsys, words):
    assert queue(data, capsys, "limits", *words)[0] == 2
    assert read_queue_settings(data) == QueueSettings()


def test_damaged_limits_are_a_sentence(data):
    data.queue_settings.write_text("{")
    with pytest.raises(InputError, match=r"queue\.json has no settings"):
        read_queue_settings(data)


@pytest.mark.slow
def test_only_an_administrator_sets_limits(data):
    root = access.get_single_user(data)
    access.add_account(data, root, "root", name="Root", roles=["administrator"], password="correct horse")
    access.add_account(
        data, access.Person("root", "Root", ("administrator",), "account"), "olga", name="Olga", roles=["operator"],
        password="correct horse",
    )  # fmt: skip
    olga = access.Person("olga", "Olga", ("operator",), "account")
    with pytest.raises(AccessError):
        set_queue_settings(data, olga, QueueSettings(runs_per_machine=2))


def make_queued(data, number):
    request = RunRequest(source=f"/{number}.mp4", account="ana", name="Ana", at=f"2026-03-02T09:30:0{number}+00:00")
    return runs.create_run(data, request)


def test_named_runs_are_cancelled_or_all_that_wait(data, capsys):
    made = [make_queued(data, number) for number in range(3)]
    with hold_queue(data):
        code, ended = queue(data, capsys, "cancel", made[1].id)
        assert (code, [one["title"] for one in ended]) == (0, ["1.mp4"])
        code, ended = queue(data, capsys, "cancel", "--waiting")
    assert (code, [(one["title"], one["was"]) for one in ended]) == (0, [("0.mp4", "queued"), ("2.mp4", "queued")])
    assert {runs.load_run(data, folder.id).status for folder in made} == {"cancelled"}


@pytest.mark.parametrize("words", [[], ["--waiting", "one"], ["no-such-run"]])
def test_what_to_cancel_must_be_said(data, capsys, words):
    code, _ = queue(data, capsys, "cancel", *words)
    assert code == 2
