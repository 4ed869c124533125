"""Data folders in every state that a page has to show, made without running a detector."""

import msgspec
import numpy as np

from engine import runs
from engine.core.geometry import Box, Size
from engine.core.machine import current_process
from engine.detection.frame_detections import FrameDetections
from engine.detection.observer import PreviewFrame
from engine.jobs.thumbnails import write_latest_thumbnail
from engine.record import Detection, DetectOptions
from engine.runs import RunRequest, RunState


def make_run_in_state(
    data, stage, source="/footage/interview with a long name, second session.mp4", mode="on-prem", **state
):
    """A run in a state; a running one is worked on by this process."""
    request = RunRequest(
        source=str(source),
        account="ana",
        name="Ana Bell",
        at="2026-03-02T09:30:00+00:00",
        detection=DetectOptions(mode=mode),
    )
    pid, born = current_process()
    times = {"started": "2026-03-02T09:30:01+00:00", "updated": runs.format_utc_now()}
    if stage == "running":
        state = {"pid": pid, "born": born} | state
    folder = runs.create_run(data, request, RunState(stage=stage, **(times | state)))
    return runs.load_run(data, folder.id)


def make_runs_in_every_state(data):
    """One run in each state, and a folder that is damaged."""
    over = {"ended": "2026-03-02T09:41:07+00:00"}
    running = make_run_in_state(
        data, "running", activity="detect", done=12_340, total=27_000, faces=11_902, rate=18.4, mode="hybrid"
    )
    write_latest_thumbnail(running.folder, PreviewFrame(0, _scene(), Size(960, 540)), [_seen()])
    make_run_in_state(data, "queued", "/footage/ward round.mov")
    make_run_in_state(data, "done", "/footage/exam.mp4", done=4_511, total=4_511, faces=4_498, **over)
    make_run_in_state(
        data, "done", "/footage/hearing.mkv", mode="cloud", done=90_000, total=90_000, faces=270_113, **over
    )
    make_run_in_state(
        data, "failed", "/footage/gone.mp4", sentence="/footage/gone.mp4 is not there; choose a file.", **over
    )
    make_run_in_state(data, "cancelled", "/footage/gait.mp4", done=10, total=900, **over)
    make_run_in_state(data, "running", "/footage/night.mp4", done=400, total=900, pid=1, born=0)
    damaged = make_run_in_state(data, "done", "/footage/old.mp4")
    document = msgspec.json.decode(damaged.folder.state.read_bytes())
    damaged.folder.state.write_bytes(msgspec.json.encode(document | {"schema": "veil/run-state/9"}))
    return running


def _scene():
    """A picture of stripes."""
    across = np.linspace(0, 255, 480, dtype=np.uint8)
    return np.stack([np.tile(across, (270, 1)), np.tile(across[::-1], (270, 1)), np.full((270, 480), 90, np.uint8)], 2)


def _seen():
    return FrameDetections(
        0, damaged=False, change=0.0, by_detector={"mtcnn": (Detection("mtcnn", Box(400, 150, 560, 360), 0.99),)}
    )
