"""Black pictures on the Live page with a browser's camera: `python -m tests.benchmarks.live_camera [--loops 8]`.

A headless Chromium with a fake camera of 1280x720, on the same machine, opens the page and looks at what comes back.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engine import runs
from engine.storage.data_folder import DataFolder
from tests import clips
from tests.benchmarks.live_delay import busy_loops, make_clip
from tests.browser import CHROMIUM, find_browser, make_data_folder, running_workbench, wait_until_settled
from tests.workbench.page_actions import LONG_TIMEOUT_MS, measure_brightness, wait_for_bright_video

_SAMPLE_INTERVAL_MS = 200
_BLACK = 20.0


def make_camera(folder: Path) -> Path:
    """Make what a camera of 1280x720 at 25 frames/s sees: ten seconds of two moving faces."""
    camera = folder / "camera.mjpeg"
    if not camera.exists():
        clip = make_clip(folder, 25, 20)
        clips.ffmpeg(
            "-i", clip, "-t", "10", "-vf", "scale=1280:720", "-c:v", "mjpeg", "-q:v", "4",
            "-pix_fmt", "yuvj420p", camera,
        )  # fmt: skip
    return camera


def watch_page(page: Any, address: str, seconds: float, loops: int) -> dict[str, float]:
    """Start the camera, wait for the first picture, then return which share of the samples beside loops was black."""
    page.goto(f"{address}/live")
    wait_until_settled(page)
    started_s = time.monotonic()
    page.get_by_role("button", name="Start", exact=True).click()
    wait_for_bright_video(page)
    first_s, samples = time.monotonic() - started_s, list[float]()
    with busy_loops(loops):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            samples.append(measure_brightness(page))
            page.wait_for_timeout(_SAMPLE_INTERVAL_MS)
    page.get_by_role("button", name="Stop and save").click()
    page.get_by_text("The live run has ended").wait_for()
    black = sum(brightness < _BLACK for brightness in samples) / len(samples)
    return {"first picture after s": round(first_s, 1), "black": round(black, 3), "samples": len(samples)}


def main() -> None:
    """Measure what the options say and print one line."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--loops", type=int, default=0)
    parser.add_argument("--clips", type=Path, required=True, help="folder to keep the clips in")
    parser.add_argument("--models", type=Path, required=True)
    options = parser.parse_args()
    camera = make_camera(options.clips)
    fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    fake.append(f"--use-file-for-fake-video-capture={camera}")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        data: DataFolder = make_data_folder(Path(name), options.models)
        with running_workbench(data) as server:
            browser = playwright.chromium.launch(executable_path=find_browser(), args=[*CHROMIUM, *fake])
            page = browser.new_page()
            page.set_default_timeout(LONG_TIMEOUT_MS)
            seen = watch_page(page, server.url, options.seconds, options.loops)
            browser.close()
        [run] = runs.read_register(data).runs
        report = json.loads(next(run.folder.path.glob("*.live.json")).read_text())
    sys.stdout.write(
        f"camera, {options.loops} busy loops, load {os.getloadavg()[0]:.1f}: {json.dumps(seen)} "
        f"{json.dumps(report['counters'])}\n"
    )


if __name__ == "__main__":
    main()
