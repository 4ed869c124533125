"""Real worker processes: the record has the bytes of one process, whatever happens to them."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

import engine
from engine.cluster.connection import ClusterChoice, open_cluster
from engine.errors import DetectorError, InputError
from engine.media.source import start_points
from engine.record import DetectOptions, ScheduleSettings

pytestmark = pytest.mark.slow

# Faces are carried over a short time, so that the overlap is short and the clip has several ranges.
OPTIONS = DetectOptions(
    detectors=("sleeping",),
    schedule=ScheduleSettings(interval_s=0.2, change=60.0, carry_s=0.3),
    parameters={"sleeping": {}},
)


class Watcher:
    """Acts once, when so many frames are detected."""

    def __init__(self, at=0, act=lambda: None):
        self.at, self.act, self.notices, self.done = at, act, [], []

    def progress(self, stage, done, total):
        if stage == "detect":
            self.done.append(done)
            if done >= self.at:
                self.at = float("inf")
                self.act()

    def notice(self, message):
        self.notices.append(message)


@pytest.fixture(scope="module")
def runner():
    with open_cluster(ClusterChoice(local_workers=2)) as runner:
        yield runner


@pytest.fixture
def detect(sleeping, moving_clip, tmp_path):
    """Detect the clip into a file of its own and return its bytes."""
    (tmp_path / "models").mkdir()

    def detect(options=OPTIONS, **arguments):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        engine.detect(moving_clip, path, options, data=tmp_path, **arguments)
        return path.read_bytes()

    return detect


_written: list[bytes] = []


@pytest.fixture
def expected(detect):
    """The bytes of the record that one process writes."""
    if not _written:
        _written.append(detect())
    return _written[0]


def test_the_record_is_that_of_one_process(detect, expected, runner):
    watcher = Watcher()
    assert detect(runner=runner, listener=watcher) == expected
    assert watcher.notices == []
    assert watcher.done[-1] == 320


def test_neither_workers_nor_detectors_hand_their_memory_back(detect, runner):
    """Dask's setting for that makes every picture cost new pages of memory; a cluster that others start has it, too."""

    def begin_as_others_do():
        os.environ["MALLOC_TRIM_THRESHOLD_"] = "65536"

    def list_settings():
        children = (path.read_text().split() for path in Path("/proc/self/task").glob("*/children"))
        found = []
        for pid in (str(os.getpid()), *(pid for some in children for pid in some)):
            # A process that decodes may be ending just now.
            with suppress(FileNotFoundError, ProcessLookupError):
                found.append(b"MALLOC_TRIM_THRESHOLD_" in Path(f"/proc/{pid}/environ").read_bytes())
        return found

    runner._client.run(begin_as_others_do)
    detect(runner=runner)
    settings = list(runner._client.run(list_settings).values())
    assert any(len(one) > 1 for one in settings), "a worker has a detector"
    assert not any(any(one) for one in settings)


def test_without_a_schedule_too(detect, runner):
    every = DetectOptions(detectors=("sleeping",))
    assert detect(every, runner=runner) == detect(every)


def test_a_worker_may_be_killed(detect, expected, runner):
    def kill():
        worker = next(iter(runner._client.run(os.getpid).values()))
        os.kill(worker, signal.SIGKILL)

    watcher = Watcher(at=20, act=kill)
    assert detect(runner=runner, listener=watcher) == expected
    assert watcher.at == float("inf")


@pytest.mark.parametrize("begins_on_cluster", [True, False])
def test_what_is_done_stays_done_on_the_cluster_and_off_it(detect, expected, runner, tmp_path, begins_on_cluster):
    class StopError(Exception):
        pass

    class Stopper(Watcher):
        """Stops the run once something is saved: ranges may be done before those in front of them."""

        def progress(self, stage, done, total):
            super().progress(stage, done, total)
            if 96 <= done < total and any(journal.stat().st_size for journal in tmp_path.glob("work/*.journal")):
                raise StopError

    first, second = (runner, None) if begins_on_cluster else (None, runner)
    with pytest.raises(StopError):
        detect(runner=first, listener=Stopper())
    watcher = Watcher()
    assert detect(runner=second, listener=watcher) == expected
    assert watcher.done[0] >= 4


def test_a_keyframe_that_does_not_decode_alone_costs_time_only(detect, expected, runner, monkeypatch):
    """A file whose index of keyframes is wrong stands for one whose keyframes need the frames before them."""
    find = start_points.find_start_points

    def shift(path, info):
        return (start_points.StartPoint(point.index + 1, point.pts) for point in find(path, info))

    monkeypatch.setattr("engine.cluster.runner.find_start_points", shift)
    watcher = Watcher()
    assert detect(runner=runner, listener=watcher) == expected
    assert "not divided from frame" in watcher.notices[0]


def test_errors_are_those_of_one_process(detect, runner):
    with pytest.raises(InputError, match="would detect differently"):
        detect(DetectOptions(detectors=("sleeping",), parameters={"sleeping": {"host": "here"}}), runner=runner)
    with pytest.raises(DetectorError, match="finds other faces in frame"):
        detect(DetectOptions(detectors=("sleeping",), parameters={"sleeping": {"moody": True}}), runner=runner)
