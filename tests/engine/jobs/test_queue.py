import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine import access, audit, runs
from engine.access import Person
from engine.access.run_context import RunContext
from engine.core.machine import find_host_name
from engine.errors import AccessError, RunError, SourceError
from engine.jobs.cases import set_priority
from engine.jobs.leases import Holder, open_lease_table
from engine.jobs.queue import (
    cancel_run,
    cancel_waiting_runs,
    list_queued_runs,
    resume_run,
    start_worker,
    submit_run,
    work_through_queue,
)
from engine.jobs.requests import Submission
from engine.record import DetectOptions
from engine.runs import RunState
from tests.engine.jobs.conftest import SLOW, YOLO
from tests.queue_holder import hold_queue

TIMEOUT_S = 120


def wait_until(condition, what):
    """Wait until another process has made `condition` true."""
    for _ in range(TIMEOUT_S * 50):
        if condition():
            return
        time.sleep(0.02)
    pytest.fail(f"waited {TIMEOUT_S} s for {what}")


def status(place, folder):
    return runs.load_run(place, folder.id).status


def test_runs_are_done_one_after_another_and_a_failure_stops_none(place, ana, wanted, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    queued = [
        runs.create_run(place, wanted()),
        runs.create_run(place, wanted(broken)),
        runs.create_run(place, wanted()),
    ]
    cancel_run(RunContext(place, runs.load_run(place, queued[2].id), ana))
    assert work_through_queue(place) == 2
    assert [status(place, folder) for folder in queued] == ["done", "failed", "cancelled"]
    assert "not a video" in runs.load_run(place, queued[1].id).state.sentence


def test_all_that_wait_are_cancelled_and_what_has_ended_or_begun_is_left_alone(place, ana, wanted):
    waiting = [runs.create_run(place, wanted()) for _ in range(3)]
    done, begun = (runs.create_run(place, wanted(), RunState(stage=stage, updated=runs.format_utc_now()))
                   for stage in ("done", "running"))  # fmt: skip
    before = [status(place, folder) for folder in (done, begun)]
    assert [run.id for run in cancel_waiting_runs(place, ana)] == [folder.id for folder in waiting]
    assert {status(place, folder) for folder in waiting} == {"cancelled"}
    assert [status(place, folder) for folder in (done, begun)] == before
    assert not begun.cancel_marker.exists()
    assert cancel_waiting_runs(place, ana) == []
    assert [entry.details["state"] for entry in audit.read_entries(place.audit, kinds=["run"])] == ["cancelled"] * 3


def test_only_an_operator_cancels_all_that_wait(place, wanted):
    waiting = runs.create_run(place, wanted())
    analyst = access.Person("ann", "Ann", ("analyst",), "account")
    with pytest.raises(AccessError):
        cancel_waiting_runs(place, analyst)
    assert status(place, waiting) == "queued"


def test_runs_wait_in_the_order_of_their_requests(place, wanted):
    asked = [("b", "2026-03-02T09:30:00.001+00:00"), ("a", "2026-03-02T09:30:00.002+00:00")]
    made = [runs.create_run(place, replace(wanted(Path(f"/{name}.mp4")), at=at)) for name, at in asked]
    assert [run.id for run in list_queued_runs(place)] == [folder.id for folder in made]


def test_a_submitted_run_is_done_after_the_submitting_process_has_ended(place, talk):
    script = (
        "import sys; from engine.jobs.queue import submit_run; from engine.storage.data_folder import DataFolder;"
        "from pathlib import Path;"
        "from engine.record import DetectOptions; from engine.access import get_single_user;"
        "data = DataFolder(Path(sys.argv[1]));"
        "submit_run(data, get_single_user(data), Path(sys.argv[2]), DetectOptions(detectors=('yolov8-face',)))"
    )
    subprocess.run([sys.executable, "-c", script, place.root, talk], check=True)
    (run,) = runs.read_register(place).runs
    wait_until(lambda: status(place, run.folder) == "done", "a run")


def test_a_killed_run_is_interrupted_and_ends_with_the_same_record(place, ana, talk, wanted):
    first = runs.create_run(place, wanted(detection=SLOW))
    assert work_through_queue(place) == 1
    folder = submit_run(place, ana, talk, SLOW)
    wait_until(lambda: runs.load_run(place, folder.id).state.done >= 4, "the first frames")
    os.kill(runs.load_run(place, folder.id).state.pid, signal.SIGKILL)
    wait_until(lambda: status(place, folder) == "interrupted", "the death of the process")
    resume_run(RunContext(place, runs.load_run(place, folder.id), ana))
    wait_until(lambda: status(place, folder) == "done", "a resumed run")
    assert folder.record.read_bytes() == first.record.read_bytes()


def test_the_queue_goes_on_by_itself_after_its_worker_was_killed(place, ana, talk, wanted):
    folders = [runs.create_run(place, wanted()) for _ in range(2)]
    start_worker(place)
    wait_until(lambda: status(place, folders[0]) == "running", "the first run")
    process = runs.load_run(place, folders[0].id).state.pid
    worker = int(Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: [status(place, folder) for folder in folders] == ["done", "done"], "both runs")


def test_a_run_whose_process_cannot_start_it_is_not_tried_for_ever(place, wanted):
    folder = runs.create_run(place, wanted(detection=DetectOptions(parameters={"mtcnn": {"wings": 1}})))
    assert work_through_queue(place) == 1
    assert status(place, folder) == "failed"
    assert list_queued_runs(place) == []


def test_a_missing_source_is_not_queued(place, ana, tmp_path):
    with pytest.raises(SourceError, match=r"none\.mp4"):
        submit_run(place, ana, tmp_path / "none.mp4", YOLO)
    assert runs.read_register(place).runs == ()


def test_only_an_operator_starts_cancels_or_resumes(place, wanted, talk):
    access.add_account(
        place, access.get_single_user(place), "root", name="Root", roles=["administrator"], password="correct horse"
    )
    stranger = Person("root", "Root", ("operator",), "account")
    run = runs.load_run(place, runs.create_run(place, wanted()).id)
    for forbidden in (
        lambda: submit_run(place, stranger, talk, YOLO),
        lambda: cancel_run(RunContext(place, run, stranger)),
        lambda: resume_run(RunContext(place, run, stranger)),
    ):
        with pytest.raises(AccessError, match="operator"):
            forbidden()
    assert len(runs.read_register(place).runs) == 1


@pytest.mark.slow
def test_a_server_that_submits_loads_no_machine_learning_library():
    script = (
        "import sys; import engine.jobs.queue, engine.runs, engine.media.source.probe;"
        "print([name for name in ('torch', 'tensorflow', 'mtcnn', 'ultralytics', 'mediapipe', 'onnxruntime', "
        "'openvino') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_high_priority_comes_first_and_low_priority_last(place, ana, talk):
    with hold_queue(place):
        made = [submit_run(place, ana, talk, YOLO, Submission(priority=level)) for level in ("low", "normal", "high")]
        assert [run.id for run in list_queued_runs(place)] == [folder.id for folder in reversed(made)]
        set_priority(RunContext(place, runs.load_run(place, made[0].id), ana), "high")
        assert [run.id for run in list_queued_runs(place)] == [made[index].id for index in (0, 2, 1)]
        assert runs.load_run(place, made[0].id).status == "queued", "the machine does enough already"


def test_only_a_queued_run_gets_a_priority(place, ana, wanted):
    folder = runs.create_run(place, wanted(), RunState(stage="done", updated=runs.format_utc_now()))
    with pytest.raises(RunError, match="Only a queued run"):
        set_priority(RunContext(place, runs.load_run(place, folder.id), ana), "high")


def test_a_run_whose_worker_died_with_it_is_taken_up_again_and_gives_the_same_record(place, wanted):
    first, dead = (runs.create_run(place, wanted()) for _ in range(2))
    gone = Holder(find_host_name(), os.getpid(), 1)
    state = RunState(stage="running", host=find_host_name(), pid=gone.pid, born=1, updated=runs.format_utc_now())
    runs.write_state(dead, state)
    with open_lease_table(place) as table:
        assert table.claim(gone, lambda _leases: (dead.id, "ana"))
    assert status(place, dead) == "interrupted"
    assert work_through_queue(place) == 2
    assert [status(place, folder) for folder in (first, dead)] == ["done", "done"]
    assert dead.record.read_bytes() == first.record.read_bytes()
    with open_lease_table(place) as table:
        assert table.list_leases() == []
