"""Cloud mode from a video to a record, over the stand-in: policies, money, ledger, interruption."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import engine
from engine.core.geometry import Box
from engine.detection import frame_selection
from engine.detection.frame_detections import FrameDetections
from engine.detection.ledger import TransferLedger, ledger_path
from engine.detectors import registry
from engine.detectors.base import RemoteDetectorSettings
from engine.detectors.table import DETECTORS, DetectorRow
from engine.errors import DetectorError, InputError, RecordError
from engine.record import (
    Detection,
    DetectOptions,
    decode_record,
    read_document,
    sha256_hex,
)
from tests import clips
from tests.engine.conftest import TALK_FRAMES
from tests.rekognition_stand_in import StandIn, middle

CLOUD = DetectOptions(mode="cloud")


class Notices:
    """Remembers what a person was told."""

    def __init__(self):
        self.said = []

    def progress(self, stage, done, total):
        pass

    def notice(self, message):
        self.said.append(message)


@pytest.fixture
def service(monkeypatch):
    with StandIn(middle) as stand_in:
        for name, value in stand_in.environment().items():
            monkeypatch.setenv(name, value)
        yield stand_in


@pytest.fixture
def cloud_data(own_data, tmp_path):
    """A data folder without answers."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "models").symlink_to(own_data / "models")
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return clips.video(tmp_path_factory.mktemp("cloud") / "clip.mp4", frames=50)


def ledger_of(record):
    return read_document(ledger_path(record), TransferLedger, "ledger")


def test_every_frame_is_asked_about_and_stands_in_the_ledger(service, clip, cloud_data, tmp_path):
    notices, path = Notices(), tmp_path / "a.json"
    record = engine.detect(clip, path, CLOUD, data=cloud_data, listener=notices)
    assert [len(frame.faces) for frame in record.frames] == [1] * 50
    assert record.detection.asked == {}
    ledger = ledger_of(path)
    assert ledger.record_sha256 == sha256_hex(path.read_bytes())
    assert [(sent.index, sent.pts) for sent in ledger.frames] == [(frame.index, frame.pts) for frame in record.frames]
    assert {sent.request: sent.sha256 for sent in ledger.frames} == service.account.requests
    assert (ledger.calls, ledger.kept, ledger.cost) == (50, 0, 0.05)
    assert notices.said[0].startswith("50 frames leave this machine; USD 0.050, about 1 s at 50 calls/s")
    assert notices.said[-1] == "Spent: 50 calls, USD 0.050."
    for secret in ("stand-in-secret", "eu-west-1", "AWS"):
        assert secret not in path.read_text() + ledger_path(path).read_text()


def test_a_repeated_run_pays_nothing_and_ends_with_the_same_bytes(service, clip, cloud_data, tmp_path):
    engine.detect(clip, tmp_path / "a.json", CLOUD, data=cloud_data)
    again = DetectOptions(mode="cloud", workers=3, asking={"price": 0.5, "rate": 1000.0})
    engine.detect(clip, tmp_path / "b.json", again, data=cloud_data)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    ledger = ledger_of(tmp_path / "b.json")
    assert (ledger.calls, ledger.kept, ledger.cost) == (0, 50, 0.0)
    assert service.account.calls == 50


def test_a_run_that_is_killed_pays_for_no_frame_twice(service, clip, cloud_data, tmp_path):
    service.behave(latency=0.15)
    path = tmp_path / "a.json"
    command = [sys.executable, "-m", "engine.cli", "detect", clip, "-o", path, "--mode", "cloud", "--data", cloud_data]
    running = subprocess.Popen([*command, "--workers", "6"], stderr=subprocess.DEVNULL, env=os.environ)
    while service.account.answered < 8:
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    running.wait()
    engine.detect(clip, path, CLOUD, data=cloud_data)
    assert service.account.calls == 50
    assert set(service.account.paid.values()) == {1}
    ledger = ledger_of(path)
    assert ledger.calls + ledger.kept == 50
    assert {sent.request for sent in ledger.frames} == set(service.account.requests)


def test_a_run_beyond_the_limit_sends_nothing(service, clip, cloud_data, tmp_path):
    with pytest.raises(InputError, match=r"more than --max-cost: 50 frames .* limit is USD 0.04"):
        engine.detect(clip, tmp_path / "a.json", DetectOptions(mode="cloud", max_cost=0.04), data=cloud_data)
    assert service.account.calls == 0
    record = engine.detect(clip, tmp_path / "a.json", DetectOptions(mode="cloud", max_cost=0.05), data=cloud_data)
    assert len(record.frames) == service.account.answered == 50


