import os
import signal
import subprocess
import sys
import time

import pytest

from engine import runs
from engine.errors import SourceError
from engine.jobs.queue import start_worker, submit, waiting, work
from engine.runs import Asked

SECONDS = 120


def until(holds, what):
    """Wait for something that another process does."""
    for _ in range(SECONDS * 50):
        if holds():
            return
        time.sleep(0.02)
    pytest.fail(f"waited {SECONDS} s for {what}")


def status(place, folder):
    return runs.get(place, folder.id).status


def test_runs_are_done_one_after_another_and_a_failure_stops_none(place, wanted, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    queued = [runs.create(place, wanted()), runs.create(place, wanted(broken)), runs.create(place, wanted())]
    runs.ask_to_stop(runs.get(place, queued[2].id))
    assert work(place) == 2
    assert [status(place, folder) for folder in queued] == ["done", "failed", "cancelled"]
    assert "broken.mp4" in runs.get(place, queued[1].id).state.sentence


def test_what_is_submitted_is_done_although_who_submitted_it_has_gone(place, wanted):
    script = (
        "import sys; from engine.jobs.queue import submit; from engine.store import Data; from pathlib import Path;"
        "from engine.runs import RunRequest, Asked;"
        "submit(Data(Path(sys.argv[1])), RunRequest(source=sys.argv[2], account='a', name='A', at='',"
        "detection=Asked(detectors=('yolov8-face',))))"
    )
    subprocess.run([sys.executable, "-c", script, place.root, wanted().source], check=True)
    (run,) = runs.register(place).runs
    until(lambda: status(place, run.folder) == "done", "a run")


def test_a_killed_run_is_interrupted_and_ends_with_the_same_record(place, wanted):
    first = runs.create(place, wanted(detection=Asked(detectors=("yolov8-face",))))
    assert work(place) == 1
    folder = submit(place, wanted())
    until(lambda: runs.get(place, folder.id).state.done >= 4, "the first frames")
    os.kill(runs.get(place, folder.id).state.pid, signal.SIGKILL)
    until(lambda: status(place, folder) == "interrupted", "the death of the process")
    runs.queue_again(runs.get(place, folder.id))
    start_worker(place)
    until(lambda: status(place, folder) == "done", "a resumed run")
    assert folder.record.read_bytes() == first.record.read_bytes()


def test_a_process_that_cannot_begin_a_run_does_not_try_for_ever(place, wanted):
    folder = runs.create(place, wanted(detection=Asked(parameters={"mtcnn": {"wings": 1}})))
    assert work(place) == 1
    assert status(place, folder) == "failed"
    assert waiting(place) == []


def test_what_is_not_there_is_not_queued(place, wanted, tmp_path):
    with pytest.raises(SourceError, match=r"none\.mp4"):
        submit(place, wanted(tmp_path / "none.mp4"))
    assert runs.register(place).runs == ()


def test_a_server_that_submits_loads_no_machine_learning_library():
    script = (
        "import sys; import engine.jobs.queue, engine.runs, engine.media.probe;"
        "print([name for name in ('torch', 'tensorflow', 'mtcnn', 'ultralytics', 'mediapipe', 'onnxruntime', "
        "'openvino') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
