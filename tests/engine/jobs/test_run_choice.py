"""Which run is taken next: limits of machines and people, attempts, and what a person has cancelled."""

import pytest

from engine import runs
from engine.core.machine import find_host_name
from engine.jobs.leases import Holder, Lease
from engine.jobs.queue_settings import QueueSettings
from engine.jobs.run_choice import MAX_ATTEMPTS, choose_run, find_abandoned
from engine.runs import RunRequest, RunState
from engine.storage.data_folder import DataFolder

HERE = find_host_name()
NOW = "2026-03-02T09:30:00.000+00:00"


@pytest.fixture
def make_run(tmp_path):
    """Makes runs in a state."""

    def make(account="ana", stage="queued", **state):
        data = DataFolder(tmp_path)
        request = RunRequest(source="/v.mp4", account=account, name=account, at=NOW)
        folder = runs.create_run(data, request, RunState(stage=stage, updated=runs.format_utc_now(), **state))
        return runs.load_run(data, folder.id)

    return make


def lease(run, *, account="ana", host=HERE, attempt=1, is_live=True):
    return Lease(run.id if hasattr(run, "id") else run, account, Holder(host, 1, 1), attempt, is_live)


def test_a_machine_does_no_more_than_it_may(make_run):
    waiting = [make_run()]
    assert choose_run(waiting, [], QueueSettings(), HERE) == waiting[0]
    assert choose_run(waiting, [lease("x")], QueueSettings(), HERE) is None
    assert choose_run(waiting, [lease("x")], QueueSettings(runs_per_machine=2), HERE) == waiting[0]
    assert choose_run(waiting, [lease("x", host="far")], QueueSettings(), HERE) == waiting[0]


def test_a_person_with_enough_runs_waits_and_others_go_first(make_run):
    waiting = [make_run("ana"), make_run("ben")]
    held, limited = [lease("x", host="far")], QueueSettings(runs_per_person=1)
    assert choose_run(waiting, held, limited, HERE) == waiting[1]
    assert choose_run(waiting[:1], held, limited, HERE) is None
    assert choose_run(waiting, held, QueueSettings(runs_per_person=2), HERE) == waiting[0]


def test_a_run_that_another_machine_has_just_taken_is_left_alone(make_run):
    waiting = [make_run(), make_run()]
    assert choose_run(waiting, [lease(waiting[0], host="far")], QueueSettings(), HERE) == waiting[1]


def test_a_run_whose_machine_died_is_taken_up_again_a_few_times(make_run):
    dead = make_run(stage="running", host="far", pid=1, born=1)
    by_id = {dead.id: dead}
    assert dead.status == "running"
    assert find_abandoned(by_id, [lease(dead, host="far", is_live=False)], HERE) == [dead]
    assert find_abandoned(by_id, [lease(dead, host="far")], HERE) == []
    assert find_abandoned(by_id, [lease(dead, host="far", is_live=False, attempt=MAX_ATTEMPTS)], HERE) == []


def test_an_interrupted_run_without_a_lease_waits_for_a_person(make_run):
    interrupted = make_run(stage="running", host=HERE, pid=1, born=1)
    assert interrupted.status == "interrupted"
    assert find_abandoned({interrupted.id: interrupted}, [], HERE) == []
    assert find_abandoned({interrupted.id: interrupted}, [lease(interrupted, is_live=False)], HERE) == [interrupted]


@pytest.mark.parametrize("stage", ["done", "failed", "cancelled"])
def test_a_run_that_ended_is_not_taken_up_again(make_run, stage):
    ended = make_run(stage=stage)
    assert find_abandoned({ended.id: ended}, [lease(ended, is_live=False)], HERE) == []


def test_a_cancelled_run_is_not_taken_up_again(make_run):
    dead = make_run(stage="running", host="far", pid=1, born=1)
    runs.request_cancellation(dead)
    assert find_abandoned({dead.id: dead}, [lease(dead, host="far", is_live=False)], HERE) == []
