import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

import engine
from engine.core.frame_ranges import expand_ranges
from engine.detection.results import RunFacts
from engine.errors import DamagedFrameError, DetectorError, InputError, ModelError, SourceError, TargetError
from engine.media.source.probe import probe
from engine.record import DetectOptions, ScheduleSettings, read_document, read_record, sha256_hex
from tests import clips
from tests.engine.conftest import TALK_FRAMES

YOLO = DetectOptions(detectors=("yolov8-face",))


class Progress:
    """Remembers what it was told; may raise or act at a frame."""

    def __init__(self, at=None, act=None):
        self.told, self.at, self.act = [], at, act

    def progress(self, stage, done, total):
        self.told.append((stage, done, total))
        if self.act and stage == "detect" and done >= self.at:
            self.act()

    def notice(self, message):
        self.told.append(message)


def children():
    """Processes that this one has started."""
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


@pytest.fixture(scope="module")
def detected(talk, own_data, tmp_path_factory):
    """The path of a record of `talk` by an undisturbed run with one worker."""
    path = tmp_path_factory.mktemp("record") / "talk.json"
    engine.detect(talk, path, msgspec.structs.replace(YOLO, workers=1), data=own_data)
    return path


def test_every_frame_is_in_the_record_and_the_face_in_every_frame(talk, detected):
    record = read_record(detected)
    assert len(record.frames) == TALK_FRAMES
    assert all(len(frame.faces) == 1 for frame in record.frames)
    assert {face.track for frame in record.frames for face in frame.faces} == {0}
    assert record.source.sha256 == sha256_hex(talk.read_bytes())
    assert record.cuts == record.damaged == ()
    assert record.detection.detectors[0].models[0].sha256


def test_run_facts_lie_beside_the_record(detected):
    facts = read_document(detected.with_name("talk.json.run.json"), RunFacts, "facts of a run")
    assert facts.record_sha256 == sha256_hex(detected.read_bytes())
    assert (facts.frames, facts.resumed_frames) == (TALK_FRAMES, 0)


@pytest.mark.parametrize("workers", [2, 3])
def test_the_record_does_not_depend_on_the_number_of_workers(talk, detected, own_data, tmp_path, workers):
    options = DetectOptions(detectors=("yolov8-face",), workers=workers)
    engine.detect(talk, tmp_path / "again.json", options, data=own_data)
    assert (tmp_path / "again.json").read_bytes() == detected.read_bytes()


def test_a_run_that_is_killed_goes_on_and_ends_with_the_same_bytes(talk, own_data, tmp_path):
    # Slow enough to be killed midway.
    slow = DetectOptions(detectors=("yolov8-face",), parameters={"yolov8-face": {"size": 1280}})
    engine.detect(talk, tmp_path / "whole.json", slow, data=own_data)
    data = tmp_path / "data"
    data.mkdir()
    (data / "models").symlink_to(own_data / "models")
    path = tmp_path / "again.json"
    command = [sys.executable, "-m", "engine.cli", "detect", talk, "-o", path, "--data", data, "--workers", "1"]
    detection = ["--detectors", "yolov8-face", "--set", "yolov8-face.size=1280"]
    running = subprocess.Popen([*command, *detection], stdout=subprocess.DEVNULL)
    while not any(journal.stat().st_size for journal in data.glob("work/*.journal")):
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not path.exists()
    progress = Progress()
    engine.detect(talk, path, slow, data=data, listener=progress)
    assert path.read_bytes() == (tmp_path / "whole.json").read_bytes()
    facts = read_document(path.with_name("again.json.run.json"), RunFacts, "facts of a run")
    assert 4 <= facts.resumed_frames < TALK_FRAMES
    assert list(data.glob("work/*")) == []


