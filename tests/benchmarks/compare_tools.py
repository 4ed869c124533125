"""Veil beside what a user would take: `python -m tests.benchmarks.compare_tools FOLDER [--kinds A,B] [--frames N]`.

The clips of `veil bench make` become one video. Each tool masks it in one run, of which time and coverage are both
taken; then its output is cut into the clips again and scored by its pixels (`veil bench score --videos`). deface gets
an environment of its own in the folder. What is in the folder already is not made again, so that a run that was ended
goes on with the next tool. The last output is a table in Markdown.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import resource
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg

from engine.evaluation.benchmark.make import TRUTH_FILE
from engine.evaluation.ground_truth import Truth, read_truth
from engine.storage.data_folder import find_data_folder

_FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
_ROOT = Path(__file__).parents[2]
_DEFACE = "deface==1.5.0"
_FLOOR = "FFmpeg, decode and encode"


class Run(NamedTuple):
    """What a tool took for the whole video, its start included: seconds of wall time and of processor time."""

    wall_s: float
    processor_s: float


class Tool(NamedTuple):
    """A tool: its name in the table, and the command from input to output."""

    name: str
    build_command: Callable[[Path, Path], list[str | Path]]


def list_tools(work: Path) -> list[Tool]:
    """The tools, the floor first."""
    weights = find_data_folder().models / "yolov8n-face.onnx"

    def script(name: str, *more: Path) -> Callable[[Path, Path], list[str | Path]]:
        return lambda source, target: [sys.executable, "-m", f"tests.benchmarks.tools.{name}", source, target, *more]

    return [
        Tool(_FLOOR, lambda source, target: [_FFMPEG, "-y", "-i", source, "-c:v", "libx264", "-crf", "18", target]),
        Tool("OpenCV script (Haar cascade)", script("opencv_cascade")),
        Tool("Ultralytics predict (YOLOv8n-face)", script("ultralytics_predict", weights)),
        Tool(
            "**Veil, default** (`anonymise`, checked)",
            lambda source, target: [
                sys.executable, "-m", "engine", "anonymise", source, "-o", target, "--data", find_data_folder().root,
                "--allow-none", "--overwrite",
            ],
        ),
        Tool("deface 1.5.0", lambda source, target: [make_deface(work), source, "-o", target]),
        Tool("mtcnn 1.0.0 in a loop", script("stock_mtcnn")),
    ]  # fmt: skip


def make_deface(work: Path) -> Path:
    """Return the command deface, installed into an environment of its own."""
    folder = work / "deface"
    command = folder / "bin" / "deface"
    if not command.exists():
        venv.create(folder, with_pip=True)
        call([folder / "bin" / "pip", "install", "--quiet", _DEFACE])
    return command


def call(command: Sequence[str | Path], **environment: str) -> None:
    """Run a command quietly; its output becomes the error when it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(_ROOT), **environment},
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout[-500:]}\n{done.stderr[-2000:]}")


def make_clips(work: Path, kinds: str, frames: int | None, seed: int) -> Truth:
    """Make the clips, and one video of all of them, packet for packet."""
    clips, joined = work / "clips", work / "joined.mp4"
    if not joined.exists():
        more = ["--kinds", kinds] if kinds else []
        call([sys.executable, "-m", "engine", "bench", "make", clips, "--quick", "--seed", str(seed), *more])
        if frames is not None:
            shorten_clips(clips, frames)
        truth = read_truth(clips / TRUTH_FILE)
        names = "".join(f"file '{clips.absolute() / clip.name}'\n" for clip in truth.clips)
        (work / "clips.txt").write_text(names)
        call([_FFMPEG, "-y", "-f", "concat", "-safe", "0", "-i", work / "clips.txt", "-c", "copy", joined])
    return read_truth(clips / TRUTH_FILE)


