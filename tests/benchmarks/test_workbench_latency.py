"""How long the workbench takes to answer, alone on the machine."""

import http.client
import random
import statistics
import time
from urllib.parse import urlsplit

from tests import clips
from tests.workbench.page_actions import open_review, wait_until_painted
from tests.workbench.run_makers import make_run


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
    record_figure("Workbench: one small answer, median of 21", statistics.median(waits) * 1000, "ms", 30)


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
    record_figure("Review: a still after a key press, median of 33", statistics.median(latencies), "ms", 250)


def test_a_click_on_the_timeline(workbench, page, tmp_path, record_figure):
    """1080p with a keyframe every 300 frames; the pointer comes as a hand moves it: 0.4 s, then a moment of rest."""
    options = ["-bf", "3", "-g", "300", "-x264-params", "scenecut=0"]
    source = clips.video(tmp_path / "long.mp4", size=(1920, 1080), frames=900, options=options)
    run = make_run(workbench.data, source, lambda _: [(60.0, 60.0, 180.0, 200.0)])
    open_review(page, workbench, run.id, 0, None)
    place = page.locator("[data-at=timeline]").bounding_box()
    chance, latencies = random.Random(1), []
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
        before = page.locator(".review").get_attribute("data-latency")
        page.mouse.click(to_x, to_y)
        page.locator(f'.review:not([data-latency="{before}"])').wait_for()
        latencies.append(float(page.locator(".review").get_attribute("data-latency")))
        page.wait_for_timeout(500)
    record_figure("Review: a click on the timeline of 1080p, median of 21", statistics.median(latencies), "ms", 250)
