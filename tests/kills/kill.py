"""Kill everything that writes, at random moments, and look at what is left: `python -m tests.kills.kill --kills 200`.

Each attempt starts an action in a fresh copy of a small installation, ends its whole process group with SIGKILL after a
random part of the time that it takes undisturbed, and checks:

- no loss: inputs are as they were, a file under its final name is whole, what was acknowledged is there;
- no false alarm: the log passes its check, the sign-off does not speak of tampering, and the same command succeeds;
- nothing left: after that next start no scratch folder is anywhere, the folder for temporary files is empty, and no
  process lives on.

`--server` of the kills are of the workbench with a running queue (see `tests.kills.queue`), which take some seconds
each. The seed is printed, so that a failure can be had again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from engine.errors import VeilError
from engine.record import encode_document
from engine.storage.data_folder import find_data_folder
from tests.kills.places import get_run, make_place
from tests.kills.processes import find_processes
from tests.kills.scenarios import SCENARIOS, Scenario, python_command

_LIMIT_S = 600
"""Longest time of an undisturbed action."""
MODELS = find_data_folder().models.absolute()


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
        make_place(self._original, MODELS if scenario.uses_models else None)
        render = [sys.executable, "-m", "engine", "render", "v.mp4", "v.json", "-o", "out.mp4"]
        code, text = self._call(render, self._original)
        assert code == 0, text
        scenario.prepare(self._original)
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
        tally.attempts += 1
        tally.hits += self._kill_at_random(process)
        try:
            self._check_files(place, done=False)
            self._scenario.check(place)
            self._finish(place)
            self._check_files(place, done=True)
            self._scenario.check(place)
            check_nothing_is_left(place)
        except (AssertionError, ValueError, VeilError, OSError, subprocess.SubprocessError) as error:
            tally.problems.append(f"{self._scenario.name}: {type(error).__name__}: {error}")
        else:
            shutil.rmtree(place)

    def _kill_at_random(self, process: subprocess.Popen[str]) -> bool:
        """Kill the group of a process within the time that it takes; return whether it was still alive."""
        start = time.monotonic()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(self._join_typed_lines(), self._chance.uniform(0.0, self._duration_s))
        alive = process.poll() is None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if not alive:
            # The first time takes longer than those after it; a later kill would come too late as well.
            self._duration_s = min(self._duration_s, time.monotonic() - start)
        process.communicate()
        return alive

    def _copy_place(self) -> Path:
        self._number += 1
        place = self._work / f"{self._number:04}"
        shutil.copytree(self._original, place, symlinks=True)
        shutil.rmtree(place / "temporary")
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
        text, _ = process.communicate(self._join_typed_lines(), timeout=_LIMIT_S)
        return process.returncode, text

    def _join_typed_lines(self) -> str:
        return "".join(f"{line}\n" for line in self._scenario.typed)

    def _start(self, command: Sequence[str], place: Path) -> subprocess.Popen[str]:
        own = {name: value.format(original=self._original) for name, value in self._scenario.environment}
        return subprocess.Popen(
            command, cwd=place, env=make_environment(place) | own, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip


def make_environment(place: Path) -> dict[str, str]:
    """The variables of every process of an attempt, with a folder for temporary files of its own."""
    (place / "temporary").mkdir(exist_ok=True)
    return os.environ | {"TMPDIR": str(place / "temporary"), "PYTHONPATH": str(Path(__file__).parents[2])}


def check_nothing_is_left(place: Path) -> None:
    """Raise AssertionError for a scratch folder, a temporary file or a process that an attempt has left."""
    deadline = time.monotonic() + 20
    while (alive := find_processes(place)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive, f"still alive: {alive}"
    left = [*place.rglob(".veil-*"), *place.rglob(".building-*"), *(place / "temporary").iterdir()]
    assert not left, f"left behind: {', '.join(str(path.relative_to(place)) for path in left)}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _say_tally(name: str, tally: Tally) -> None:
    _say(f"{name:<16} {tally.hits:>4} of {tally.attempts} killed, {len(tally.problems)} wrong")
    for problem in tally.problems:
        _say(f"    {problem}")


def _kill_all(options: argparse.Namespace, chance: random.Random, folder: Path) -> list[Tally]:
    from tests.kills.queue import kill_server

    only = set(filter(None, options.only.split(",")))
    chosen = [scenario for scenario in SCENARIOS if not only or scenario.name in only]
    tallies: list[Tally] = []
    for index, scenario in enumerate(chosen):
        tally = Tally()
        try:
            killer = Killer(scenario, folder / str(index), chance)
        except AssertionError as error:
            tally.problems.append(f"{scenario.name}, undisturbed: {error}")
            tallies.append(tally)
            _say_tally(scenario.name, tally)
            continue
        share = (options.kills - options.server - sum(made.hits for made in tallies)) / (len(chosen) - index)
        # An attempt that ended before its kill counts for nothing, so another one is made, within reason.
        while tally.hits < share and tally.attempts < 3 * share:
            killer.kill_once(tally)
        tallies.append(tally)
        _say_tally(scenario.name, tally)
    if options.server:
        tallies.append(kill_server(folder / "server", options.server, chance))
        _say_tally("server and queue", tallies[-1])
    return tallies


def main() -> int:
    """Do what the module's docstring says; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--server", type=int, default=20, help="kills of the workbench and its queue among them")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--only", default="", help="names of actions, separated by commas")
    options = parser.parse_args()
    _say(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="kills-", ignore_cleanup_errors=True) as folder:
        tallies = _kill_all(options, random.Random(options.seed), Path(folder))
    problems = [problem for tally in tallies for problem in tally.problems]
    _say(f"{sum(tally.hits for tally in tallies)} kills hit a living process")
    _say("\n".join(problems) or "0 losses, 0 false alarms, no file left after the next start")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
