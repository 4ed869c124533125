import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.statistics.capture_recapture import Capture, estimate_missed_faces, list_captures
from tests.engine.evaluation.truth_makers import record_of

BOX = (100, 100, 160, 180)


def captures(only_a, only_b, both, height=60.0):
    ways = (({"a"}, only_a), ({"b"}, only_b), ({"a", "b"}, both))
    return [Capture(0, height, frozenset(who), count) for who, count in ways if count]


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_two_detectors_give_chapmans_estimate(only_a, only_b, both):
    found = estimate_missed_faces(captures(only_a, only_b, both), ["a", "b"], resamples=1)
    seen = only_a + only_b + both
    assert found.seen == seen
    if seen:
        chapman = (only_a + both + 1) * (only_b + both + 1) / (both + 1) - 1
        assert found.seen + found.missed == pytest.approx(chapman)
    else:
        assert found.missed is None


@pytest.mark.slow
@pytest.mark.parametrize("detectors", [2, 3, 4])
def test_independent_detectors_are_estimated_near_the_truth(detectors):
    names = list("abcd"[:detectors])
    generator = np.random.default_rng(7)
    seen = generator.random((4000, detectors)) < 0.6
    found = estimate_missed_faces(
        (
            Capture(unit, 60.0, frozenset(name for name, saw in zip(names, row, strict=True) if saw))
            for unit, row in enumerate(seen)
            if row.any()
        ),
        names,
    )
    missed = 4000 - found.seen
    assert found.missed == pytest.approx(missed, rel=0.25)
    low, high = found.missed_interval
    assert low < missed < high or detectors > 2  # the bound for more detectors may lie below the truth


@pytest.mark.slow
def test_detectors_that_share_blind_spots_are_estimated_too_low():
    generator = np.random.default_rng(3)
    chance = np.where(generator.random(4000) < 0.5, 0.9, 0.1)[:, None]
    seen = generator.random((4000, 2)) < chance
    found = estimate_missed_faces(
        (Capture(unit, 60.0, frozenset(np.array(["a", "b"])[row])) for unit, row in enumerate(seen) if row.any()),
        ["a", "b"],
    )
    assert 0 < found.missed < 4000 - found.seen


def test_sizes_are_estimated_apart():
    found = estimate_missed_faces([*captures(2, 2, 1, height=20.0), *captures(0, 0, 9, height=48.0)], ["a", "b"])
    assert found.by_size["under_24"].missed == pytest.approx(2.0)
    assert found.by_size["from_24_to_48"].missed is None
    assert found.by_size["from_48"].missed == 0.0


def test_whole_tracks_are_drawn_again():
    one_track = estimate_missed_faces(
        [Capture(0, 60.0, frozenset("a"), 5), Capture(0, 60.0, frozenset("b"), 5)], ["a", "b"]
    )
    two_tracks = estimate_missed_faces(
        [Capture(0, 60.0, frozenset("a"), 5), Capture(1, 60.0, frozenset("b"), 5)], ["a", "b"]
    )
    assert one_track.missed_interval is None
    assert two_tracks.missed == one_track.missed == 25.0
    assert two_tracks.missed_interval == (0.0, 25.0)


def test_one_detector_estimates_nothing():
    with pytest.raises(InputError, match="needs two independent detectors"):
        estimate_missed_faces([], ["mtcnn"])


def test_faces_of_a_record_count_where_all_were_asked():
    record = record_of([[(BOX, {"a": BOX}), (BOX, {"a": BOX, "b": BOX}), BOX]])
    assert [sorted(capture.seen_by) for capture in list_captures(record)] == [["a"], ["a", "b"]]