def shorten_clips(clips: Path, frames: int) -> None:
    """Keep the first frames of each clip, and their rows of the table."""
    table = clips / TRUTH_FILE
    with table.open(newline="") as file:
        reader = csv.DictReader(file)
        rows = [row for row in reader if int(row["frame"]) < frames]
        columns = reader.fieldnames or ()
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    for path in sorted(clips.rglob("*.mp4")):
        whole = path.rename(path.with_suffix(".whole"))
        call([_FFMPEG, "-y", "-i", whole, "-frames:v", str(frames), "-c:v", "libx264", "-crf", "10", path])
        whole.unlink()


def measure(tool: Tool, source: Path, target: Path) -> Run:
    """Run a tool once."""
    command = tool.build_command(source, target)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    call(command)
    wall_s = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def cut_into_clips(output: Path, truth: Truth, folder: Path) -> None:
    """Write the frames of each clip as a lossless video."""
    first = 0
    for clip in truth.clips:
        last = first + len(clip.frames) - 1
        target = (folder / clip.name).with_suffix(".mkv")
        target.parent.mkdir(parents=True, exist_ok=True)
        frames = f"select=between(n\\,{first}\\,{last}),setpts=N/25/TB"
        call([_FFMPEG, "-y", "-i", output, "-vf", frames, "-an", "-c:v", "ffv1", "-pix_fmt", "yuv420p", target])
        first = last + 1


def compare(tool: Tool, work: Path, truth: Truth) -> None:
    """Run a tool, score it, and store both as JSON; do nothing if that was done before."""
    name = "".join(letter for letter in tool.name if letter.isalnum())
    result = work / f"{name}.json"
    if result.exists():
        return
    output, parts = work / f"{name}.mp4", work / name
    run = measure(tool, work / "joined.mp4", output)
    cut_into_clips(output, truth, parts)
    report = work / f"{name}.score.json"
    call([
        sys.executable, "-m", "engine", "bench", "score", work / "clips", "--videos", parts, "--name", tool.name,
        "--report", report, "--overwrite",
    ])  # fmt: skip
    score = json.loads(report.read_bytes())["overall"]
    result.write_text(json.dumps({"tool": tool.name, **run._asdict(), "score": score}))


def format_table(results: Sequence[dict[str, object]], frames: int) -> str:
    """Format what was measured as a table in Markdown."""
    heads = ("tool", "processor time a frame", "wall time a frame", "frames covered", "faces covered",
             "tracks that show", "false area")  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for result in results:
        score = result["score"]
        lines.append(
            f"| {result['tool']} | {1000 * result['processor_s'] / frames:,.0f} ms "
            f"| {1000 * result['wall_s'] / frames:,.0f} ms | {score['frame_coverage']:.3f} "
            f"| {score['face_coverage']:.3f} | {score['tracks'] - score['tracks_covered']} of {score['tracks']} "
            f"| {score['false_area']:.1%} |"
        )
    return "\n".join(lines)


def describe_machine() -> str:
    """Say what the figures were measured on, and what else it did."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.partition(":")[2].strip() for line in lines if "model name" in line), platform.machine())
    python, load = platform.python_version(), os.getloadavg()[0]
    return f"{cpu}, {os.cpu_count()} cores, Linux {platform.release()}, Python {python}, load {load:.0f}"


def main() -> None:
    """Do what the module's docstring says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder for everything that is made; may hold an earlier run")
    parser.add_argument("--kinds", default="", help="kinds of clips, as for veil bench make (default: all)")
    parser.add_argument("--frames", type=int, help="keep only so many frames of each clip, on a slow machine")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    work = options.folder.absolute()
    work.mkdir(parents=True, exist_ok=True)
    machine = describe_machine()
    truth = make_clips(work, options.kinds, options.frames, options.seed)
    for tool in list_tools(work):
        compare(tool, work, truth)
        sys.stdout.write(f"{tool.name}: done\n")
        sys.stdout.flush()
    results = [json.loads(path.read_bytes()) for path in sorted(work.glob("*.json")) if ".score" not in path.name]
    results.sort(key=lambda result: result["processor_s"])
    frames = sum(len(clip.frames) for clip in truth.clips)
    sys.stdout.write(f"{machine}; {len(truth.clips)} clips, {frames} frames\n\n{format_table(results, frames)}\n")


if __name__ == "__main__":
    main()
