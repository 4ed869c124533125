"""What a render and its check cost beside FFmpeg: `python -m tests.benchmarks.render_cost [--sides 250,800]`.

A clip of 10 s at 1080p25 is made by code: a photograph that the camera pans over, with grain. FFmpeg encodes it once
more with the very encoder settings of a render; `veil render` and `veil verify` run beside it on a record with one
moving face. All run as commands, turn by turn, so that a busy machine slows them alike. The table has the median of the
wall time and of the processor time (all threads and child processes), and the ratio of each to FFmpeg's.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import skimage.data

from engine.core.geometry import Size
from engine.media.ffmpeg import build_ffmpeg_command
from engine.media.output.encoder import EncoderSettings, plan_ffmpeg_args
from engine.media.output.raw_video import open_picture_writer
from engine.media.pixels import planar_format_from_name
from tests.record_makers import record_of, written

SIZE = Size(1920, 1080)
FRAMES = 250
KEYFRAME_EVERY = 25


class Spent(NamedTuple):
    """Seconds that a command took."""

    wall: float
    processor: float


def make_clip(path: Path) -> Path:
    """A pan over a photograph with grain, encoded as a camera would: a keyframe each second, about 15 Mbit/s."""
    photograph = cv2.resize(skimage.data.astronaut(), (3 * SIZE.width // 2, 3 * SIZE.width // 2))
    grain = np.random.default_rng(0).normal(0, 4, (SIZE.height + 64, SIZE.width + 64, 1)).astype(np.float32)
    drawn = path.with_name("drawn.mp4")
    with open_picture_writer(drawn, SIZE, crf=10) as writer:
        for index in range(FRAMES):
            left, top = index * 3, index * 2
            picture = photograph[top : top + SIZE.height, left : left + SIZE.width].astype(np.float32)
            down, across = (index * 37) % 64, (index * 23) % 64
            picture += grain[down : down + SIZE.height, across : across + SIZE.width]
            writer.write(picture.clip(0, 255).astype(np.uint8))
    coding = [
        "-c:v",
        "libx264",
        "-preset",
        "medium",
        "-crf",
        "21",
        "-g",
        str(KEYFRAME_EVERY),
        "-sc_threshold",
        "0",
        "-an",
    ]
    subprocess.run(build_ffmpeg_command(["-i", drawn, *coding, "-y", path]), check=True)
    drawn.unlink()
    return path


def face_of(side: int, share: float) -> Callable[[int], list[tuple[int, int, int, int]]]:
    """A face of that side that moves; it shows in the first groups of pictures, in this share of all."""

    def boxes(index: int) -> list[tuple[int, int, int, int]]:
        if not side or index >= FRAMES * share:
            return []
        left, top = 300 + 2 * index % 400, 40 + index % 100
        return [(left, top, left + side * 3 // 4, top + side)]

    return boxes


def run(command: Sequence[str | Path]) -> Spent:
    """Run a command to its end."""
    started = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed")
    return Spent(wall, usage.ru_utime + usage.ru_stime)


def measure(clip: Path, side: int, share: float, rounds: int, options: Sequence[str]) -> None:
    """Print the row of one size of face."""
    folder = clip.parent
    made = record_of(clip, face_of(side, share))
    record, output = written(made, folder / "record.json"), folder / "out.mp4"
    pixels = planar_format_from_name("yuv420p", full=False)
    arguments = plan_ffmpeg_args(EncoderSettings(), made.source.video, pixels)
    veil = [sys.executable, "-m", "engine"]
    commands = {
        "FFmpeg": build_ffmpeg_command(["-i", clip, *arguments, "-an", "-y", folder / "floor.mp4"]),
        "render": [*veil, "render", clip, record, "-o", output, "--overwrite", *options],
        "verify": [*veil, "verify", clip, record, output],
    }
    spent: dict[str, list[Spent]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            spent[name].append(run(command))
    floor = [statistics.median(column) for column in zip(*spent["FFmpeg"], strict=True)]
    for name, taken in spent.items():
        wall, processor = (statistics.median(column) for column in zip(*taken, strict=True))
        sys.stdout.write(
            f"{side:>5} px in {share:4.0%}  {name:<8} {wall:7.2f} s {wall / floor[0]:6.2f}   "
            f"{processor:7.2f} s processor {processor / floor[1]:6.2f}\n"
        )
        sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sides", default="0,250,800", help="sides of the face in pixels")
    parser.add_argument("--share", type=float, default=1.0, help="share of the clip in which the face shows")
    parser.add_argument("--clip", type=Path, help="use this clip, or make it here, instead of in a temporary folder")
    parser.add_argument("--options", default="", help="options of veil render, separated by spaces")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        clip = options.clip or Path(folder) / "clip.mp4"
        if not clip.exists():
            make_clip(clip)
        for side in map(int, options.sides.split(",")):
            measure(clip, side, options.share, options.rounds, options.options.split())


if __name__ == "__main__":
    main(sys.argv[1:])
