"""How long the workbench takes to answer, alone on the machine."""

import http.client
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
