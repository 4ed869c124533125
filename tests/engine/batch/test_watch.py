import threading

import pytest

from engine.batch.job import BatchJob
from engine.batch.watch import ArrivedFiles, watch_jobs


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def arrived(clock):
    return ArrivedFiles(5.0, clock)


def test_a_file_is_taken_once_it_stops_growing(arrived, clock, tmp_path):
    path = tmp_path / "a.mp4"
    jobs = [BatchJob(path, "a.mp4")]
    assert arrived.take(jobs) == []
    for size in (10, 20, 30):
        path.write_bytes(b"x" * size)
        assert arrived.take(jobs) == []
        clock.now_s += 4.0
    assert arrived.is_waiting(jobs)
    assert arrived.take(jobs) == []
    clock.now_s += 1.5
    assert arrived.take(jobs) == jobs
    assert not arrived.is_waiting(jobs)


def test_a_file_is_taken_again_only_when_it_changes(arrived, clock, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"first")
    jobs = [BatchJob(path, "a.mp4")]
    arrived.take(jobs)
    clock.now_s += 6.0
    assert arrived.take(jobs) == jobs
    clock.now_s += 60.0
    assert arrived.take(jobs) == []
    path.write_bytes(b"another")
    arrived.take(jobs)
    clock.now_s += 6.0
    assert arrived.take(jobs) == jobs


@pytest.mark.slow
def test_files_that_arrive_in_a_watched_folder_are_found(tmp_path):
    def list_jobs():
        return [BatchJob(path, path.name) for path in sorted(tmp_path.glob("*.mp4"))]

    stop = threading.Event()
    (tmp_path / "there.mp4").write_bytes(b"x")
    found = watch_jobs([tmp_path], list_jobs, ArrivedFiles(0.0), stop)
    assert [job.name for job in next(found)] == ["there.mp4"]
    (tmp_path / "new.mp4").write_bytes(b"x")
    assert [job.name for job in next(found)] == ["new.mp4"]
    stop.set()
    assert list(found) == []