def test_an_interruption_by_the_caller_is_resumed_too(talk, detected, own_data, tmp_path):
    class StopError(Exception):
        pass

    def stop():
        raise StopError

    with pytest.raises(StopError):
        engine.detect(talk, tmp_path / "a.json", YOLO, data=own_data, listener=Progress(12, stop))
    engine.detect(talk, tmp_path / "a.json", YOLO, data=own_data)
    assert (tmp_path / "a.json").read_bytes() == detected.read_bytes()


SCHEDULED = DetectOptions(detectors=("yolov8-face",), schedule=ScheduleSettings(interval_s=0.2, change=12.0), workers=1)


@pytest.fixture(scope="module")
def scheduled(talk, own_data, tmp_path_factory):
    """The path of a record of `talk` by an undisturbed run on a schedule."""
    path = tmp_path_factory.mktemp("scheduled") / "talk.json"
    engine.detect(talk, path, SCHEDULED, data=own_data)
    return path


def test_between_looks_faces_are_carried_and_the_record_says_so(scheduled):
    record = read_record(scheduled)
    assert all(len(frame.faces) == 1 for frame in record.frames)
    origins = [frame.faces[0].origin for frame in record.frames]
    assert set(origins) == {"detected", "carried"}
    looks = expand_ranges(record.detection.asked["yolov8-face"])
    assert [index for index, origin in enumerate(origins) if origin == "detected"] == sorted(looks)
    assert len(looks) < len(record.frames) * 2 / 3
    assert record.detection.schedule == SCHEDULED.schedule


@pytest.mark.parametrize("stop_at", [8, 12, 20])
def test_a_scheduled_run_that_is_interrupted_ends_with_the_same_bytes(talk, scheduled, own_data, tmp_path, stop_at):
    class StopError(Exception):
        pass

    def stop():
        raise StopError

    with pytest.raises(StopError):
        engine.detect(talk, tmp_path / "a.json", SCHEDULED, data=own_data, listener=Progress(stop_at, stop))
    engine.detect(talk, tmp_path / "a.json", SCHEDULED, data=own_data)
    assert (tmp_path / "a.json").read_bytes() == scheduled.read_bytes()


def test_a_detector_that_is_killed_ends_the_run_with_a_sentence(talk, detected, own_data, tmp_path):
    def kill_workers():
        for pid in children():
            if b"engine.detectors.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)

    # One worker has two batches of frames at most, so that others are left when the first one is done.
    alone = msgspec.structs.replace(YOLO, workers=1)
    with pytest.raises(DetectorError, match=r"yolov8-face.*SIGKILL.*resume"):
        engine.detect(talk, tmp_path / "a.json", alone, data=own_data, listener=Progress(4, kill_workers))
    assert not (tmp_path / "a.json").exists()
    engine.detect(talk, tmp_path / "a.json", YOLO, data=own_data)
    assert (tmp_path / "a.json").read_bytes() == detected.read_bytes()


def test_hybrid_keeps_the_evidence_of_each_detector(talk, own_data):
    record = engine.detect(talk, options=DetectOptions(mode="hybrid"), data=own_data)
    names = {sighting.detector for frame in record.frames for face in frame.faces for sighting in face.evidence}
    assert names == {"centerface", "retinaface", "yolov8-face"}
    assert max(len(frame.faces) for frame in record.frames) == 1


def test_boxes_of_a_turned_video_are_where_the_face_is_seen(carphone, own_data, tmp_path):
    flat, turned = tmp_path / "flat.mp4", tmp_path / "turned.mp4"
    picture = "scale=352:288,setsar=1,transpose=cclock"
    clips.ffmpeg("-i", carphone, "-vf", picture, "-frames:v", "4", "-c:v", "libx264", "-preset", "veryfast", flat)
    clips.ffmpeg("-display_rotation", "-90", "-i", flat, "-c", "copy", turned)
    record = engine.detect(turned, options=YOLO, data=own_data)
    assert (record.display.width, record.display.height) == (352, 288)
    (face,) = record.frames[0].faces
    assert face.box.height > face.box.width
    assert 60 < face.box.centre[1] < 160


