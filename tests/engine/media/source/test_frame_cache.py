"""Stepping through a source: every frame exact, whatever was kept, and from several threads."""

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from engine.media.source.decode import open_source
from engine.media.source.frame_cache import FrameCache
from engine.media.source.probe import probe
from tests import clips
from tests.record_makers import record_of

FRAME = 128 * 96 * 3 // 2


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """One long group of pictures, its record, and the brightness of every frame."""
    options = ["-bf", "3", "-g", "300", "-x264-params", "scenecut=0"]
    path = clips.video(tmp_path_factory.mktemp("reel") / "long.mp4", frames=90, options=options)
    with open_source(path, probe(path)) as source:
        planes = [frame.picture().planes[0].copy() for frame in source.frames()]
    return path, record_of(path, lambda _: []), planes


@pytest.mark.parametrize("budget", [FRAME, 12 * FRAME, 200 * FRAME])
def test_steps_and_jumps_give_the_requested_frame(clip, budget):
    path, record, planes = clip
    chance = random.Random(2)
    walk = [0, 1, 2, 60, 59, 58, 57, 30, 31, 32, 89, 88, *(chance.randrange(90) for _ in range(12))]
    with FrameCache(path, record, budget) as reel:
        for index in walk:
            frame = reel.get_frame(index)
            assert frame.index == index
            assert np.array_equal(frame.picture().planes[0], planes[index])


def test_threads_that_step_in_different_places_do_not_disturb_each_other(clip):
    path, record, planes = clip

    def walked(start):
        return all(np.array_equal(reel.get_frame(i).picture().planes[0], planes[i]) for i in range(start, start + 15))

    with FrameCache(path, record, 20 * FRAME) as reel, ThreadPoolExecutor(4) as threads:
        assert all(threads.map(walked, (0, 20, 40, 70)))


def test_a_frame_that_two_threads_ask_for_is_decoded_once(clip):
    path, record, _ = clip
    together = Barrier(2)

    def asked(index):
        together.wait()
        return reel.get_frame(index)

    with FrameCache(path, record, 20 * FRAME) as reel, ThreadPoolExecutor(2) as threads:
        for index in (80, 3, 55):
            one, other = threads.map(asked, [index] * 2)
            assert one is other
