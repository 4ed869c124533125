"""How long the workbench takes to answer, alone on the machine."""

import http.client
import random
import time
from statistics import median
from urllib.parse import urlsplit

import pytest

from tests import clips
from tests.workbench.page_actions import open_review, wait_until_painted
from tests.workbench.run_makers import make_run

FRAMES_SHOWN = """(canvas, [first, last]) => new Promise((done) => {
  let began = null;
  new MutationObserver((_, observer) => {
    const frame = Number(canvas.dataset.frame);
    if (began === null && frame >= first) began = performance.now();
    if (frame >= last) { observer.disconnect(); done(performance.now() - began); }
  }).observe(canvas, {attributes: true, attributeFilter: ["data-frame"]});
})"""


def test_small_answers(workbench, record_figure):
    """A kernel that waits for a delayed acknowledgement would add 40 ms to each."""
    address = urlsplit(workbench.url)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    waits = []
    for _ in range(21):
        start = time.perf_counter()
        connection.request("GET", "/_stcore/health")
        assert connection.getresponse().read() == b"ok"
        waits.append(time.perf_counter() - start)
    connection.close()
    record_figure("Workbench: one small answer, median of 21", median(waits) * 1000, "ms", 30)


def test_stepping_through_stills(workbench, page, tmp_path, record_figure):
    """One group of pictures of 120 frames, so that a step back is as expensive as it can be."""
    options = ["-bf", "3", "-g", "600", "-x264-params", "scenecut=0"]
    source = clips.video(tmp_path / "long.mp4", size=(640, 360), frames=120, options=options)
    run = make_run(workbench.data, source, lambda _: [(60.0, 60.0, 180.0, 200.0)])
    open_review(page, workbench, run.id, 0, None)
    latencies, frame = [], 0
    for key, by in [*[("ArrowRight", 1)] * 12, ("End", 119 - 12), *[("ArrowLeft", -1)] * 20]:
        frame += by
        page.keyboard.press(key)
        wait_until_painted(page, frame)
        latencies.append(float(page.locator(".review").get_attribute("data-latency")))
    record_figure("Review: a still after a key press, median of 33", median(latencies), "ms", 250)


@pytest.fixture(scope="module")
def camera_run(workbench, tmp_path_factory):
    """A run of three minutes of 1080p with a keyframe every ten seconds, as cameras write it."""
    options = ["-bf", "3", "-g", "300", "-x264-params", "scenecut=0"]
    folder = tmp_path_factory.mktemp("camera")
    part = clips.video(folder / "part.mp4", size=(1920, 1080), frames=900, rate="30", options=options)
    clips.ffmpeg("-stream_loop", "5", "-i", part, "-c", "copy", folder / "long.mp4")
    return make_run(workbench.data, folder / "long.mp4", lambda _: [(60.0, 60.0, 180.0, 200.0)])


def test_a_click_on_the_timeline(workbench, page, camera_run, record_figure):
    """The pointer comes as a hand moves it: 0.4 s, then a moment of rest. The page was open for some seconds before."""
    open_review(page, workbench, camera_run.id, 0, None)
    page.wait_for_timeout(15_000)
    place = page.locator("[data-at=timeline]").bounding_box()
    chance, small, exact = random.Random(1), [], []
    for _ in range(21):
        (x, y), (to_x, to_y) = [
            (place["x"] + 70 + chance.random() * (place["width"] - 80), place["y"] + below) for below in (-150, 20)
        ]
        for step in range(1, 26):
            # The way of least jerk (Flash and Hogan, 1985), by which hands move.
            share = 10 * (step / 25) ** 3 - 15 * (step / 25) ** 4 + 6 * (step / 25) ** 5
            page.mouse.move(x + (to_x - x) * share, y + (to_y - y) * share)
            page.wait_for_timeout(16)
        page.wait_for_timeout(120)
        shown = click_timeline(page, to_x, to_y)
        exact.append(shown["latency"])
        small.append(min(shown["latency"], shown.get("previewLatency", shown["latency"])))
        page.wait_for_timeout(500)
    record_figure("Review: a click on the timeline of 1080p until the frame shows, median", median(small), "ms", 250)
    record_figure("Review: the same until it is sharp", median(exact), "ms")
    record_figure("Review: the same, the slowest", max(exact), "ms")


def click_timeline(page, x, y):
    """Click, wait until the still is there, and return the milliseconds that the canvas measured."""
    canvas = page.locator(".review")
    canvas.evaluate("one => { delete one.dataset.latency; delete one.dataset.previewLatency; }")
    page.mouse.click(x, y)
    page.locator(".review[data-latency]").wait_for()
    told = canvas.evaluate("one => ({...one.dataset})")
    return {name: float(told[name]) for name in ("latency", "previewLatency") if name in told}


def test_playing(workbench, page, camera_run, record_figure):
    """Every frame is shown at this speed, so a slow machine shows in the time."""
    open_review(page, workbench, camera_run.id, 0, None)
    page.wait_for_timeout(5_000)
    page.keyboard.press("Space")
    took_ms = page.locator(".review").evaluate(FRAMES_SHOWN, [30, 330])
    record_figure("Review: playing 1080p of 30 frames/s, frames shown in a second", 300_000 / took_ms, "1/s")
    record_figure("Review: the same, time of a frame", took_ms / 300, "ms", 1000 / 29)