def test_a_run_that_fails_leaves_a_ledger_of_what_was_sent_and_goes_on(service, clip, cloud_data, tmp_path):
    service.behave(faults=(*[""] * 20, *["denied"] * 40))
    with pytest.raises(InputError, match="allow rekognition:DetectFaces"):
        engine.detect(clip, tmp_path / "a.json", DetectOptions(mode="cloud", workers=1), data=cloud_data)
    ledger = ledger_of(tmp_path / "a.json")
    assert ledger.record_sha256 is None
    assert len(ledger.frames) <= service.account.answered == 20
    service.behave(faults=())
    engine.detect(clip, tmp_path / "a.json", CLOUD, data=cloud_data)
    assert service.account.answered == 50
    assert set(service.account.paid.values()) == {1}


def test_every_fifth_frame_is_asked_and_the_record_says_so(service, clip, cloud_data, tmp_path):
    options = DetectOptions(mode="cloud", asking={"policy": "every:5"})
    record = engine.detect(clip, tmp_path / "a.json", options, data=cloud_data)
    assert record.detection.asked == {"rekognition": tuple((index, index + 1) for index in range(0, 50, 5))}
    assert record.detection.detectors[0].parameters["policy"] == "every:5"
    assert {frame.faces[0].origin for frame in record.frames} == {"detected", "interpolated", "extended"}
    assert [sent.index for sent in ledger_of(tmp_path / "a.json").frames] == list(range(0, 50, 5))
    assert service.account.answered == 10


def test_only_contested_frames_of_a_steady_face_are_asked(service, talk, cloud_data, tmp_path):
    options = DetectOptions(mode="cloud", asking={"policy": "contested"})
    record = engine.detect(talk, tmp_path / "a.json", options, data=cloud_data)
    assert [detector.name for detector in record.detection.detectors] == ["yolov8-face", "rekognition"]
    asked = [index for start, stop in record.detection.asked["rekognition"] for index in range(start, stop)]
    assert asked == [sent.index for sent in ledger_of(tmp_path / "a.json").frames]
    assert 0 < len(asked) <= TALK_FRAMES / 4
    seen = {one.detector for frame in record.frames for face in frame.faces for one in face.evidence}
    assert seen == {"yolov8-face", "rekognition"}
    engine.detect(talk, tmp_path / "b.json", msgspec_free(options, workers=2), data=cloud_data)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert list(cloud_data.glob("work/*")) == []


def msgspec_free(options, **changes):
    return DetectOptions(**{name: getattr(options, name) for name in ("mode", "asking")}, **changes)


def test_hybrid_with_the_service_as_one_of_its_detectors(service, talk, cloud_data):
    record = engine.detect(talk, options=DetectOptions(detectors=("rekognition", "yolov8-face")), data=cloud_data)
    names = {one.detector for frame in record.frames for face in frame.faces for one in face.evidence}
    assert names == {"yolov8-face", "rekognition"}
    assert service.account.answered == TALK_FRAMES


def test_damaged_frames_are_not_sent(service, cloud_data, tmp_path):
    whole = clips.video(tmp_path / "whole.mp4", frames=30, options=["-movflags", "+faststart", "-bf", "0"])
    broken = clips.truncated(tmp_path / "broken.mp4", whole, share=0.6)
    record = engine.detect(broken, options=DetectOptions(mode="cloud", on_damage="cover"), data=cloud_data)
    assert record.damaged
    assert service.account.answered <= len(record.frames) - len(record.damaged)


def test_a_service_that_is_not_asked_cannot_have_a_policy(clip, cloud_data):
    with pytest.raises(InputError, match="choose --mode cloud"):
        engine.detect(clip, options=DetectOptions(asking={"policy": "every:2"}), data=cloud_data)
    with pytest.raises(InputError, match="no other detector runs"):
        engine.detect(
            clip, options=DetectOptions(detectors=("rekognition",), asking={"policy": "contested"}), data=cloud_data
        )
    with pytest.raises(InputError, match="policy"):
        engine.detect(clip, options=DetectOptions(mode="cloud", asking={"policy": "every:0"}), data=cloud_data)