def test_a_damaged_frame_stops_the_run_unless_it_may_be_covered(talk, own_data, tmp_path):
    whole = clips.video(tmp_path / "whole.mp4", frames=30, options=["-movflags", "+faststart", "-bf", "0"])
    middle = whole.stat().st_size // 2
    broken = clips.overwritten(tmp_path / "broken.mp4", whole, [(middle, bytes(300))])
    with pytest.raises(DamagedFrameError, match=r"broken\.mp4") as caught:
        engine.detect(broken, options=YOLO, data=own_data)
    assert 0 < caught.value.index < 30
    record = engine.detect(broken, options=DetectOptions(detectors=("yolov8-face",), on_damage="cover"), data=own_data)
    assert record.damaged
    assert record.damaged[0] == caught.value.index


def test_an_incomplete_file_is_refused_before_the_first_frame(own_data, tmp_path):
    whole = clips.video(tmp_path / "whole.mp4", frames=30, options=["-movflags", "+faststart"])
    broken = clips.truncated(tmp_path / "broken.mp4", whole, share=0.6)
    with pytest.raises(SourceError, match=r"broken\.mp4 is incomplete.*--on-damage cover"):
        engine.detect(broken, options=YOLO, data=own_data)


@pytest.mark.slow
def test_missing_weights_are_named_before_anything_is_written(talk, tmp_path):
    with pytest.raises(ModelError, match="veil models fetch"):
        engine.detect(talk, tmp_path / "a.json", YOLO, data=tmp_path / "empty")
    assert not (tmp_path / "a.json").exists()


def test_weights_with_a_flipped_bit_are_refused(talk, own_data, tmp_path):
    models = tmp_path / "models"
    shutil.copytree(own_data / "models", models)
    path = models / "yolov8n-face.onnx"
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"yolov8n-face\.onnx"):
        engine.detect(talk, options=YOLO, data=tmp_path)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (DetectOptions(mode="space"), "no mode 'space'; choose one of on-prem"),
        (DetectOptions(detectors=("eagle",)), "no detector 'eagle'; there are mtcnn"),
        (DetectOptions(detectors=("mtcnn", "mtcnn")), "named twice"),
        (DetectOptions(parameters={"mtcnn": {"threshold": 0.1}}), "mtcnn, which does not run"),
        (DetectOptions(parameters={"centerface": {"wings": 2}}), "no parameter 'wings'; it has"),
        (DetectOptions(parameters={"centerface": {"threshold": "high"}}), "threshold"),
    ],
)
def test_options_that_do_not_exist_are_named_with_those_that_do(talk, own_data, options, complaint):
    with pytest.raises(InputError, match=complaint):
        engine.detect(talk, options=options, data=own_data)


def test_an_output_that_cannot_be_written_is_said_before_the_work(talk, own_data, tmp_path):
    progress = Progress()
    with pytest.raises(TargetError, match="nowhere"):
        engine.detect(talk, tmp_path / "nowhere" / "a.json", YOLO, data=own_data, listener=progress)
    assert progress.told == []


def test_progress_counts_every_frame(talk, own_data):
    progress = Progress()
    engine.detect(talk, options=YOLO, data=own_data, listener=progress)
    steps = [step for step in progress.told if step[0] == "detect"]
    assert steps[-1] == ("detect", TALK_FRAMES, TALK_FRAMES)
    assert steps == sorted(steps)


def test_anonymise_goes_from_a_clip_to_a_checked_clip(talk, own_data, tmp_path):
    result = engine.anonymise(talk, tmp_path / "out.mp4", YOLO, data=own_data)
    assert result.checks.passed
    assert (result.tracks, result.faces) == (1, TALK_FRAMES)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "out.mp4",
        "out.mp4.checks.json",
        "out.mp4.detections.json",
        "out.mp4.detections.json.run.json",
        "out.mp4.render.json",
    ]
    tags = probe(tmp_path / "out.mp4").extras
    assert any(tag.name == "comment" for tag in tags)
    assert engine.verify(talk, result.record, result.output) == result.checks
