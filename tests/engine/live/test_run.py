"""Live runs from a source to an output, with real files, sockets and, in the last tests, real models."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.core.addresses import strip_credentials
from engine.errors import InputError, SourceError, TargetError
from engine.live.controls import LiveControls
from engine.live.hooks import LiveHooks
from engine.live.log import Happened, Looked, Received, Shown, Start, read_log_lines
from engine.live.run import LiveOptions, anonymise_live, recover_record
from engine.live.settings import JudgingSettings
from engine.record import read_record
from engine.rendering.render import render
from engine.rendering.terms import RenderOptions
from tests import clips
from tests.engine.live.live_outputs import assert_in_sync, decode_brightness, read_audio_packets
from tests.engine.live.live_scenes import Heard, flash_and_beep, free_port, sent, two_faces
from tests.engine.live.scripted_camera import PATIENCE_S, STEADY, STEADY_FILE, detector_roles

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def beep(tmp_path_factory):
    return flash_and_beep(tmp_path_factory.mktemp("beep") / "beep.mp4")


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_audio_packets_pass_untouched_and_in_sync(beep, moods, tmp_path, ending):
    out = tmp_path / f"out.{ending}"
    report = anonymise_live(beep, out, LiveOptions(detector_roles(moods), STEADY), data=tmp_path)
    assert report.counters.frames == report.counters.shown == 50
    assert report.counters.dropped == 0
    payloads, times = read_audio_packets(out)
    if ending != "ts":  # there each packet is given a header
        assert payloads == read_audio_packets(beep)[0]
    assert times == pytest.approx(read_audio_packets(beep)[1], abs=0.002)
    assert_in_sync(out)
    assert len(decode_brightness(out)) == 50


def test_the_record_says_what_was_shown_and_renders_the_same_cover(beep, moods, tmp_path):
    def let_go(counters):
        if counters.covered:
            (moods / "moody").write_text("")

    # Until a frame was covered, and not for some time: what is slow enough for that depends on the machine.
    (moods / "moody").write_text("wait")
    out = tmp_path / "out.mp4"
    options = LiveOptions(detector_roles(moods), STEADY)
    report = anonymise_live(beep, out, options, hooks=LiveHooks(counter_observer=let_go), data=tmp_path)
    record = read_record(Path(report.record))
    assert len(record.frames) == report.counters.shown
    assert len(record.covered) == sum(report.counters.covered.values()) > 0
    assert record.detection.mode == "live"
    brightness = [mean for mean, _ in decode_brightness(out)]
    assert all(brightness[index] < 20 for index in record.covered)
    kinds = {type(line) for line in read_log_lines(tmp_path / "out.mp4.detections.jsonl")}
    assert {Start, Shown, Looked} <= kinds
    render(beep, record, tmp_path / "again.mp4", RenderOptions())
    again = [mean for mean, _ in decode_brightness(tmp_path / "again.mp4")]
    assert {index for index, mean in enumerate(again) if mean < 20} == set(record.covered)


def test_a_log_that_a_crash_cut_short_still_makes_a_record(beep, moods, tmp_path):
    anonymise_live(beep, tmp_path / "out.mkv", LiveOptions(detector_roles(moods), STEADY), data=tmp_path)
    log = tmp_path / "out.mkv.detections.jsonl"
    whole = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(whole[:40]) + whole[40][:-9])
    record = recover_record(log, tmp_path / "recovered.json")
    shown = sum(b'"kind":"shown"' in line for line in whole[:40])
    assert len(record.frames) == shown
    assert read_record(tmp_path / "recovered.json") == record


def test_udp_to_udp_reconnects_and_keeps_covering(beep, moods, tmp_path, stop):
    """The sender dies and another comes: what is new is covered first, and one clock goes through."""
    port, judged, again = free_port(), threading.Event(), threading.Event()
    before = []

    def note_counters(counters):
        if counters.judged > 20:
            judged.set()
        if counters.covered.get("source"):
            (moods / "moody").write_text("")
        if counters.reconnects:
            before.append(counters.judged)
        if before and counters.judged > before[0] + 60:
            again.set()

    with Heard(tmp_path / "heard.ts") as heard, ThreadPoolExecutor(1) as pool:
        with sent(beep, port):
            options = LiveOptions(detector_roles(moods), STEADY, reconnect_timeout_s=30.0)
            ends = f"udp://127.0.0.1:{port}", heard.address
            run = pool.submit(
                anonymise_live,
                *ends,
                options,
                hooks=LiveHooks(stop=stop, counter_observer=note_counters),
                data=tmp_path,
            )
            while not judged.wait(0.1):
                assert not run.done() or run.result()
        # Until a frame was covered after the change of source.
        (moods / "moody").write_text("wait")
        with sent(beep, port):
            while not again.wait(0.1):
                assert not run.done() or run.result()
            stop.set()
            report = run.result(60)
    counters = report.counters
    assert counters.reconnects >= 1
    assert counters.covered["source"] >= 1
    assert counters.frames == counters.shown + counters.dropped
    record = read_record(Path(report.record))
    assert len(record.frames) == counters.shown
    received = [
        line for line in read_log_lines(Path(report.record).with_suffix(".jsonl")) if isinstance(line, Received)
    ]
    assert record.source.sha256 == received[-1].sha256
    times = [time for _, time in decode_brightness(heard.path)]
    assert len(times) > 40
    assert times == sorted(set(times))
    assert_in_sync(heard.path)


def test_a_detector_that_dies_is_counted_and_logged(beep, moods, tmp_path):
    (moods / "moody").write_text("crash")
    report = anonymise_live(beep, tmp_path / "out.mkv", LiveOptions(detector_roles(moods), STEADY), data=tmp_path)
    assert report.counters.judged == 0
    assert report.counters.restarts["moody"] >= 1
    events = [line.what for line in read_log_lines(tmp_path / "out.mkv.detections.jsonl") if isinstance(line, Happened)]
    assert any("SIGSEGV" in what for what in events)
    assert max(mean for mean, _ in decode_brightness(tmp_path / "out.mkv")) < 20


@pytest.mark.parametrize(
    ("ends", "error", "words"),
    [
        (("nowhere.mp4", "out.mp4"), SourceError, "nowhere.mp4 cannot be opened"),
        (("gopher://x/y", "out.mp4"), SourceError, "sources are files"),
        (("SOUND", "out.mp4"), SourceError, "no video"),
        (("BEEP", "sftp://x/y"), TargetError, "outputs are files"),
        (("BEEP", "no/such/folder/out.mp4"), TargetError, "cannot be written"),
        (("BEEP", "out.webm"), TargetError, "out.webm"),
        (("rtsp://anna:secret@127.0.0.1:9/x?token=1", "out.mp4"), SourceError, "rtsp://127.0.0.1:9/x cannot"),
    ],
)
def test_wrong_sources_and_targets_are_reported_without_secrets(beep, moods, ends, error, words):
    source = {"BEEP": str(beep), "SOUND": str(clips.sound_only(moods / "s.m4a"))}.get(ends[0], ends[0])
    target = ends[1] if "://" in ends[1] else str(moods / ends[1])
    with pytest.raises(error, match=re.escape(words)) as caught:
        anonymise_live(source, target, LiveOptions(detector_roles(moods), STEADY), record=moods / "r.json", data=moods)
    assert "secret" not in str(caught.value)
    assert not Path(target).exists()


def test_addresses_are_stripped_of_secrets():
    assert strip_credentials("rtmp://anna:pw@host:1935/live/key?token=9") == "rtmp://host:1935/live/key"
    assert strip_credentials("/videos/a@b.mp4") == "/videos/a@b.mp4"


def test_cover_all_from_another_thread_turns_the_picture_black(beep, moods, tmp_path):
    controls = LiveControls()

    def note_counters(counters):
        if counters.judged:
            controls.cover_all(on=True)

    report = anonymise_live(
        beep,
        tmp_path / "o.mkv",
        LiveOptions(detector_roles(moods), STEADY_FILE),
        hooks=LiveHooks(controls, counter_observer=note_counters),
        data=tmp_path,
    )
    assert report.counters.covered["asked"] > 5
    assert decode_brightness(tmp_path / "o.mkv")[-1][0] < 20


# with the real detectors

SCENE_FRAMES = 60


@pytest.fixture(scope="module")
def scene(carphone, tmp_path_factory):
    return two_faces(tmp_path_factory.mktemp("scene") / "scene.mp4", carphone, SCENE_FRAMES / 25)


def test_two_faces_are_hidden_as_the_batch_engine_would(scene, own_data, tmp_path):
    """A machine under load covers more frames; those that are judged hide both faces."""
    options = LiveOptions(judging=JudgingSettings(deadline=PATIENCE_S, age=3.0, hang=PATIENCE_S, load=PATIENCE_S))
    report = anonymise_live(scene, tmp_path / "out.mp4", options, data=own_data)
    record = read_record(Path(report.record))
    open_frames = [frame for frame in record.frames if frame.index not in set(record.covered)]
    assert len(open_frames) > SCENE_FRAMES * 0.3
    man, astronaut = (640, 0), (1280, 640)
    for frame in open_frames:
        middles = [face.box.centre[0] for face in frame.faces]
        assert any(astronaut[1] <= middle < astronaut[0] for middle in middles), frame.index
        assert any(man[1] <= middle < man[0] for middle in middles), frame.index
    seen_by = {seen.detector for frame in record.frames for face in frame.faces for seen in face.evidence}
    assert seen_by == {"mediapipe", "yolov8-face"}
    assert {facts.name for facts in record.detection.detectors} == seen_by


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare")
def test_the_command_line_runs_without_any_network(scene, own_data, tmp_path):
    command = ["unshare", "-n", sys.executable, "-m", "engine.cli", "live", scene, tmp_path / "out.mkv", "--json"]
    command += ["--data", own_data, "--set", "judging.age=3.0", "--control", tmp_path / "control"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counters = json.loads(done.stdout)["counters"]
    assert counters["shown"] == counters["frames"] == SCENE_FRAMES
    assert len(decode_brightness(tmp_path / "out.mkv")) == SCENE_FRAMES
    assert not (tmp_path / "control").exists()


def test_a_wrong_control_is_refused(tmp_path):
    with pytest.raises(InputError, match="strength"):
        LiveControls().change(strength="much")
