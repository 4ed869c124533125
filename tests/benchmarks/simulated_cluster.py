"""How well a pass divides among the slots of a cluster: `python -m tests.benchmarks.simulated_cluster`.

Every slot is a thread of a real Dask worker with a real detector process, whose detector sleeps as long as a real one
computes: so a machine with two cores simulates a cluster of 32 slots. The clip is tiny, so that everything else costs
next to nothing. The ideal is the time of all looks divided by the number of slots; the efficiency is ideal / time.

    --slots 1,2,4,8,16,32      how many slots
    --look-s 0.6               seconds that a look takes
    --minutes-per-slot 1.875   length of the clip for each slot; an hour for 32 slots
    --minutes 60               length of the clip, whatever the number of slots
    --speed 4                  everything that many times as fast, while the clip stays as long as it says
    --guide on-prem            an hour of 4K by the costs of docs/guides/scaling.md, on as many workers as it names,
                               beside its times; all: every mode that a cluster detects for
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from distributed import Client, LocalCluster

import engine
from engine.cluster import range_task
from engine.cluster.runner import ClusterRunner
from engine.core.frame_ranges import expand_ranges
from engine.detection.options import plan_detectors
from engine.record import DetectOptions, ScheduleSettings
from tests import clips
from tests.engine.cluster import sleeping_detector
from tests.engine.cluster.scaling_guide import add_calls, read_costs, read_times

RATE = 5
"""Frames a second: each is a look, so that what is not simulated costs least."""
KEY_FRAMES = 10
"""A keyframe every 2 s, as cameras and editors write."""
LEAST_LOOK_S = 0.1
GUIDE_MINUTES = 1.5
"""Minutes of video for each worker where the guide is checked, up to the hour."""
TOLERANCE = 0.15
THREADS = 8
"""Threads of a worker process: fewer processes than slots, as each takes seconds to start."""


def make_clip(path: Path, minutes: float) -> Path:
    """Make a clip of a picture that hardly moves, so that looks come from the schedule alone."""
    frames = round(minutes * 60 * RATE)
    clips.ffmpeg(
        "-f", "lavfi", "-i", f"color=gray:size=64x36:rate={RATE}", "-frames:v", str(frames), "-c:v", "libx264",
        "-preset", "ultrafast", "-g", str(KEY_FRAMES), "-threads", "1", path,
    )  # fmt: skip
    return path


def measure(slots: int, minutes: float, look_s: float, folder: Path) -> tuple[float, float, int]:
    """Return the time of a pass in seconds, its ideal, and the number of looks."""
    options = DetectOptions(
        detectors=(sleeping_detector.NAME,),
        schedule=ScheduleSettings(interval_s=0.2, change=0.0),
        parameters={sleeping_detector.NAME: {"seconds": look_s}},
    )
    clip = make_clip(folder / "clip.mp4", minutes)
    models = folder / "models"
    models.mkdir(exist_ok=True)
    processes = -(-slots // THREADS)
    with (
        LocalCluster(
            n_workers=processes, threads_per_worker=slots // processes, host="127.0.0.1", memory_limit=0,
            dashboard_address="127.0.0.1:0", worker_dashboard_address="127.0.0.1:0", silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):  # fmt: skip
        ready = [client.submit(hold_slot, options, models, pure=False) for _ in range(slots)]
        client.gather(ready)
        began = time.monotonic()
        record = engine.detect(clip, None, options, data=folder, runner=ClusterRunner(client))
        taken = time.monotonic() - began
    asked = record.detection.asked.get(sleeping_detector.NAME, ((0, len(record.frames)),))
    looks = len(expand_ranges(asked))
    return taken, looks * look_s / slots, looks


def hold_slot(options: DetectOptions, models: Path) -> None:
    """Load the detector of a slot, and keep the slot for a moment, so that each slot gets one of these tasks."""
    with range_task._find_detectors(models).borrow(plan_detectors(options), 1) as ensemble:
        while not all(pool.is_ready() for pool in ensemble._pools):
            time.sleep(0.1)
        time.sleep(5)


def compare_with_guide(wanted: str) -> int:
    """Print the guide's minutes for an hour of 4K beside the simulated ones; return 1 if they differ too much."""
    costs, failed = read_costs(), False
    sys.stdout.write("mode                  workers  guide (min)  simulated (min)  difference\n")
    modes = [mode for mode in read_times() if mode.on_cluster and (wanted == "all" or wanted in mode.title)]
    for mode in modes:
        look_s = costs[mode.step] / RATE
        for workers, stated in mode.minutes.items():
            # Looks of less than a tenth of a second would measure this machine, and more minutes would take hours.
            minutes = min(60.0, GUIDE_MINUTES * workers)
            speed = max(1.0, look_s / LEAST_LOOK_S)
            with tempfile.TemporaryDirectory() as folder:
                taken, _, _ = measure(workers, minutes, look_s / speed, Path(folder))
            simulated = add_calls(mode, taken * speed * 60 / minutes) / 60
            difference = stated / simulated - 1
            failed |= abs(difference) > TOLERANCE
            sys.stdout.write(
                f"{mode.title:<20}  {workers:>7}  {stated:>11.1f}  {simulated:>15.1f}  {difference:>+10.1%}\n"
            )
            sys.stdout.flush()
    return int(failed)


def main() -> None:
    """Print a line for each number of slots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", default="1,2,4,8,16,32")
    parser.add_argument("--look-s", type=float, default=0.6)
    parser.add_argument("--minutes-per-slot", type=float, default=60 / 32)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--guide", metavar="MODE")
    options = parser.parse_args()
    if options.guide:
        sys.exit(compare_with_guide(options.guide))
    sys.stdout.write("slots  minutes of video    looks  time (s)  ideal (s)  efficiency\n")
    for slots in map(int, options.slots.split(",")):
        minutes = options.minutes or options.minutes_per_slot * slots
        with tempfile.TemporaryDirectory() as folder:
            taken, ideal, looks = measure(slots, minutes, options.look_s / options.speed, Path(folder))
        taken, ideal = taken * options.speed, ideal * options.speed
        sys.stdout.write(
            f"{slots:>5}  {minutes:>16.1f}  {looks:>7}  {taken:>8.1f}  {ideal:>9.1f}  {ideal / taken:>10.3f}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
