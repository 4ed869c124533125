from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.core.frame_ranges import describe_range, expand_ranges, group_frames, merge_ranges

frame_indices = st.sets(st.integers(0, 60))


@given(frame_indices)
def test_grouping_and_expanding_are_inverse(indices):
    assert expand_ranges(group_frames(sorted(indices))) == indices


@given(frame_indices)
def test_grouped_frames_do_not_touch(indices):
    ranges = list(group_frames(sorted(indices)))

    assert all(stop < start for (_, stop), (start, _) in pairwise(ranges))
    assert merge_ranges(ranges) == tuple(ranges)


def test_a_short_gap_does_not_end_a_range():
    assert list(group_frames([1, 2, 4, 9], max_gap_frames=1)) == [(1, 5), (9, 10)]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10))))
def test_merging_keeps_every_frame_once(starts_and_lengths):
    ranges = [(start, start + length) for start, length in starts_and_lengths]
    merged = merge_ranges(ranges)

    assert expand_ranges(merged) == expand_ranges(ranges)
    assert sum(stop - start for start, stop in merged) == len(expand_ranges(ranges))


def test_a_range_is_described_by_its_first_and_last_frame():
    assert describe_range(7, 8) == "frame 7"
    assert describe_range(7, 10) == "frames 7 to 9"
