"""Memory of a long video: `python -m tests.benchmarks.long_video [--minutes 3,180] [--steps detect,render,verify]`.

Prints the peak memory of each step for a short video and a long one, each step in a process of its own. A stand-in
answers for the detectors, at once and in order; everything else is the product. The picture is tiny.

    --faces 1        faces in every frame that is looked at
    --every 1        every how many frames are looked at; the faces are carried into the others
"""

from __future__ import annotations

import argparse
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import engine
from engine.core.geometry import Box
from engine.detection.batches import BATCH_FRAMES
from engine.detection.frame_detections import FrameDetections
from engine.detection.pass_spec import PassSpec
from engine.detection.passes import PassProgress
from engine.detection.range_detection import AnsweredBatch
from engine.record import Detection, DetectOptions, ScheduleSettings
from engine.timeline.carried import CarriedPath
from tests import clips
from tests.engine.cluster import sleeping_detector

RATE = 25
SIZE = 160, 90


class StandIn:
    """Answers every batch of a pass without looking at a picture; faces move about, each in a place of its own."""

    def __init__(self, faces: int, every: int) -> None:
        self._faces, self._every = faces, every

    def run(self, spec: PassSpec, models: Path, progress: PassProgress) -> Iterator[AnsweredBatch]:
        """Yield the answers of the pass."""
        del models
        video = spec.info.video
        tick = (video.last_pts - video.first_pts) // max(1, video.packets - 1)
        for first in range(progress.first, video.packets, BATCH_FRAMES):
            frames = range(first, min(first + BATCH_FRAMES, video.packets))
            yield AnsweredBatch(
                first // BATCH_FRAMES, tuple(self._answer(index, video.first_pts + index * tick) for index in frames)
            )

    def _answer(self, index: int, pts: int) -> FrameDetections:
        change = index * 7919 % 100 / 10_000
        if index % self._every:
            return FrameDetections(pts, False, change, {})
        boxes = [self._place(index, face) for face in range(self._faces)]
        found = {sleeping_detector.NAME: tuple(Detection(sleeping_detector.NAME, box, 0.9) for box in boxes)}
        paths = tuple(
            CarriedPath(look, self._place(look, face), step, boxes)
            for face in range(self._faces)
            for look, step in ((index - self._every, 1), (index, -1))
            if look >= 0 and (boxes := self._walk(look, face, step))
        )
        return FrameDetections(pts, False, change, found, carried=paths)

    def _walk(self, look: int, face: int, step: int) -> tuple[Box, ...]:
        frames = range(look + step, look + step * self._every, step)
        return tuple(self._place(frame, face) for frame in frames if frame >= 0)

    def _place(self, index: int, face: int) -> Box:
        left, top = 10 + 7 * math.cos(index / 37) + 30 * face, 35 + 30 * math.sin(index / 51)
        return Box(round(left, 2), round(top, 2), round(left + 14.37, 2), round(top + 15.11, 2))


def make_clip(path: Path, minutes: float) -> Path:
    """Make a clip of a picture that hardly changes."""
    clips.ffmpeg(
        "-f", "lavfi", "-i", f"color=gray:size={SIZE[0]}x{SIZE[1]}:rate={RATE}", "-frames:v",
        str(round(minutes * 60 * RATE)), "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-threads", "1", path,
    )  # fmt: skip
    return path


def run_step(step: str, clip: Path, faces: int, every: int) -> None:
    """Run one step, and print its peak memory in MB and its processor seconds."""
    record, out = clip.with_suffix(".json"), clip.with_suffix(".out.mp4")
    options = DetectOptions(
        detectors=(sleeping_detector.NAME,),
        schedule=ScheduleSettings(interval_s=every / RATE, change=0.0) if every > 1 else None,
    )
    match step:
        case "detect":
            engine.detect(clip, record, options, data=clip.parent, runner=StandIn(faces, every))
        case "render":
            engine.render(clip, record, out)
        case "verify":
            assert engine.verify(clip, record, out).passed
        case _:
            raise SystemExit(f"there is no step {step}")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write(f"{usage.ru_maxrss / 1024:.0f} {usage.ru_utime + usage.ru_stime:.0f}\n")


def main() -> None:
    """Print a line for each step and each length."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", default="3,180")
    parser.add_argument("--steps", default="detect,render,verify")
    parser.add_argument("--faces", type=int, default=1)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        run_step(options.one[0], Path(options.one[1]), options.faces, options.every)
        return
    sys.stdout.write("step      minutes  peak (MB)  processor (s)  time (s)\n")
    with tempfile.TemporaryDirectory() as folder:
        for minutes in options.minutes.split(","):
            clip = make_clip(Path(folder) / f"{minutes}.mp4", float(minutes))
            for step in options.steps.split(","):
                began = time.monotonic()
                command = [sys.executable, "-m", "tests.benchmarks.long_video", "--one", step, str(clip)]
                faces = ["--faces", str(options.faces), "--every", str(options.every)]
                done = subprocess.run([*command, *faces], capture_output=True, text=True, check=True)
                peak, spent = done.stdout.split()[-2:]
                sys.stdout.write(f"{step:<8}  {minutes:>7}  {peak:>9}  {spent:>13}  {time.monotonic() - began:>8.0f}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
