"""A live run in a server's thread: pushed frames, preview, run folder."""

import json
import os
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from engine import access, audit, runs
from engine.errors import AccessError, InputError, SourceError
from engine.jobs.live_run import BROWSER_CAMERA, LiveRun
from engine.live.log import Happened, read_log_lines
from engine.live.run import LiveOptions
from engine.media.source.probe import probe
from engine.media.stream.live_preview import NO_FRAME, LivePreview, make_black_frame, write_caption, write_note
from engine.media.stream.normalise import frame_from_rgb, rgb_from_frame
from engine.record import read_record
from engine.storage.data_folder import DataFolder
from tests.crashing_reader import find_children
from tests.engine.live.live_scenes import flash_and_beep
from tests.engine.live.scripted_camera import PATIENCE_S, PERIOD_S, STEADY, detector_roles, white_patch

JANE = access.get_single_user(DataFolder(Path("/nonexistent")))
PASSWORD = "horse battery 1"
PATCH = np.s_[66:94, 106:134]
"""Well inside the white patch that stands for a face."""


@pytest.fixture
def data(tmp_path):
    return DataFolder(tmp_path / "data")


def push_until(live, condition):
    """Push frames of a white patch until `condition` holds for the preview's picture; return that picture."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        live.push_frame(frame_from_rgb(white_patch()))
        time.sleep(PERIOD_S)
        picture = rgb_from_frame(live.preview.get_frame())
        if condition(picture):
            return picture
    raise AssertionError(f"never came; {live.phase} {live.failure_message} {live.progress}")


def shows_judged_frame(picture):
    return picture.shape == (180, 320, 3) and picture[:50].mean() > 20


@pytest.mark.slow
def test_frames_of_a_browser_come_out_masked_and_leave_a_record(moods, data):
    live = LiveRun(data, None, person=JANE, options=LiveOptions(detector_roles(moods), STEADY))
    try:
        assert rgb_from_frame(live.preview.get_frame()).max() < 20
        picture = push_until(live, shows_judged_frame)
        assert picture[PATCH].mean() < 230 < white_patch()[PATCH].mean()
        assert not live.has_ended
        live.end_source()
        live.join(PATIENCE_S)
    finally:
        live.stop()
        live.join(PATIENCE_S)
    assert live.phase == "ended", live.failure_message
    run = runs.load_run(data, live.folder.id)
    assert (run.status, run.request.source, run.request.account) == ("done", BROWSER_CAMERA, JANE.account)
    assert run.request.detection.mode == "live"
    record = read_record(run.folder.record)
    assert len(record.frames) == run.state.done or run.state.done == 0
    assert any(frame.faces for frame in record.frames)
    assert probe(run.folder.live_video).video.packets == len(record.frames)
    assert json.loads((run.folder.path / "detections.live.json").read_bytes())["source"] == BROWSER_CAMERA
    assert rgb_from_frame(live.preview.get_frame(unmasked=True)).max() <= rgb_from_frame(live.preview.get_frame()).max()


@pytest.mark.slow
def test_controls_act_on_the_next_frames(moods, data):
    live = LiveRun(data, None, person=JANE, options=LiveOptions(detector_roles(moods), STEADY))
    try:
        push_until(live, shows_judged_frame)
        live.controls.cover_all(on=True)
        covered = push_until(live, lambda picture: picture.max() < 20)
        assert covered.shape == (180, 320, 3)
        live.controls.cover_all(on=False)
        push_until(live, shows_judged_frame)
    finally:
        live.stop()
        live.join(PATIENCE_S)
    assert live.phase == "ended"


@pytest.mark.slow
def test_a_file_of_the_server_ends_by_itself(moods, data, tmp_path):
    beep = flash_and_beep(tmp_path / "beep.mp4")
    live = LiveRun(data, str(beep), person=JANE, options=LiveOptions(detector_roles(moods), STEADY))
    live.join(PATIENCE_S)
    assert live.phase == "ended", live.failure_message
    assert runs.load_run(data, live.folder.id).source == beep
    assert probe(live.folder.live_video).video.packets == 50


@pytest.mark.slow
def test_a_source_that_cannot_be_opened_is_a_sentence_in_the_run(moods, data):
    live = LiveRun(
        data, "rtsp://u:secret@127.0.0.1:9/x", person=JANE, options=LiveOptions(detector_roles(moods), STEADY)
    )
    live.join(PATIENCE_S)
    assert live.phase == "failed"
    assert "cannot be opened" in live.failure_message
    run = runs.load_run(data, live.folder.id)
    assert (run.status, run.state.sentence) == ("failed", live.failure_message)
    assert not run.resumable
    assert "secret" not in run.folder.request.read_text() + live.failure_message + live.title


@pytest.mark.slow
def test_a_source_that_crashes_its_process_ends_the_run_in_order(moods, data, tmp_path):
    """The decoder is hit in the middle of a run: a sentence, and what was shown is complete."""
    path = flash_and_beep(tmp_path / "Jane Doe.mp4", seconds=60.0)
    live = LiveRun(data, str(path), person=JANE, options=LiveOptions(detector_roles(moods), STEADY))
    try:
        end = time.monotonic() + PATIENCE_S
        while not live.progress.counters.judged and time.monotonic() < end:
            time.sleep(PERIOD_S)
        [process] = find_children("source_process")
        os.kill(process, signal.SIGSEGV)
        live.join(PATIENCE_S)
    finally:
        live.stop()
        live.join(PATIENCE_S)
    assert live.phase == "failed"
    assert re.search(
        r"it ends the program that reads it \(signal SIGSEGV\).*the record are complete", live.failure_message
    )
    assert "Jane" not in live.failure_message
    run = runs.load_run(data, live.folder.id)
    assert (run.status, run.state.sentence) == ("failed", live.failure_message)
    record = read_record(run.folder.record)
    assert probe(run.folder.live_video).video.packets == len(record.frames) == live.progress.counters.shown > 0
    log = run.folder.record.with_suffix(".jsonl")
    [said] = [line.what for line in read_log_lines(log) if isinstance(line, Happened)]
    assert "SIGSEGV" in said
    assert b"Jane" not in log.read_bytes()
    # The next run is not harmed.
    beep = flash_and_beep(tmp_path / "beep.mp4", seconds=0.4, at=0.2)
    live = LiveRun(data, str(beep), person=JANE, options=LiveOptions(detector_roles(moods), STEADY))
    live.join(PATIENCE_S)
    assert live.phase == "ended", live.failure_message


@pytest.mark.slow
def test_a_pushed_source_that_fails_ends_the_run_in_order(moods, data):
    live = LiveRun(data, None, person=JANE, options=LiveOptions(detector_roles(moods), STEADY))
    try:
        push_until(live, shows_judged_frame)
        live.fail_source(SourceError("The camera is lost."))
        live.join(PATIENCE_S)
    finally:
        live.stop()
        live.join(PATIENCE_S)
    assert live.phase == "failed"
    assert live.failure_message.startswith("The camera is lost. The ")
    run = runs.load_run(data, live.folder.id)
    assert probe(run.folder.live_video).video.packets == len(read_record(run.folder.record).frames)


def test_a_source_that_does_not_exist_leaves_no_run(data):
    with pytest.raises(InputError, match="No source"):
        LiveRun(data, " ", person=JANE)
    with pytest.raises(InputError, match="does not exist"):
        LiveRun(data, "/no/such.mp4", person=JANE)
    assert not data.runs.exists()


def test_a_preview_turns_black_without_new_frames_and_keeps_unmasked_frames_only_on_demand():
    now_s = [100.0]
    preview = LivePreview(max_side_px=160, clock=lambda: now_s[0])
    preview.add_input_frame(frame_from_rgb(white_patch()))
    preview.add_output_frame(frame_from_rgb(white_patch(side=2)))
    assert rgb_from_frame(preview.get_frame(unmasked=True)).max() < 200
    assert rgb_from_frame(preview.get_frame()).shape == (90, 160, 3)
    preview.keeps_unmasked = True
    preview.add_input_frame(frame_from_rgb(white_patch()))
    assert rgb_from_frame(preview.get_frame(unmasked=True)).max() > 200
    assert rgb_from_frame(preview.get_frame()).max() < 200
    now_s[0] += 1.1  # older than a second
    assert rgb_from_frame(preview.get_frame()).max() < 20
    assert rgb_from_frame(preview.get_frame(unmasked=True)).max() < 20
    assert preview.cover_reason == NO_FRAME


def test_a_caption_is_only_in_the_copy_for_viewers():
    preview = LivePreview(max_side_px=160)
    preview.add_output_frame(make_black_frame(), "unanswered")
    assert preview.cover_reason == "unanswered"
    captioned = write_caption(preview.get_frame(), ["This machine is too slow for this picture.", "Use a smaller one."])
    assert rgb_from_frame(captioned).max() > 60
    assert rgb_from_frame(captioned).mean() < 25
    assert rgb_from_frame(preview.get_frame()).max() < 20
    preview.add_output_frame(make_black_frame())
    assert preview.cover_reason is None


def test_a_note_covers_the_lower_border_alone_and_is_legible_on_a_bright_picture():
    bright = frame_from_rgb(np.full((180, 320, 3), 250, np.uint8)).reformat(format="yuv420p")
    noted = rgb_from_frame(write_note(bright, "Faces under 180 pixels may not be found"))
    assert noted[:150].min() > 230
    assert noted[165:].min() < 100
    assert noted[165:].max() > 150


def test_the_preview_gets_smaller_from_the_next_frame_on():
    preview = LivePreview(max_side_px=320)
    preview.add_output_frame(frame_from_rgb(white_patch()))
    assert preview.get_frame().width == 320
    preview.limit_side(160)
    preview.add_output_frame(frame_from_rgb(white_patch()))
    assert preview.get_frame().width == 160


def test_a_person_without_the_role_is_refused_and_the_refusal_logged(data):
    access.add_account(data, JANE, account="ana", name="Ana", roles=("administrator", "analyst"), password=PASSWORD)
    with pytest.raises(AccessError, match="live mode"):
        LiveRun(data, None, person=access.read_people(data).get_account("ana").to_person("account"))
    assert [entry.details["action"] for entry in audit.read_entries(data.audit, kinds=["refusal"])] == ["live"]
    assert not data.runs.exists()


@pytest.mark.slow
def test_viewing_unmasked_frames_is_logged(moods, data):
    live = LiveRun(data, None, person=JANE, options=LiveOptions(detector_roles(moods), STEADY))
    try:
        push_until(live, shows_judged_frame)
        live.unmask_preview(JANE)
        [seen] = audit.read_entries(data.audit, run=live.folder.id, kinds=["view"])
        assert seen.details["unmasked"] is True
        push_until(live, lambda _: rgb_from_frame(live.preview.get_frame(unmasked=True))[PATCH].mean() > 240)
        assert rgb_from_frame(live.preview.get_frame())[PATCH].mean() < 230
        live.mask_preview()
        assert rgb_from_frame(live.preview.get_frame(unmasked=True))[PATCH].mean() < 230
    finally:
        live.stop()
        live.join(PATIENCE_S)


def test_an_operator_opens_no_source_that_is_not_listed(staffed, tmp_path):
    secret = tmp_path / "secret.mp4"
    secret.touch()
    otto = access.read_people(staffed).get_account("otto").to_person("account")
    for source in (str(secret), "rtsp://10.0.0.7/main"):
        with pytest.raises(AccessError, match="not allowed for Live"):
            LiveRun(staffed, source, person=otto)
    assert runs.read_register(staffed) == runs.RunRegister((), ())