def test_from_a_shell_with_a_limit_that_is_too_low(service, clip, cloud_data, tmp_path):
    command = [
        sys.executable,
        "-m",
        "engine.cli",
        "detect",
        clip,
        "-o",
        tmp_path / "a.json",
        "--data",
        cloud_data,
        "--json",
    ]
    done = subprocess.run(
        [*command, "--mode", "cloud", "--policy", "every:2", "--price", "0.01", "--max-cost", "0.2"],
        capture_output=True, text=True, check=False, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 2
    assert "25 frames leave this machine; USD 0.250" in json.loads(done.stdout)["error"]


FACE = Box(10, 10, 50, 60)


def frame_of(**scores):
    """A frame in which each detector sees the face with these scores."""
    detections = {name: tuple(Detection(name, FACE, score) for score in some) for name, some in scores.items()}
    return FrameDetections(0, damaged=False, change=0.0, by_detector=detections)


def contested(frames, **settings):
    seen = [frame_of(one=scores) for scores in frames]
    chosen = frame_selection.uncertain_frames(
        seen, DetectOptions(), RemoteDetectorSettings(glance=1000, **settings), 0.04
    )
    return sorted(chosen)


def test_a_steady_sure_face_is_contested_at_its_ends_only():
    assert contested([[0.9]] * 40) == [0, 1, 4, 8, 31, 35, 38, 39] or contested([[0.9]] * 40) == [0, 39]


def test_weak_frames_and_gaps_are_contested():
    frames = [[0.9]] * 20 + [[0.2]] + [[0.9]] * 19
    assert 20 in contested(frames)
    frames = [[0.9]] * 20 + [[]] * 9 + [[0.9]] * 11
    assert {20, 24, 28} <= set(contested(frames))


def test_where_everything_is_contested_a_quarter_is_sent_at_most():
    assert len(contested([[0.2]] * 100)) <= 25
    assert {0, 99} <= set(contested([[0.2]] * 100))
    assert len(contested([[0.9]] * 60 + [[0.2]] * 40)) > 40 / 4


def test_what_one_of_two_detectors_alone_sees_is_contested():
    both, one_alone = frame_of(one=[0.9], two=[0.9]), frame_of(one=[0.9], two=[])
    frames = [both] * 10 + [one_alone] + [both] * 10
    chosen = frame_selection.uncertain_frames(frames, DetectOptions(), RemoteDetectorSettings(glance=1000), 0.04)
    assert 10 in chosen
    assert 5 not in chosen


def test_a_record_that_says_a_detector_saw_what_it_was_not_asked_about_is_refused(service, clip, cloud_data, tmp_path):
    engine.detect(clip, tmp_path / "a.json", DetectOptions(mode="cloud", asking={"policy": "every:5"}), data=cloud_data)
    document = json.loads((tmp_path / "a.json").read_bytes())
    document["detection"]["asked"]["rekognition"][1] = [6, 7]
    with pytest.raises(RecordError, match="was not asked"):
        decode_record(json.dumps(document).encode())


def test_a_made_up_fifth_detector_needs_its_file_and_a_line_in_the_table(monkeypatch, talk, cloud_data):
    monkeypatch.setitem(
        DETECTORS,
        "brightest",
        DetectorRow(class_path="tests.engine.detectors.brightest_region_detector:Brightest", frame_cost_s=0.1),
    )
    options = DetectOptions(detectors=("brightest", "yolov8-face"), parameters={"brightest": {"share": 0.25}})
    record = engine.detect(talk, options=options, data=cloud_data)
    facts = record.detection.detectors[0]
    assert (facts.name, facts.parameters) == ("brightest", {"sure": 0.0, "share": 0.25})
    for frame in record.frames:
        assert "brightest" in {one.detector for face in frame.faces for one in face.evidence}
    with pytest.raises(InputError, match="brightest cannot take share"):
        registry.plan_detector("brightest", {"share": 7})


def test_a_limit_holds_while_it_runs_when_nobody_could_know_before(service, talk, cloud_data, tmp_path):
    options = DetectOptions(mode="cloud", asking={"policy": "contested", "glance": 1}, max_cost=0.01)
    with pytest.raises((InputError, DetectorError), match="max-cost"):
        engine.detect(talk, tmp_path / "a.json", options, data=cloud_data)
    assert service.account.answered <= 10
