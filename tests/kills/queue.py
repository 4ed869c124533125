"""The workbench with a running queue, to be killed: server, worker, run and detectors, each alone or all at once."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from engine import access, audit, runs
from engine.access.run_context import RunContext
from engine.errors import VeilError
from engine.jobs.queue import resume_run
from engine.storage.data_folder import DataFolder
from tests import clips
from tests.kills import kill, places
from tests.kills.processes import find_processes, kill_processes

_LIMIT_S = 240
_SUBMIT = """
import sys
from pathlib import Path
from engine import access
from engine.jobs.queue import submit_run
from engine.record import DetectOptions
from engine.storage.data_folder import DataFolder
data = DataFolder(Path("data").absolute())
for name in ("one", "two"):
    options = DetectOptions(detectors=("yolov8-face",), workers=1)
    submit_run(data, access.get_single_user(data), Path("data/footage", name + ".mp4").absolute(), options)
"""
_VICTIMS: dict[str, tuple[str, ...]] = {
    "server": ("streamlit",),
    "worker": ("worker_main",),
    "detector": ("worker_process", "resource_tracker"),
    "server and worker": ("streamlit", "worker_main"),
    "everything": (),
}


def kill_server(work: Path, kills: int, chance: random.Random) -> kill.Tally:
    """Kill what belongs to a workbench with two queued runs; after its next start both come to their end."""
    tally = kill.Tally()
    original = work / "original"
    original.mkdir(parents=True)
    places.make_place(original, kill.MODELS)
    for name in ("one", "two"):
        clips.video(original / "data" / "footage" / f"{name}.mp4", size=(640, 480), frames=60)
    expected: dict[str, bytes] = {}
    for number in range(kills + 1):
        place = work / f"{number:04}"
        shutil.copytree(original, place, symlinks=True)
        # The first one is undisturbed: its records are those that all others must give.
        victim = chance.choice(sorted(_VICTIMS)) if number else None
        try:
            _disturb(place, victim, chance, tally)
            records = _finish(place)
            expected = expected or records
            assert records == expected, "a record differs from that of an undisturbed run"
            kill.check_nothing_is_left(place)
        except (AssertionError, VeilError, OSError, subprocess.SubprocessError) as error:
            tally.problems.append(f"{victim}: {type(error).__name__}: {error}")
        finally:
            kill_processes(place)
        shutil.rmtree(place, ignore_errors=True)
    return tally


def _disturb(place: Path, victim: str | None, chance: random.Random, tally: kill.Tally) -> None:
    """Start the server and the queue, let an upload be under way, and kill the victim."""
    server = _start_server(place)
    left = place / "data" / "footage" / places.LEFT_BEHIND
    left.mkdir()
    (left / "patient.mp4").write_bytes(b"unmasked")
    subprocess.run([sys.executable, "-c", _SUBMIT], cwd=place, env=kill.make_environment(place), check=True)
    if victim:
        time.sleep(chance.uniform(0.0, 12.0))
        tally.attempts += 1
        tally.hits += bool(kill_processes(place, *_VICTIMS[victim]))
    if victim in {None, "worker", "detector"}:
        _wait_for_runs(place)
    server.kill()
    server.wait()


def _finish(place: Path) -> dict[str, bytes]:
    """Start the workbench again, and resume what it shows as interrupted; return the records by name of the source."""
    server = _start_server(place)
    try:
        _wait_for_runs(place)
        data = DataFolder(place / "data")
        for run in _list_runs(place):
            if run.status != "done":
                assert run.status in {"interrupted", "failed"}, f"the run is {run.status}"
                resume_run(RunContext(data, run, access.get_single_user(data)))
        _wait_for_runs(place)
    finally:
        server.kill()
        server.wait()
    assert {run.status for run in _list_runs(place)} == {"done"}, [run.state for run in _list_runs(place)]
    places.check_runs(place)
    report = audit.verify(data.audit)
    assert report.passed, report.findings
    return {run.source.name: run.folder.record.read_bytes() for run in _list_runs(place)}


def _list_runs(place: Path) -> list[runs.Run]:
    return [run for run in runs.read_register(DataFolder(place / "data")).runs if run.source.name != places.SOURCE]


def _wait_for_runs(place: Path) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while any(run.status in {"queued", "running"} for run in _list_runs(place)):
        alive = find_processes(place)
        assert time.monotonic() < deadline, f"runs wait for ever; alive: {alive}"
        time.sleep(0.2)


def _start_server(place: Path) -> subprocess.Popen[bytes]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", "workbench", "--port", str(port), "--data", "data"],
        cwd=place, env=kill.make_environment(place), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + _LIMIT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5):
            return process
        time.sleep(0.1)
    raise AssertionError("the server does not answer")
