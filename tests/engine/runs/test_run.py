import json
import os
import re

import pytest

from engine import runs
from engine.core.machine import current_process, process_start_ticks
from engine.errors import RunError, TargetError
from engine.record import DetectOptions, encode_document
from engine.runs import RunRequest, RunState
from engine.storage.data_folder import DataFolder


@pytest.fixture
def data(tmp_path):
    return DataFolder(tmp_path)


def request(source="/films/Interview Nº 3.mp4", **changes):
    return RunRequest(**{"source": source, "account": "ana", "name": "Ana Bell", "at": runs.format_utc_now()} | changes)


def write_running_state(folder, pid, born):
    runs.write_state(folder, RunState(stage="running", pid=pid, born=born, updated=runs.format_utc_now()))


def test_a_new_run_is_queued_and_keeps_its_request(data):
    asked = DetectOptions(mode="hybrid", parameters={"yolov8-face": {"threshold": 0.2}}, on_damage="cover")
    made = runs.create_run(data, request(detection=asked))
    run = runs.load_run(data, made.id)
    assert (run.status, run.request.detection, run.request.name) == ("queued", asked, "Ana Bell")
    assert run.title == "Interview Nº 3.mp4"
    assert "interview" not in made.id
    assert re.fullmatch(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}", made.id)
    assert encode_document(run.request) == made.request.read_bytes()


def test_runs_are_listed_newest_first_and_a_damaged_run_hides_no_other(data):
    first, second = (runs.create_run(data, request(f"/{name}.mp4")) for name in "ab")
    first.path.rename(data.runs / "20200101-000000-a-0000")
    (data.runs / "20210101-000000-empty-0000").mkdir()
    third = runs.create_run(data, request("/c.mp4"))
    third.state.write_text('{"schema":"veil/run-state/9","stage":"queued","updated":""}')
    register = runs.read_register(data)
    assert [run.id for run in register.runs] == [second.id, "20200101-000000-a-0000"]
    said = {damaged.id: damaged.message for damaged in register.damaged}
    assert set(said) == {third.id, "20210101-000000-empty-0000"}
    assert "state.json" in said[third.id]
    assert "veil/run-state/9" in said[third.id]
    assert "request.json" in said["20210101-000000-empty-0000"]


def test_a_data_folder_without_runs_has_an_empty_register(data):
    assert runs.read_register(data) == runs.RunRegister((), ())


@pytest.mark.parametrize("name", ["", "..", "../access", "20200101-000000-a-0000", "20200101-000000-../x-0000"])
def test_only_a_run_that_exists_is_found(data, name):
    data.runs.mkdir()
    with pytest.raises(RunError, match="There is no run"):
        runs.load_run(data, name)


def test_a_run_whose_process_is_gone_is_interrupted(data):
    folder = runs.create_run(data, request())
    pid, born = current_process()
    write_running_state(folder, pid, born)
    assert runs.load_run(data, folder.id).status == "running"
    write_running_state(folder, pid, born - 1)
    assert runs.load_run(data, folder.id).status == "interrupted"


def test_a_process_that_ended_and_was_not_waited_for_is_gone():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert process_start_ticks(child) is None
    os.waitpid(child, 0)


def test_cancelling_and_resuming(data):
    folder = runs.create_run(data, request())
    runs.request_cancellation(runs.load_run(data, folder.id))
    assert runs.load_run(data, folder.id).status == "cancelled"
    with pytest.raises(RunError, match="is cancelled"):
        runs.request_cancellation(runs.load_run(data, folder.id))
    runs.requeue_run(runs.load_run(data, folder.id))
    assert runs.load_run(data, folder.id).status == "queued"
    with pytest.raises(RunError, match="is queued"):
        runs.requeue_run(runs.load_run(data, folder.id))


def test_a_request_of_an_earlier_version_counts_frames(data):
    """Its durations are taken for those of 25 frames a second."""
    made = runs.create_run(data, request())
    document = json.loads(made.request.read_bytes())
    document["detection"]["tracking"] = {"patience": 50, "hold": 5, "iou": 0.3}
    document["detection"]["smoothing"] = {"gap": 25, "tail": 10, "breadth": 0.8}
    made.request.write_text(json.dumps(document))
    options = runs.load_run(data, made.id).request.detection
    assert (options.tracking.patience_s, options.tracking.hold_s, options.tracking.iou) == (2.0, 0.2, 0.3)
    assert (options.smoothing.gap_s, options.smoothing.tail_s, options.smoothing.breadth) == (1.0, 0.4, 0.8)


def test_unknown_fields_of_a_request_are_refused(data):
    folder = runs.create_run(data, request())
    document = json.loads(folder.request.read_bytes())
    folder.request.write_text(json.dumps(document | {"priority": 1}))
    with pytest.raises(RunError, match="priority"):
        runs.load_run(data, folder.id)


def test_a_folder_that_cannot_be_created_is_reported(data):
    data.root.mkdir(exist_ok=True)
    data.runs.write_text("a file where the folder should be")
    with pytest.raises(TargetError, match="cannot be created"):
        runs.create_run(data, request())
