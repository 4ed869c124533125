"""A live run in a server's thread: pushed frames, preview, run folder."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from engine import access, audit, runs
from engine.errors import AccessError, InputError
from engine.jobs.live_run import CAMERA, LiveSession
from engine.live.run import LiveOptions
from engine.media.source.probe import probe
from engine.media.stream.live_preview import Preview
from engine.media.stream.normalise import frame_of, picture_of_frame
from engine.record import read
from engine.runs.run import recording
from engine.storage.files import Data
from tests.engine.live.live_scenes import flash_and_beep
from tests.engine.live.scripted_camera import patch, watches
from tests.engine.live.test_run import STEADY

JANE = access.single_user(Data(Path("/nonexistent")))
PASSWORD = "horse battery 1"
PATCH = np.s_[66:94, 106:134]
"""Well inside the white patch that stands for a face."""


@pytest.fixture
def data(tmp_path):
    return Data(tmp_path / "data")


def pushing(live, seconds, until):
    """Push frames of a white patch until something holds of the preview's picture."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        live.push(frame_of(patch()))
        time.sleep(0.04)
        picture = picture_of_frame(live.preview.picture())
        if until(picture):
            return picture
    raise AssertionError(f"never came; {live.phase} {live.sentence} {live.figures}")


def judged(picture):
    return picture.shape == (180, 320, 3) and picture[:50].mean() > 20


def test_frames_of_a_browser_come_out_masked_and_leave_a_record(moods, data):
    live = LiveSession(data, None, person=JANE, options=LiveOptions(watches(moods), STEADY))
    try:
        assert picture_of_frame(live.preview.picture()).max() < 20
        picture = pushing(live, 60, judged)
        assert picture[PATCH].mean() < 230 < patch()[PATCH].mean()
        assert not live.over
        live.source_ended()
        live.join(30)
    finally:
        live.stop(30)
    assert live.phase == "ended", live.sentence
    run = runs.get(data, live.folder.id)
    assert (run.status, run.request.source, run.request.account) == ("done", CAMERA, JANE.account)
    assert run.request.detection.mode == "live"
    record = read(run.folder.record)
    assert len(record.frames) == run.state.done or run.state.done == 0
    assert any(frame.faces for frame in record.frames)
    assert probe(recording(run.folder)).video.packets == len(record.frames)
    assert json.loads((run.folder.path / "detections.live.json").read_bytes())["source"] == CAMERA
    assert picture_of_frame(live.preview.picture(unmasked=True)).max() <= picture_of_frame(live.preview.picture()).max()


def test_controls_act_on_the_next_frames(moods, data):
    live = LiveSession(data, None, person=JANE, options=LiveOptions(watches(moods), STEADY))
    try:
        pushing(live, 60, judged)
        live.controls.panic(on=True)
        covered = pushing(live, 10, lambda picture: picture.max() < 20)
        assert covered.shape == (180, 320, 3)
        live.controls.panic(on=False)
        pushing(live, 10, judged)
    finally:
        live.stop(30)
    assert live.phase == "ended"


def test_a_file_of_the_server_ends_by_itself(moods, data, tmp_path):
    beep = flash_and_beep(tmp_path / "beep.mp4")
    live = LiveSession(data, str(beep), person=JANE, options=LiveOptions(watches(moods), STEADY))
    live.join(60)
    assert live.phase == "ended", live.sentence
    assert runs.get(data, live.folder.id).source == beep
    assert probe(recording(live.folder)).video.packets == 50


def test_a_source_that_cannot_be_opened_is_a_sentence_in_the_run(moods, data):
    live = LiveSession(data, "rtsp://u:secret@127.0.0.1:9/x", person=JANE, options=LiveOptions(watches(moods), STEADY))
    live.join(60)
    assert live.phase == "failed"
    assert "cannot be opened" in live.sentence
    run = runs.get(data, live.folder.id)
    assert (run.status, run.state.sentence) == ("failed", live.sentence)
    assert not run.resumable
    assert "secret" not in run.folder.request.read_text() + live.sentence + live.title


def test_what_cannot_begin_leaves_no_run(data):
    with pytest.raises(InputError, match="No source"):
        LiveSession(data, " ", person=JANE)
    with pytest.raises(InputError, match="does not exist"):
        LiveSession(data, "/no/such.mp4", person=JANE)
    assert not data.runs.exists()


def test_a_preview_turns_black_when_nothing_new_comes_and_keeps_nothing_unmasked_unasked():
    preview = Preview(longest=160)
    preview.came(frame_of(patch()))
    preview.went(frame_of(patch(side=2)))
    assert picture_of_frame(preview.picture(unmasked=True)).max() < 200
    assert picture_of_frame(preview.picture()).shape == (90, 160, 3)
    preview.unmasked = True
    preview.came(frame_of(patch()))
    assert picture_of_frame(preview.picture(unmasked=True)).max() > 200
    assert picture_of_frame(preview.picture()).max() < 200
    time.sleep(1.1)  # the time after which a picture is old
    assert picture_of_frame(preview.picture()).max() < 20
    assert picture_of_frame(preview.picture(unmasked=True)).max() < 20


def test_who_has_not_the_role_is_refused_on_record(data):
    access.add(data, JANE, account="ana", name="Ana", roles=("administrator", "analyst"), password=PASSWORD)
    with pytest.raises(AccessError, match="live mode"):
        LiveSession(data, None, person=access.read_people(data).named("ana").person("account"))
    assert [entry.details["action"] for entry in audit.entries(data.audit, kinds=["refusal"])] == ["live"]
    assert not data.runs.exists()


def test_who_looks_unmasked_is_on_record(moods, data):
    live = LiveSession(data, None, person=JANE, options=LiveOptions(watches(moods), STEADY))
    try:
        pushing(live, 60, judged)
        live.unmask(JANE)
        [seen] = audit.entries(data.audit, run=live.folder.id, kinds=["view"])
        assert seen.details["unmasked"] is True
        pushing(live, 10, lambda _: picture_of_frame(live.preview.picture(unmasked=True))[PATCH].mean() > 240)
        assert picture_of_frame(live.preview.picture())[PATCH].mean() < 230
        live.mask()
        assert picture_of_frame(live.preview.picture(unmasked=True))[PATCH].mean() < 230
    finally:
        live.stop(30)
