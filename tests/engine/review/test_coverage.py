import pytest

from engine.errors import RecordError
from engine.review.amendments import Accept
from engine.review.coverage import measure_coverage
from engine.review.queue import build_review_queue, find_review_items
from tests.engine.review.amendment_makers import review_of
from tests.engine.review.test_queue import FILLED, FRAMES, GOOD, record_of

RECORD = record_of(lambda i: [FILLED if 5 <= i < 15 or 45 <= i < 55 else GOOD])
SPOTS = find_review_items(RECORD)


def test_nothing_seen_is_nothing_covered():
    nothing = measure_coverage(RECORD, SPOTS, {})
    assert (nothing.frames, nothing.seen, nothing.risk_seen, nothing.risk_closed) == (FRAMES, 0, 0.0, 0.0)
    assert nothing.open_unseen == tuple(spot.key for spot in SPOTS)


def test_the_share_of_the_risk_grows_with_what_was_seen():
    some = measure_coverage(RECORD, SPOTS, {"jdoe": [(5, 15)], "roe": [(10, 13), (45, 50)]})
    assert some.seen == 15
    assert some.risk_seen == pytest.approx(0.75)
    assert some.open_unseen == ()
    assert {(seen.key, seen.seen, seen.by) for seen in some.spots} == {
        ("gap:0:5-15", 10, ("jdoe", "roe")), ("gap:0:45-55", 5, ("roe",)),
    }  # fmt: skip


def test_frames_seen_twice_count_once_and_ranges_are_put_together():
    twice = measure_coverage(RECORD, SPOTS, {"jdoe": [(10, 14), (12, 20), (0, 1)], "roe": [(10, 20)]})
    assert twice.by == {"jdoe": ((0, 1), (10, 20)), "roe": ((10, 20),)}
    assert twice.seen == 11


def test_what_is_closed_counts_as_closed():
    marked = build_review_queue(RECORD, review_of(RECORD, Accept("gap:0:5-15")))
    half = measure_coverage(RECORD, marked, {})
    assert half.risk_closed == pytest.approx(0.5)
    assert half.open_unseen == ("gap:0:45-55",)


def test_a_record_without_spots_is_covered():
    plain = record_of(lambda _: [GOOD])
    assert measure_coverage(plain, (), {}).risk_seen == 1.0


def test_frames_that_do_not_exist_cannot_have_been_seen():
    with pytest.raises(RecordError, match="frames 50 to 60"):
        measure_coverage(RECORD, SPOTS, {"jdoe": [(50, 61)]})
