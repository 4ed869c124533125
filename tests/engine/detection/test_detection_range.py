"""Division of a video into ranges."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.detection.batches import BATCH_FRAMES
from engine.detection.detection_range import plan_ranges, rest_of_video
from engine.media.source.start_points import StartPoint


def plan(key_distance, frame_count, slots, *, first=0, overlap=16):
    points = [StartPoint(index, index) for index in range(key_distance, frame_count, key_distance)]
    return list(plan_ranges(points, first, frame_count, overlap, lambda: slots))


@pytest.mark.slow
@given(
    st.integers(1, 400), st.integers(1, 20_000), st.integers(0, 64), st.integers(0, 500), st.sampled_from([4, 16, 40])
)
def test_ranges_cover_every_frame_once_and_each_has_its_overlap(key_distance, frame_count, slots, batches, overlap):
    first = min(batches * BATCH_FRAMES, frame_count // BATCH_FRAMES * BATCH_FRAMES)
    parts = plan(key_distance, frame_count, slots, first=first, overlap=overlap)
    assert parts[0].first == first
    assert parts[-1].stop is None
    for before, part in pairwise(parts):
        assert before.stop == part.first
        assert part.first - before.first >= 4 * overlap
    for part in parts:
        assert part.first % BATCH_FRAMES == part.overlap_start % BATCH_FRAMES == 0
        assert part.overlap_start == max(0, part.first - overlap)
        # The frame before the overlap is decoded as well.
        assert part.start is None or part.start.index < part.overlap_start


def test_a_video_without_start_points_is_one_range():
    assert list(plan_ranges([], 0, 5000, 16, lambda: 8)) == [rest_of_video(0, 16)]


def test_what_is_detected_twice_stays_a_small_share():
    parts = plan(50, 90_000, 32)
    assert 16 * len(parts) < 0.06 * 90_000
    assert max((part.stop or 90_000) - part.first for part in parts) <= 1500 + 50
    # The last ranges are short, so that no slot works alone for long.
    assert 90_000 - parts[-1].first < 90_000 / 32 / 10


def test_a_run_that_goes_on_begins_at_the_last_keyframe_before():
    assert plan(50, 1000, 1, first=500)[0].start == StartPoint(450, 450)
