"""Kill everything that writes, at random moments, and look at what is left: `python -m tests.kills.kill --kills 200`.

Each attempt starts an action in a fresh copy of a small installation, ends its whole process group with SIGKILL after a
random part of the time that it takes undisturbed, and checks:

- no loss: inputs are as they were, a file under its final name is whole, what was acknowledged is there;
- no false alarm: the log passes its check, the sign-off does not speak of tampering, and the same command succeeds;
- nothing left: after that next start no scratch folder is anywhere, also not in the folder for temporary files.

`--server` kills the workbench as well, which takes some seconds each time. The seed is printed, so that a failure can
be had again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from engine.errors import VeilError
from engine.record import encode_document
from engine.storage.data_folder import find_data_folder
from tests.kills.scenarios import SCENARIOS, Scenario, get_run, make_place, python_command

_LIMIT_S = 600
"""Longest time of an undisturbed action."""
_MODELS = find_data_folder().models


@dataclass
class Tally:
    """What became of the kills of one action: how many hit a living process, and what was wrong, in words."""

    attempts: int = 0
    hits: int = 0
    problems: list[str] = field(default_factory=list)


class Killer:
    """Runs an action once undisturbed, then kills it again and again in fresh copies of one installation.

    Args:
        scenario: the action.
        work: an empty folder.
        chance: the random numbers.
    """

    def __init__(self, scenario: Scenario, work: Path, chance: random.Random) -> None:
        self._scenario, self._work, self._chance = scenario, work, chance
        self._number = 0
        self._original = work / "original"
        self._original.mkdir(parents=True)
        make_place(self._original, _MODELS if scenario.uses_models else None)
        self._call([sys.executable, "-m", "engine", "render", "v.mp4", "v.json", "-o", "out.mp4"], self._original)
        self._inputs = {name: (self._original / name).read_bytes() for name in ("v.mp4", "v.json")}
        clean = self._copy_place()
        start = time.monotonic()
        self._finish(clean)
        self._duration_s = time.monotonic() - start
        self._expected = {name: (clean / name).read_bytes() for name in scenario.outputs}
        self._earlier = {
            name: (self._original / name).read_bytes() for name in scenario.outputs if (self._original / name).exists()
        }
        shutil.rmtree(clean)

    def kill_once(self, tally: Tally) -> None:
        """Make one attempt, and add what came of it to a tally."""
        place = self._copy_place()
        process = self._start(python_command(self._scenario, get_run(place).id), place)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self._chance.uniform(0.0, self._duration_s))
        tally.attempts += 1
        tally.hits += process.poll() is None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        try:
            self._check_files(place, done=False)
            self._scenario.check(place)
            self._finish(place)
            self._check_files(place, done=True)
            self._scenario.check(place)
            left = [str(path.relative_to(place)) for path in place.rglob(".veil-*")]
            assert not left, f"left behind: {', '.join(left)}"
        except (AssertionError, VeilError, OSError, subprocess.SubprocessError) as error:
            tally.problems.append(f"{self._scenario.name}: {type(error).__name__}: {error}")
        else:
            shutil.rmtree(place)

    def _copy_place(self) -> Path:
        self._number += 1
        place = self._work / f"{self._number:04}"
        shutil.copytree(self._original, place, symlinks=True)
        run = get_run(place)
        source = place / "data" / "footage" / "clip.mp4"
        run.folder.request.write_bytes(encode_document(replace(run.request, source=str(source))))
        return place

    def _check_files(self, place: Path, *, done: bool) -> None:
        for name, content in self._inputs.items():
            assert (place / name).read_bytes() == content, f"the input {name} was changed"
        for name, content in self._expected.items():
            if done or (place / name).exists():
                allowed = [content] if done else [content, self._earlier.get(name)]
                assert (place / name).read_bytes() in allowed, f"{name} is not whole"

    def _finish(self, place: Path) -> None:
        """Start the action and let it end; the detectors' leftovers and those of the data folder go at this start."""
        code, text = self._call(python_command(self._scenario, get_run(place).id), place)
        assert code in self._scenario.exit_codes, f"exit code {code}: {text}"
        assert "tampered" not in text, text
        assert "Traceback" not in text, text

    def _call(self, command: Sequence[str], place: Path) -> tuple[int, str]:
        process = self._start(command, place)
        text, _ = process.communicate(timeout=_LIMIT_S)
        return process.returncode, text

    @staticmethod
    def _start(command: Sequence[str], place: Path) -> subprocess.Popen[str]:
        environment = os.environ | {"TMPDIR": str(place / "temporary"), "PYTHONPATH": str(Path(__file__).parents[2])}
        (place / "temporary").mkdir(exist_ok=True)
        return subprocess.Popen(
            command, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip


def kill_server(work: Path, kills: int, chance: random.Random) -> Tally:
    """Kill the workbench while it starts and serves; its next start removes what uploads have left."""
    tally = Tally()
    place = work / "server"
    place.mkdir(parents=True)
    make_place(place, None)
    left = place / "data" / "footage" / ".veil-scratch-killed"
    for _ in range(kills):
        left.mkdir()
        (left / "patient.mp4").write_bytes(b"unmasked")
        tally.attempts += 1
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "engine", "workbench", "--port", str(port), "--data", "data"],
            cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while left.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(chance.uniform(0.0, 3.0))
        tally.hits += process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if left.exists():
            tally.problems.append("server: what a killed upload left was not removed at the start")
            shutil.rmtree(left)
    return tally


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _say_tally(name: str, tally: Tally) -> None:
    _say(f"{name:<14} {tally.hits:>4} of {tally.attempts} killed, {len(tally.problems)} wrong")


def main() -> int:
    """Do what the module's docstring says; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--server", type=int, default=5, help="kills of the workbench among them")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--only", default="", help="names of actions, separated by commas")
    options = parser.parse_args()
    chance, only = random.Random(options.seed), set(filter(None, options.only.split(",")))
    chosen = [scenario for scenario in SCENARIOS if not only or scenario.name in only]
    _say(f"seed {options.seed}")
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kills-", ignore_cleanup_errors=True) as folder:
        shares = Counter(index % len(chosen) for index in range(options.kills - options.server))
        for index, scenario in enumerate(chosen):
            killer, tally = Killer(scenario, Path(folder, str(index)), chance), Tally()
            for _ in range(shares[index]):
                killer.kill_once(tally)
            problems += tally.problems
            _say_tally(scenario.name, tally)
        tally = kill_server(Path(folder), options.server, chance)
        problems += tally.problems
        _say_tally("server", tally)
    _say("\n".join(problems) or "0 losses, 0 false alarms, no file left after the next start")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
