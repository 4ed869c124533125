"""A crash in native code ends in a sentence, in every verb that reads footage."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.cli.verbs import VERBS
from engine.core.step_limit import EXIT_STUCK

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
_CRASHING_VERB = """
import os, signal, sys, importlib
from pathlib import Path
from engine.cli import main
from engine.cli.verbs import VERBS
from engine.storage.files import make_scratch_folder
commands = importlib.import_module("engine.cli." + VERBS[sys.argv[1]].module).COMMANDS
def crash(options, terminal):
    with make_scratch_folder(Path("out.mp4")) as folder:
        (folder / "unmasked.mp4").write_bytes(b"x")
        if int(os.environ["CRASH"]) < 0:
            os._exit(-int(os.environ["CRASH"]))
        os.kill(os.getpid(), int(os.environ["CRASH"]))
        Path("started").touch()
        import time
        time.sleep(60)
commands[sys.argv[1]] = commands[sys.argv[1]]._replace(run=crash)
sys.exit(main())
"""
WORDS = {
    "probe": ["in.mp4"],
    "detect": ["in.mp4", "-o", "out.mp4"],
    "render": ["in.mp4", "r.json", "-o", "out.mp4"],
    "verify": ["in.mp4", "r.json", "out.mp4"],
    "anonymise": ["in.mp4", "-o", "out.mp4"],
    "live": ["in.mp4", "out.mp4"],
    "run": ["in.mp4"],
    "leaks": ["in.mp4", "r.json", "out.mp4"],
    "compare": ["in.mp4", "out.mp4", "-o", "clip.mp4"],
}


def start(folder, script, *words, crash=signal.SIGSEGV):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CRASH": str(int(crash)), "VEIL_DATA": str(folder / "data")}
    return subprocess.Popen(
        [sys.executable, "-c", script, *words], cwd=folder, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("verb", ["render", "live"])
def test_a_crash_is_a_sentence_and_leaves_nothing(tmp_path, verb):
    process = start(tmp_path, _CRASHING_VERB, verb, *WORDS[verb], "--json")
    said, complained = process.communicate(timeout=60)
    assert process.returncode == 1
    assert complained.count("\n") == 1
    assert complained.startswith("veil: in.mp4 cannot be read: it ends the program that reads it (signal SIGSEGV).")
    assert json.loads(said)["kind"] == "Crash"
    assert list(tmp_path.rglob(".veil-*")) == []


def test_the_verbs_that_read_footage_are_guarded():
    import importlib

    for verb in WORDS:
        assert importlib.import_module(f"engine.cli.{VERBS[verb].module}").COMMANDS[verb].reads_media, verb


def test_a_verb_that_hangs_says_so(tmp_path):
    process = start(tmp_path, _CRASHING_VERB, "probe", "in.mp4", crash=-EXIT_STUCK)
    complaint = process.communicate(timeout=60)[1]
    assert complaint.startswith(
        "veil: in.mp4 cannot be read: one step of decoding it had not come to an end after 60 s."
    )
    assert process.returncode == 1


def test_a_verb_whose_memory_is_taken_away_says_so(tmp_path):
    process = start(tmp_path, _CRASHING_VERB, "probe", "in.mp4", crash=signal.SIGKILL)
    assert "If its memory ran out" in process.communicate(timeout=60)[1]
    assert process.returncode == 1


def test_a_signal_reaches_the_work_and_a_kill_ends_it(tmp_path):
    for number, code in ((signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)):
        (tmp_path / "started").unlink(missing_ok=True)
        process = start(tmp_path, _CRASHING_VERB, "probe", "in.mp4", crash=0)
        while not (tmp_path / "started").exists():
            time.sleep(0.02)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.send_signal(number)
        process.communicate(timeout=60)
        assert process.returncode == code
        while any(Path(f"/proc/{child}").exists() for child in children):
            time.sleep(0.02)
