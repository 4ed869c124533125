import cv2
import msgspec
import pytest

import engine
from engine import audit, runs
from engine.errors import InputError, ModelError, RunCancelledError, SourceError
from engine.jobs.requests import build_run_request
from engine.jobs.thumbnails import find_latest_thumbnail
from engine.jobs.worker import perform_run, start_run
from engine.record import DetectOptions, ScheduleSettings, SmoothingSettings, encode_document
from engine.runs import RunRequest
from tests import clips
from tests.engine.conftest import TALK_FRAMES
from tests.engine.jobs.conftest import SLOW, YOLO


class AtFrame:
    """Calls `act` whenever at least `frame` frames are finished."""

    def __init__(self, frame, act):
        self.frame, self.act = frame, act

    def progress(self, stage, done, total):
        if stage == "detect" and done >= self.frame:
            self.act()

    def notice(self, message):
        pass


@pytest.fixture(scope="module")
def expected(talk, own_data, tmp_path_factory):
    """The bytes of the record of `talk`."""
    path = tmp_path_factory.mktemp("record") / "talk.json"
    engine.detect(talk, path, DetectOptions(detectors=("yolov8-face",)), data=own_data)
    return path.read_bytes()


def test_a_run_makes_the_same_record_as_detect(place, ana, talk, expected):
    run = start_run(place, ana, talk, YOLO)
    assert runs.load_run(place, run.id).status == "running"
    perform_run(place, run)
    after = runs.load_run(place, run.id)
    assert after.folder.record.read_bytes() == expected
    assert (after.status, after.state.done, after.state.total, after.state.faces) == (
        "done",
        TALK_FRAMES,
        TALK_FRAMES,
        TALK_FRAMES,
    )
    assert [(entry.kind, entry.details["state"]) for entry in audit.read_entries(place.audit)] == [
        ("run", "begun"), ("run", "done"),
    ]  # fmt: skip
    picture = cv2.imread(str(find_latest_thumbnail(after.folder)))
    assert picture.shape == (288, 385, 3)


def test_the_first_thumbnail_comes_with_the_first_frames(place, ana, talk):
    run = start_run(place, ana, talk, YOLO)
    thumbnails = []
    perform_run(place, run, AtFrame(8, lambda: thumbnails.append(find_latest_thumbnail(run.folder) is not None)))
    assert thumbnails[0]


def test_a_run_on_a_schedule_has_a_thumbnail_too(place, ana, talk):
    scheduled = msgspec.structs.replace(YOLO, schedule=ScheduleSettings(interval_s=0.4))
    run = start_run(place, ana, talk, scheduled)
    perform_run(place, run)
    assert find_latest_thumbnail(run.folder) is not None


def test_a_cancelled_run_resumes_where_it_stopped(place, ana, talk, own_data, tmp_path):
    engine.detect(talk, tmp_path / "whole.json", SLOW, data=own_data)
    run = start_run(place, ana, talk, SLOW)
    with pytest.raises(RunCancelledError):
        perform_run(place, run, AtFrame(8, run.folder.cancel_marker.touch))
    cancelled = runs.load_run(place, run.id)
    assert cancelled.status == "cancelled"
    assert "kept" in cancelled.state.sentence
    runs.requeue_run(cancelled)
    perform_run(place, runs.load_run(place, run.id))
    after = runs.load_run(place, run.id)
    assert (after.status, after.state.done) == ("done", TALK_FRAMES)
    assert after.folder.record.read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert b'"resumed_frames":0' not in (after.folder.path / "detections.json.run.json").read_bytes()


def test_a_failed_run_keeps_its_reason(place, ana, tmp_path):
    gone = clips.video(tmp_path / "gone.mp4", frames=2)
    run = start_run(place, ana, gone, YOLO)
    gone.unlink()
    with pytest.raises(SourceError):
        perform_run(place, run)
    failed = runs.load_run(place, run.id)
    assert failed.status == "failed"
    assert failed.state.sentence == "The source does not exist. Give the path of a video file."


def test_missing_models_are_a_failure_too(place, ana, talk):
    (place.root / "models").unlink()
    run = start_run(place, ana, talk, YOLO)
    with pytest.raises(ModelError):
        perform_run(place, run)
    assert "veil models fetch" in runs.load_run(place, run.id).state.sentence


def test_wrong_options_make_no_run(place, ana, talk):
    for wrong in (
        DetectOptions(mode="magic"),
        DetectOptions(parameters={"mtcnn": {"wings": 2}}),
        DetectOptions(max_cost=1.0),
    ):
        with pytest.raises(InputError):
            start_run(place, ana, talk, wrong)
    assert runs.read_register(place).runs == ()


def test_options_survive_being_kept(ana, talk):
    options = DetectOptions(
        "hybrid", None, {"yolov8-face": {"threshold": 0.2}}, smoothing=SmoothingSettings(window_s=0.0), workers=3
    )
    request = build_run_request(ana, talk, options)
    assert msgspec.json.decode(encode_document(request), type=RunRequest).detection == options
