import pytest

from engine import runs
from engine.core.geometry import Box, Size
from engine.core.progress import SilentListener
from engine.detection.frame_detections import FrameDetections
from engine.detection.observer import PreviewFrame
from engine.errors import RunCancelledError
from engine.jobs.run_state_writer import RunStateWriter
from engine.jobs.thumbnails import find_latest_thumbnail
from engine.record import Detection
from engine.storage.data_folder import DataFolder
from tests.engine.jobs.noise_pictures import noise


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def run(tmp_path, wanted):
    return runs.load_run(runs_data := DataFolder(tmp_path), runs.create_run(runs_data, wanted()).id)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def reporter(run, clock):
    return RunStateWriter(run, {"yolov8-face": 0.3}, SilentListener(), clock)


def state(run):
    return runs.load_run(DataFolder(run.folder.path.parent.parent), run.id).state


def frame_detections(*scores, detector="yolov8-face", damaged=False):
    detections = tuple(Detection(detector, Box(10 * n, 10, 10 * n + 60, 90), score) for n, score in enumerate(scores))
    return FrameDetections(0, damaged, 0.0, {detector: detections} if detector else {})


def test_the_state_is_written_twice_a_second_and_says_how_fast_it_goes(run, reporter, clock):
    for done in range(0, 101, 10):
        clock.now += 0.2
        reporter.progress("detect", done, 200)
    assert (state(run).done, state(run).total) == (80, 200)
    assert state(run).rate == pytest.approx(50, rel=0.05)
    clock.now += 0.2
    reporter.progress("detect", 110, 200)
    assert state(run).done == 110


def test_confident_faces_are_counted_once_a_frame(run, reporter, clock):
    reporter.on_detections(0, [frame_detections(0.9, 0.1), frame_detections(0.5, 0.4)], None)
    reporter.on_detections(1, [frame_detections(0.9, detector="rekognition")], None)
    clock.now += 1
    reporter.progress("detect", 2, 2)
    assert state(run).faces == 3


def test_a_cancelled_run_stops_at_the_next_check(run, reporter, clock):
    runs.request_cancellation(runs.load_run(DataFolder(run.folder.path.parent.parent), run.id))
    reporter.progress("detect", 1, 2)
    clock.now += 1
    with pytest.raises(RunCancelledError, match="cancelled"):
        reporter.progress("detect", 2, 2)


def test_a_thumbnail_is_made_at_intervals_and_only_of_a_frame_that_was_looked_at(run, reporter, clock):
    preview = PreviewFrame(1, noise(), Size(320, 240))
    assert reporter.wants_preview()
    for unknown in (frame_detections(detector=None), frame_detections(0.9, damaged=True)):
        reporter.on_detections(0, [frame_detections(0.9), unknown], preview)
        assert find_latest_thumbnail(run.folder) is None
    # The frames beside it may lie between looks.
    reporter.on_detections(0, [frame_detections(detector=None), frame_detections(0.9)], preview)
    assert find_latest_thumbnail(run.folder) is not None
    assert not reporter.wants_preview()
    clock.now += 3
    assert reporter.wants_preview()


def test_the_last_notice_is_kept(run, reporter):
    reporter.notice("Spent so far: nothing.")
    reporter.finish("done")
    assert (state(run).stage, state(run).sentence) == ("done", None)
    assert state(run).ended
