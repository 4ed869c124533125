"""Run a tool on the clips, and measure what it takes."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from engine.core.progress import ProgressListener
from engine.errors import InputError
from engine.evaluation.benchmark.scores import ToolCost
from engine.evaluation.dataset import detect_dataset
from engine.evaluation.ground_truth import Truth
from engine.record import DetectOptions, Record


def detect_clips(
    truth: Truth, table_path: Path, options: DetectOptions, data: Path | None, listener: ProgressListener
) -> tuple[dict[str, Record], dict[str, ToolCost]]:
    """Detect the faces of the clips; return the records by clip, and the cost by resolution.

    Loading the models is a part of the cost, once for each resolution.

    Raises:
        VeilError: As `detect_dataset`.
    """
    records: dict[str, Record] = {}
    cost: dict[str, ToolCost] = {}
    for resolution, part in _split_by_resolution(truth).items():
        with _measure_cost(part, resolution, cost):
            records |= detect_dataset(part, table_path, options, data=data, listener=listener)
    return records, cost


def run_command(
    truth: Truth, folder: Path, command: str, target_folder: Path, listener: ProgressListener
) -> dict[str, ToolCost]:
    """Run a command for each clip, which writes a masked copy; return the cost by resolution.

    Args:
        truth: The truth of the benchmark.
        folder: Its folder.
        command: The command with `{input}` and `{output}` for the files, without a shell.
        target_folder: Folder of the copies, which get the names of the clips.
        listener: Receives the progress.

    Raises:
        InputError: The command has no such places, does not run, fails, or writes no file.
    """
    words = shlex.split(command)
    for place in ("{input}", "{output}"):
        if not any(place in word for word in words):
            raise InputError(f"The command {command!r} has no {place}; write it where the file goes.")
    cost: dict[str, ToolCost] = {}
    done = 0
    for resolution, part in _split_by_resolution(truth).items():
        with _measure_cost(part, resolution, cost):
            for clip in part.clips:
                listener.progress("run", done, len(truth.clips))
                _run_on_clip(words, folder / clip.name, target_folder / clip.name)
                done += 1
    return cost


def _run_on_clip(words: list[str], source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [word.replace("{input}", str(source)).replace("{output}", str(target)) for word in words]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    except OSError as error:
        raise InputError(f"{words[0]} cannot be run: {error.strerror}. Check the command.") from error
    if done.returncode != 0 or not target.exists():
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise InputError(f"{words[0]} wrote no masked copy of {source} (exit {done.returncode}): {last}")


def _split_by_resolution(truth: Truth) -> Mapping[str, Truth]:
    names = dict.fromkeys(clip.name.partition("/")[0] for clip in truth.clips)
    return {
        name: msgspec.structs.replace(
            truth, clips=tuple(clip for clip in truth.clips if clip.name.partition("/")[0] == name)
        )
        for name in names
    }


@contextmanager
def _measure_cost(truth: Truth, resolution: str, cost: dict[str, ToolCost]) -> Iterator[None]:
    """Measure the block: time on the wall, and time of all processors, that of finished child processes included."""
    started, busy = time.perf_counter(), _read_processor_time()
    yield
    frames = sum(len(clip.frames) for clip in truth.clips)
    wall, processor = time.perf_counter() - started, _read_processor_time() - busy
    cost[resolution] = ToolCost(frames, round(wall, 2), round(processor, 2))


def _read_processor_time() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


FindFiles = Callable[[str], tuple[Path, Path]]


def find_masked_copies(folder: Path, masked_folder: Path) -> FindFiles:
    """Return a function from the name of a clip to the clip and its masked copy.

    Raises:
        InputError: By the function: there is no copy, or several.
    """

    def find(name: str) -> tuple[Path, Path]:
        # Tools choose their own file endings; the name before it is the clip's.
        wanted = masked_folder / name
        copies = sorted(wanted.parent.glob(f"{wanted.stem}.*"))
        if len(copies) != 1:
            raise InputError(
                f"{wanted.parent} has {len(copies)} files named {wanted.stem}.*; put one masked copy of {name} there."
            )
        return folder / name, copies[0]

    return find
