"""Which files of a batch may run side by side, and what a crashed process costs."""

import os
import signal
from pathlib import Path

import pytest

from engine.batch.batch import Batch, SilentBatchListener
from engine.batch.capacity import choose_process_count
from engine.batch.job import BatchJob
from engine.batch.journal import JournalEntry, hold_output_folder, open_journal
from engine.batch.pending import PendingJobs
from engine.batch.protocol import StartMessage, TaskMessage, decode_message
from engine.core.child_process import frame_message, take_message_bodies
from engine.masking.presets import parse_style
from engine.record import DetectOptions
from engine.rendering.terms import RenderOptions
from tests import clips

ENTRY = JournalEntry("a.mp4", "detected", "0" * 64, "1" * 64, "2" * 64)


def jobs_named(*names):
    return [BatchJob(Path(f"/{number}") / name, name) for number, name in enumerate(names)]


def test_jobs_with_the_same_output_run_one_after_another_in_their_order():
    pending = PendingJobs(jobs_named("a.avi", "a.avi.mkv", "b.mp4", "a.avi"), {})
    assert [pending.take()[0], pending.take()[0], pending.take()] == [0, 2, None]
    pending.finish(0, {"a.avi.mkv": Path("/0/a.avi")})
    number, job = pending.take()
    assert number == 1
    assert pending.find_claims(job) == {"a.avi.mkv": Path("/0/a.avi")}
    assert not pending.can_take()


def test_a_task_arrives_as_it_was_sent():
    style = RenderOptions(style=parse_style("training-data"), y4m=Path("x.y4m"))
    job = BatchJob(Path("/a b.mp4"), "x/a.mp4", detection=DetectOptions(detectors=("mtcnn",)), rendering=style)
    task = TaskMessage(job, {"x/a.mp4": Path("/other.mp4")})
    (body,) = take_message_bodies(bytearray(frame_message(task)))
    assert decode_message(body, TaskMessage) == task


def test_processes_see_what_others_append_to_the_journal(tmp_path):
    with open_journal(tmp_path) as one, open_journal(tmp_path) as other:
        one.append(ENTRY)
        assert other.find("a.mp4", "detected") == ENTRY
        with (tmp_path / "batch.jsonl").open("ab") as file:
            file.write(b'{"torn')
        other.append(ENTRY)
        assert one.find("a.mp4", "detected") == ENTRY
    assert (tmp_path / "batch.jsonl").read_bytes().count(b"\n") == 2


def test_every_machine_can_work_on_a_file():
    assert 1 <= choose_process_count() <= os.cpu_count()


class Killer(SilentBatchListener):
    """Kills the process that works on a file as soon as it reports progress."""

    def __init__(self, name):
        self._name, self._names = name, {}
        self.batch = None

    def file_started(self, number, _total, source):
        self._names[number] = source

    def file_progress(self, number, _report):
        if self._names[number].endswith(self._name):
            os.kill(next(worker.pid for worker in self.batch.workers if worker.number == number - 1), signal.SIGKILL)


@pytest.mark.usefixtures("models")
def test_a_crashed_process_costs_its_file_alone(own_data, tmp_path):
    paths = [clips.video(tmp_path / f"{name}.mp4", frames=3) for name in "ab"]
    jobs = [BatchJob(path, path.name, detection=DetectOptions(detectors=("yolov8-face",))) for path in paths]
    killer = Killer("a.mp4")
    with hold_output_folder(tmp_path / "out"), Batch(StartMessage(tmp_path / "out", own_data), killer) as batch:
        killer.batch = batch
        batch.work(jobs)
    failed, done = batch.report.files
    assert (failed.status, done.status) == ("failed", "done")
    assert "was killed by SIGKILL" in failed.error
    assert "a.mp4" in failed.error


@pytest.mark.usefixtures("models")
def test_copies_of_one_file_wait_for_each_other(own_data, tmp_path):
    # So long that one gives up waiting for the lock of the other, and comes back.
    paths = [clips.video(tmp_path / "a.mp4", frames=40), tmp_path / "b.mp4"]
    paths[1].write_bytes(paths[0].read_bytes())
    jobs = [BatchJob(path, path.name, detection=DetectOptions(detectors=("yolov8-face",))) for path in paths]
    start = StartMessage(tmp_path / "out", own_data, processes=2)
    with hold_output_folder(tmp_path / "out"), Batch(start) as batch:
        batch.work(jobs)
    assert [report.status for report in batch.report.files] == ["done"] * 2
    assert len({(tmp_path / "out" / path.name).read_bytes() for path in paths}) == 1
