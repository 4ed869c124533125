"""Kill a batch again and again, let it end, and look at what is left: `python -m tests.kills.batch_kills`.

By default, 500 short clips of 20 kinds, 5 of them broken, and 3 kills. At the end, every good file must have been done
once, the broken ones must be named, outputs and records must have the bytes of single runs, and nothing may be left.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import engine
from engine.batch.journal import JOURNAL_NAME
from engine.detection.options import detector_ensemble
from engine.record import DetectOptions
from engine.rendering.report import report_path
from engine.rendering.terms import RenderOptions
from engine.storage.data_folder import RECORD_SUFFIX, DataFolder, append_suffix, find_data_folder
from engine.verification.checked_render import render_and_verify
from tests.kills.batch_footage import make_footage

_DETECTOR = "yolov8-face"
_LIMIT_S = 3600
_POLL_S = 0.02


class BatchUnderFire:
    """A batch over made footage in a folder of its own.

    Args:
        work: an empty folder.
        good: number of clips that can be done.
        broken: number of broken files.
        processes: files at the same time.
    """

    def __init__(self, work: Path, good: int, broken: int, processes: int = 2) -> None:
        self._work, self._good, self._processes = work, good, processes
        self.footage, self.outputs = work / "footage", work / "out"
        make_footage(self.footage, good, broken)
        self._data = DataFolder(work / "data")
        self._data.root.mkdir()
        self._data.models.symlink_to(find_data_folder().models)

    def kill_after(self, done: int, delay_s: float) -> int:
        """Start the batch, kill it with SIGKILL some time after `done` files are done, and return how many are.

        Only the process that a person has started is killed; its own processes have to end by themselves.
        """
        process = self._start()
        while self.count_done() < done and process.poll() is None:
            time.sleep(_POLL_S)
        time.sleep(delay_s)
        process.kill()
        process.communicate()
        self._wait_until_alone()
        return self.count_done()

    def finish(self) -> dict[str, object]:
        """Start the batch, let it end, and return its report."""
        process = self._start()
        text, _ = process.communicate(timeout=_LIMIT_S)
        assert process.returncode == 1, f"exit code {process.returncode}: {text[-2000:]}"
        report: dict[str, object] = json.loads((self._work / "report.json").read_bytes())
        return report

    def count_done(self) -> int:
        """The number of files that the journal says are done."""
        return sum(1 for _ in self.read_done())

    def read_done(self) -> Iterator[str]:
        """The outputs that the journal says are done, as often as it says so."""
        path = self.outputs / JOURNAL_NAME
        for line in path.read_bytes().split(b"\n")[:-1] if path.exists() else ():
            entry = json.loads(line)
            if entry["step"] == "done":
                yield entry["output"]

    def check(self, report: dict[str, object]) -> None:
        """Check what the finished batch has left; its files must be as its report says."""
        files = {Path(file["source"]): file for file in report["files"]}
        statuses = Counter(file["status"] for file in files.values())
        assert statuses["done"] + statuses["unchanged"] == self._good, statuses
        for path, file in files.items():
            is_broken = path.name.startswith("broken-")
            assert (file["status"] == "failed") == is_broken, file
            assert not is_broken or path.name in file["error"], file
        repeated = [name for name, count in Counter(self.read_done()).items() if count > 1]
        assert not repeated, f"done more than once: {repeated}"
        assert self.count_done() == self._good
        left = [str(path) for path in self._work.rglob(".veil-*")]
        assert not left, f"left behind: {', '.join(left)}"

    def compare_with_single_runs(self) -> int:
        """Anonymise every source by itself, compare outputs and records byte for byte, and return the number of them.

        The detector is started anew for one clip of each kind, and lent to the others to save time.
        """
        options, single = DetectOptions(detectors=(_DETECTOR,), workers=1), self._work / "single"
        single.mkdir()
        compared, seen = 0, set()
        with detector_ensemble(options, self._data) as shared:
            for name in self.read_done():
                source, batch_output = self.footage / name, self.outputs / name
                # A container that cannot be written becomes Matroska, with `.mkv` behind the name of the source.
                source = source if source.exists() else source.with_suffix("")
                output = single / f"{compared}{batch_output.suffix}"
                record = append_suffix(output, RECORD_SUFFIX)
                lent = shared if source.parent in seen else None
                seen.add(source.parent)
                engine.detect(source, record, options, data=self._data.root, ensemble=lent)
                render_and_verify(source, record, output, RenderOptions())
                for made in (output, record):
                    counterpart = batch_output.with_name(batch_output.name + made.name[len(output.name) :])
                    assert counterpart.read_bytes() == made.read_bytes(), f"{counterpart} differs from a single run"
                assert report_path(batch_output).exists()
                compared += 1
        return compared

    def _start(self) -> subprocess.Popen[str]:
        command = [
            sys.executable, "-m", "engine", "batch", str(self.footage), "-o", str(self.outputs), "--detectors",
            _DETECTOR, "--jobs", str(self._processes), "--data", str(self._data.root), "--report",
            str(self._work / "report.json"),
        ]  # fmt: skip
        environment = os.environ | {
            "TMPDIR": str(self._work / "temporary"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        (self._work / "temporary").mkdir(exist_ok=True)
        return subprocess.Popen(
            command, cwd=self._work, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def _wait_until_alone(self) -> None:
        """Wait until no process works for the killed batch; they are known by their folder for temporary files."""
        deadline = time.monotonic() + 60
        while others := list(self._find_processes()):
            assert time.monotonic() < deadline, f"processes of the killed batch go on: {others}"
            time.sleep(_POLL_S)

    def _find_processes(self) -> Iterator[int]:
        mark = f"TMPDIR={self._work / 'temporary'}".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name)


def kill_and_check(batch: BatchUnderFire, good: int, kills: int, chance: random.Random) -> list[int]:
    """Kill a batch after growing shares of its files, let it end and check it.

    Returns:
        How many files were done at each kill.
    """
    done = [batch.kill_after(good * (number + 1) // (kills + 1), chance.uniform(0.0, 1.0)) for number in range(kills)]
    made = {name: (batch.outputs / name).stat().st_mtime_ns for name in batch.read_done()}
    batch.check(batch.finish())
    for name, before in made.items():
        assert (batch.outputs / name).stat().st_mtime_ns == before, f"{name} was done and was written again"
    return done


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Do what the module's docstring says; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=500)
    parser.add_argument("--broken", type=int, default=5, help="broken files among them")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    _say(f"seed {options.seed}")
    good = options.clips - options.broken
    with tempfile.TemporaryDirectory(prefix="kills-", ignore_cleanup_errors=True) as folder:
        batch = BatchUnderFire(Path(folder), good, options.broken, options.jobs)
        started = time.monotonic()
        try:
            done = kill_and_check(batch, good, options.kills, random.Random(options.seed))
            _say(f"killed when {done} of {good} were done; ended after {time.monotonic() - started:.0f} s")
            _say(f"{batch.compare_with_single_runs()} outputs and records have the bytes of single runs")
        except AssertionError as error:
            _say(f"wrong: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
