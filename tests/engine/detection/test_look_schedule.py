"""Which frames are looked at, decided from what the frames show."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.detection.look_schedule import LookSchedule, find_unexplained_changes
from engine.record import ScheduleSettings, TrackingSettings

EVERY_FIFTH = ScheduleSettings(interval_s=0.2, change=12.0)


class FakeFrame(SimpleNamespace):
    """A frame of 320x180 that is grey noise, with a bright square if `square` says where."""

    def luma_thumbnail(self):
        return self.grey(64)[:36, :64]

    def grey(self, max_side_px):
        step = 320 // min(max_side_px, 320)
        return np.ascontiguousarray(self.picture[::step, ::step])


def make_frames(count, *, rate=25, squares=(), cuts=(), pauses=()):
    """`squares`: by frame, the column of a square; `cuts`: frames with other noise from there on; `pauses`: in pts."""
    frames, pts, noise = [], 0, 0
    for index in range(count):
        noise += index in cuts
        picture = np.random.default_rng(noise).integers(100, 110 + 40 * noise, (180, 320)).astype(np.uint8)
        if index in dict(squares):
            column = dict(squares)[index]
            picture[60:90, column : column + 30] = np.arange(30, dtype=np.uint8) * 8
        frames.append(FakeFrame(index=index, pts=pts, picture=picture))
        pts += 1000 // rate + dict(pauses).get(index, 0)
    return frames


def looks(frames, settings=EVERY_FIFTH, **resumed):
    schedule = LookSchedule(settings, TrackingSettings(), 1 / 1000, **resumed)
    return [one.frame.index for one in schedule.apply(iter(frames)) if one.looked or one.changes]


def test_without_a_schedule_every_frame_is_looked_at():
    assert looks(make_frames(7), None) == list(range(7))
    assert looks(make_frames(7), ScheduleSettings()) == list(range(7))


@pytest.mark.parametrize(("rate", "distance"), [(25, 5), (50, 10), (5, 1)])
def test_looks_are_counted_in_time_and_the_last_frame_is_one(rate, distance):
    assert looks(make_frames(42, rate=rate)) == sorted({*range(0, 42, distance), 41})


def test_the_frame_after_a_pause_is_looked_at():
    assert 8 in looks(make_frames(20, pauses={7: 500}.items()))


def test_both_sides_of_a_cut_are_looked_at():
    assert {12, 13} <= set(looks(make_frames(20, cuts=[13])))


def test_what_appears_is_looked_at_in_its_first_frame():
    squares = [(12, 100), (13, 100)]
    chosen = looks(make_frames(20, squares=squares))
    assert 12 in chosen
    assert 13 not in chosen
    assert 12 not in looks(make_frames(20, squares=squares), ScheduleSettings(interval_s=0.2))


def test_a_small_motion_is_explained():
    moving = [(index, 100 + 3 * index) for index in range(20)]
    assert looks(make_frames(20, squares=moving)) == [0, 5, 10, 15, 19]


def test_places_of_change_are_shares_of_the_sides():
    before = np.full((50, 100), 100, np.uint8)
    after = before.copy()
    assert find_unexplained_changes(before, after, 12.0) == ()
    after[20:30, 20:30] = after[0:6, 90:100] = 160
    corner, middle = find_unexplained_changes(before, after, 50.0)
    assert (corner.left, corner.top, corner.right, corner.bottom) == pytest.approx((0.92, 0.0, 1.0, 0.08), abs=0.01)
    assert (middle.left, middle.top, middle.right, middle.bottom) == pytest.approx((0.2, 0.4, 0.3, 0.6), abs=0.05)
    assert find_unexplained_changes(before, after, 61.0) == ()


def test_very_many_places_are_the_whole_picture():
    before = np.full((200, 200), 100, np.uint8)
    after = before.copy()
    for row in range(0, 200, 20):
        for column in range(0, 200, 20):
            after[row : row + 6, column : column + 6] = 200
    (place,) = find_unexplained_changes(before, after, 12.0)
    assert (place.left, place.top, place.right, place.bottom) == (0, 0, 1, 1)


def test_a_frame_that_is_looked_at_in_any_case_names_no_changes():
    schedule = LookSchedule(EVERY_FIFTH, TrackingSettings(), 1 / 1000)
    chosen = {one.frame.index: one for one in schedule.apply(iter(make_frames(20, squares=[(10, 100), (12, 100)])))}
    assert chosen[10].looked and not chosen[10].changes
    assert not chosen[12].looked and chosen[12].changes


@pytest.mark.parametrize("first", [4, 8, 12, 16])
def test_a_run_that_goes_on_decides_the_same(first):
    frames = make_frames(24, squares=[(9, 50), (13, 100), (14, 180)], cuts=[16])
    resumed = looks(frames, first_frame=first)
    assert [index for index in resumed if index >= first] == [index for index in looks(frames) if index >= first]


def test_grey_pictures_are_made_from_where_they_are_needed():
    schedule = LookSchedule(EVERY_FIFTH, TrackingSettings(), 1 / 1000, first_frame=8)
    assert [one.frame.index for one in schedule.apply(iter(make_frames(16))) if one.grey is not None] == [*range(7, 16)]
