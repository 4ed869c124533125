import msgspec
import pytest

from engine.core.geometry import Box, Size
from engine.errors import RecordError
from engine.record import Detection, DetectorFacts, Face, Record, ScheduleSettings, decode_record, encode_document
from engine.review.amendments import Accept, Add, Cover, Delete, Extend, Flag, FlaggedPlace, Undo
from engine.review.apply import amend_frames
from engine.review.queue import build_review_queue, find_review_items
from tests.engine.review.amendment_makers import keyframes, review_of
from tests.record_makers import make_record

SIZE = Size(640, 480)
FACE = Box(200.0, 100.0, 260.0, 170.0)
ONE, TWO = "yolov8-face", "centerface"
FRAMES = 60


def seen(*scores, box=FACE):
    """A face that the first detectors saw with these scores."""
    evidence = tuple(Detection(name, box, score) for name, score in zip((ONE, TWO), scores, strict=False))
    return Face(0, box, "detected", evidence)


GOOD, FILLED = seen(0.8, 0.8), Face(0, FACE, "interpolated", ())


def record_of(faces, doubtful=None, frames=FRAMES, **changes) -> Record:
    """A record of two detectors in which `faces(index)` gives the faces of each frame."""
    blank = make_record([[]] * frames, SIZE)
    detectors = tuple(DetectorFacts(name, {}, (), {"threshold": 0.1, "sure": 0.4}) for name in (ONE, TWO))
    detection = msgspec.structs.replace(
        blank.detection, detectors=detectors, asked=changes.pop("asked", {}), schedule=changes.pop("schedule", None)
    )
    full = tuple(
        msgspec.structs.replace(frame, faces=tuple(faces(frame.index)), doubtful=(doubtful or {}).get(frame.index, ()))
        for frame in blank.frames
    )
    record = msgspec.structs.replace(blank, detection=detection, frames=full, **changes)
    return decode_record(encode_document(record))


def found(record, kind):
    return [(spot.start, spot.stop) for spot in find_review_items(record) if spot.kind == kind]


def test_a_face_that_every_detector_surely_sees_throughout_leaves_no_doubt():
    assert find_review_items(record_of(lambda _: [GOOD])) == ()


def test_a_filled_gap_is_one_spot_and_worse_when_it_is_longer():
    record = record_of(lambda i: [FILLED if 2 <= i < 4 or 30 <= i < 50 else GOOD])
    assert found(record, "gap") == [(30, 50), (2, 4)]
    (longer, shorter) = (spot for spot in find_review_items(record) if spot.kind == "gap")
    assert longer.risk > shorter.risk
    assert longer.key == "gap:0:30-50"
    assert "frames 30 to 49" in longer.reason
    assert (longer.track, longer.box) == (0, FACE)


def test_runs_of_one_cause_less_than_a_second_apart_are_one_item():
    filled = {10, 12, 18, 45}  # at 25 frames/s
    assert found(record_of(lambda i: [FILLED if i in filled else GOOD]), "gap") == [(10, 19), (45, 46)]


def test_evidence_is_weak_against_the_score_at_which_its_detector_is_sure():
    record = record_of(lambda i: [seen(0.15, 0.2) if 10 <= i < 20 else seen(0.25, 0.25)])
    assert found(record, "weak") == [(10, 20)]
    unsure = record.detection.detectors[0], msgspec.structs.replace(record.detection.detectors[1], parameters={})
    detection = msgspec.structs.replace(record.detection, detectors=unsure)
    assert found(msgspec.structs.replace(record, detection=detection), "weak") == [(10, 20)]


def test_a_detector_that_saw_nothing_disagrees():
    assert found(record_of(lambda i: [seen(0.9) if 20 <= i < 25 else GOOD]), "disagreement") == [(20, 25)]


def test_a_face_that_is_weak_is_not_asked_about_again_because_a_detector_did_not_see_it():
    record = record_of(lambda i: [seen(0.2) if 20 <= i < 25 else GOOD])
    assert [(item.kind, item.start, item.stop) for item in find_review_items(record)] == [("weak", 20, 25)]


WHOLE = Box(180.0, 80.0, 300.0, 220.0)
"""A face about `FACE`, of which that is a part."""


def nested_record(other, box=WHOLE):
    """A record in which track 0 is weak, and track 1 has a face like `other` at another place."""
    return record_of(lambda _: [seen(0.2), msgspec.structs.replace(other, track=1, box=box)])


def test_a_weak_part_of_a_face_that_is_surely_masked_is_no_item():
    sure = seen(0.9, 0.9, box=WHOLE)
    assert find_review_items(nested_record(sure)) == ()
    assert find_review_items(nested_record(Face(1, WHOLE, "carried", ()))) == ()


@pytest.mark.parametrize(
    ("other", "box"),
    [
        (seen(0.1, 0.1, box=WHOLE), WHOLE),  # not sure itself
        (Face(1, WHOLE, "interpolated", ()), WHOLE),
        (GOOD, Box(220.0, 80.0, 340.0, 220.0)),  # a third of the weak face is outside
    ],
)
def test_a_weak_face_stays_an_item_where_no_founded_mask_covers_it(other, box):
    assert found(nested_record(other, box), "weak")[0] == (0, FRAMES)


def test_of_two_masks_that_cover_each_other_one_stays_an_item():
    alone = seen(0.9)
    record = record_of(lambda _: [alone, msgspec.structs.replace(alone, track=1)])
    assert [(item.kind, item.track) for item in find_review_items(record)] == [("disagreement", 0)]


def test_the_items_of_a_long_video_follow_from_one_pass(monkeypatch):
    """What follows from all frames is found once and not for every look: an hour would take minutes."""
    calls = []
    usual = Record.frame_s.fget
    monkeypatch.setattr(Record, "frame_s", property(lambda record: (calls.append(1), usual(record))[1]))
    looks = tuple((i, i + 1) for i in range(0, FRAMES, 5))
    schedule = ScheduleSettings(interval_s=0.2, change=8.0)
    carried = Face(0, FACE, "carried", ())
    faces = [carried if i % 5 else GOOD for i in range(FRAMES)]
    find_review_items(record_of(lambda i: [faces[i]], asked={ONE: looks, TWO: looks}, schedule=schedule))
    assert len(calls) == 1


def test_a_detector_that_was_not_asked_does_not_disagree():
    record = record_of(lambda i: [seen(0.9) if 20 <= i < 25 else GOOD], asked={TWO: ((0, 20), (25, 60))})
    assert found(record, "disagreement") == []
    assert found(record, "unasked") == [(20, 25)]
    assert "centerface did not look" in find_review_items(record)[0].reason


def test_frames_that_no_detector_looked_at_are_worse_than_those_that_one_did_not():
    every_fourth = tuple((i, i + 1) for i in range(0, FRAMES, 4))
    record = record_of(lambda i: [FILLED if i % 4 else GOOD], asked={ONE: every_fourth, TWO: every_fourth})
    assert found(record, "unseen") == [(1, 60)]
    assert found(record, "unasked") == []


def test_frames_between_two_looks_of_the_schedule_are_no_item_unless_the_looks_are_far_apart():
    looked = set(range(0, FRAMES, 5)) - {20, 25}
    looks = tuple((i, i + 1) for i in sorted(looked))
    schedule = ScheduleSettings(interval_s=0.2, change=8.0)
    record = record_of(lambda i: [GOOD if i in looked else FILLED], asked={ONE: looks, TWO: looks}, schedule=schedule)
    # 25 frames/s: five frames are 0.2 s. Nothing was looked at from 16 to 29 and after the last look; both stretches
    # are close enough to be one item.
    assert found(record, "unseen") == [(16, 60)]
    close = tuple((i, i + 1) for i in (*range(0, FRAMES, 5), FRAMES - 1))
    record = record_of(
        lambda i: [GOOD if i % 5 == 0 or i == FRAMES - 1 else FILLED], asked={ONE: close, TWO: close}, schedule=schedule
    )
    assert found(record, "unseen") == []


def test_a_track_that_begins_or_ends_within_a_scene():
    record = record_of(lambda i: [GOOD] if 20 <= i < 40 else [], cuts=())
    assert found(record, "start") == [(12, 21)]
    assert found(record, "end") == [(39, 48)]
    (start,) = (spot for spot in find_review_items(record) if spot.kind == "start")
    assert start.frame == 19


def test_the_frames_by_which_a_track_was_extended_belong_to_its_start():
    record = record_of(lambda i: [Face(0, FACE, "extended", ()) if i < 25 else GOOD] if i >= 20 else [])
    assert found(record, "start") == [(12, 26)]


def test_a_track_that_fills_its_scene_neither_begins_nor_ends_in_it():
    record = record_of(lambda i: [GOOD] if 20 <= i < 40 else [], cuts=(20, 40))
    assert found(record, "start") == found(record, "end") == []
    assert found(record, "cut") == [(12, 20), (40, 48)]


def test_a_track_that_goes_on_under_another_number_has_not_ended():
    record = record_of(lambda i: [GOOD if i < 30 else msgspec.structs.replace(GOOD, track=1)])
    assert find_review_items(record) == ()


def test_a_hole_in_a_track_is_worse_than_a_filled_gap():
    record = record_of(lambda i: [] if 10 <= i < 30 else [FILLED if 40 <= i < 60 - 1 else GOOD])
    assert [spot.kind for spot in find_review_items(record)] == ["hole", "gap"]
    assert found(record, "hole") == [(10, 30)]


EDGE, SMALL = Box(0.0, 100.0, 60.0, 170.0), Box(300.0, 300.0, 320.0, 330.0)


def test_faces_at_the_border_and_small_ones_whose_place_is_a_guess():
    guesses = [Face(0, EDGE, "interpolated", ()), msgspec.structs.replace(seen(0.1, 0.1, box=SMALL), track=1)]
    items = [item for item in find_review_items(record_of(lambda _: guesses)) if item.kind in {"border", "small"}]
    assert {(item.kind, item.track) for item in items} == {("border", 0), ("small", 1)}
    assert "20x30 pixels" in next(item.reason for item in items if item.kind == "small")


@pytest.mark.parametrize("box", [EDGE, SMALL])
def test_a_face_at_the_border_or_a_small_one_that_was_surely_seen_has_its_mask(box):
    carried = Face(0, box, "carried", ())
    assert find_review_items(record_of(lambda i: [carried if i % 5 else seen(0.9, 0.9, box=box)])) == ()


def test_possible_faces_of_a_few_pixels_are_one_item():
    def tiny(left):
        return Detection(ONE, Box(left, 300.0, left + 9.0, 311.0), 0.5)

    large = Detection(ONE, Box(400.0, 300.0, 450.0, 360.0), 0.5)
    record = record_of(lambda _: [GOOD], doubtful={3: (tiny(10.0),), 25: (tiny(90.0), large), 50: (tiny(10.0),)})
    items = [(item.start, item.stop) for item in find_review_items(record)]
    assert sorted(items) == [(3, 51), (25, 26)]
    (said,) = (item.reason for item in find_review_items(record) if item.start == 3)
    assert "3 detections under 12 pixels" in said
    # Of the same frames it would have the key of the other item.
    record = record_of(lambda _: [GOOD], doubtful={25: (tiny(90.0), large)})
    assert [item.key for item in find_review_items(record)] == ["doubtful:-:25-26"]


def test_a_doubtful_sighting_is_a_spot_unless_a_mask_covers_it():
    sighting, covered = Detection(ONE, Box(400.0, 300.0, 450.0, 360.0), 0.5), Detection(ONE, FACE, 0.5)
    record = record_of(lambda _: [GOOD], doubtful={7: (sighting,), 8: (sighting, covered), 30: (covered,)})
    assert found(record, "doubtful") == [(7, 9)]
    (spot,) = find_review_items(record)
    assert (spot.track, spot.box, spot.frame) == (None, sighting.box, 7)
    assert "2 detections in frames 7 to 8" in spot.reason


def test_damaged_frames_are_said_and_hide_what_is_in_them():
    record = record_of(lambda i: [] if i in {10, 11} else [GOOD], damaged=(10, 11))
    assert [(spot.kind, spot.start, spot.stop) for spot in find_review_items(record)] == [("damaged", 10, 12)]


def test_spots_are_ranked_by_risk_and_named_once():
    sighting = Detection(ONE, Box(400.0, 300.0, 450.0, 360.0), 0.9)
    record = record_of(
        lambda i: [FILLED if i in {10, 30} else seen(0.9) if i == 50 else GOOD] if i < 55 else [],
        doubtful={7: (sighting,)}, damaged=(2,),
    )  # fmt: skip
    ranked = find_review_items(record)
    assert [spot.risk for spot in ranked] == sorted((spot.risk for spot in ranked), reverse=True)
    assert all(0 < spot.risk <= 1 for spot in ranked)
    assert len({spot.key for spot in ranked}) == len(ranked)
    assert (ranked[0].kind, ranked[-1].kind) == ("doubtful", "damaged")


HOLED = record_of(lambda i: [] if 10 <= i < 20 else [FILLED if 30 <= i < 40 else GOOD])


def state(kind, *actions):
    (spot,) = (spot for spot in build_review_queue(HOLED, review_of(HOLED, *actions)) if spot.kind == kind)
    return spot.state, spot.closed_by


@pytest.mark.parametrize(
    ("kind", "actions", "expected"),
    [
        ("gap", [], ("open", None)),
        ("gap", [Accept("gap:0:30-40")], ("accepted", 1)),
        ("gap", [Accept("gap:0:30-40"), Undo(1)], ("open", None)),
        ("gap", [Delete(0, 35, 36)], ("amended", 1)),
        ("gap", [Delete(0, 40, 60)], ("open", None)),
        ("gap", [Cover(30, 40)], ("amended", 1)),
        ("gap", [Cover(30, 39)], ("open", None)),
        ("hole", [Extend(0, 10, 20)], ("amended", 1)),
        ("hole", [Cover(0, 1), Add(keyframes({10: (210, 110, 250, 150), 19: (210, 110, 250, 150)}))], ("amended", 2)),
        ("hole", [Add(keyframes({10: (400, 300, 450, 350)}))], ("open", None)),
        ("hole", [Add(keyframes({9: (210, 110, 250, 150)}))], ("open", None)),
    ],
)
def test_what_closes_a_spot(kind, actions, expected):
    assert state(kind, *actions) == expected


def test_keys_stay_what_they_are_whatever_is_amended():
    before, after = (
        find_review_items(HOLED),
        build_review_queue(HOLED, review_of(HOLED, Extend(0, 10, 20), Delete(0, 30, 60))),
    )
    assert [spot.key for spot in before] == [spot.key for spot in after if spot.kind != "removed"]
    for spot in before:
        amend_frames(HOLED, review_of(HOLED, Accept(spot.key)))


REMOVED = "removed:0:40-60"


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ([Delete(0, 40, 60)], ("open", None)),
        ([Delete(0, 40, 60), Accept(REMOVED)], ("accepted", 2)),
        ([Delete(0, 40, 60), Add(keyframes({45: (210, 110, 250, 150)}))], ("amended", 2)),
    ],
)
def test_a_removed_mask_leaves_an_item(actions, expected):
    assert state("removed", *actions) == expected
    (item,) = (one for one in build_review_queue(HOLED, review_of(HOLED, *actions)) if one.kind == "removed")
    assert (item.key, item.frame, item.box) == (REMOVED, 50, FACE)
    assert "Jane Doe removed the mask of track 0 in frames 40 to 59: because" in item.reason


@pytest.mark.parametrize("after", [[Undo(1)], [Cover(40, 60)], [Extend(0, 40, 60)]])
def test_a_mask_that_is_back_leaves_none(after):
    queue = build_review_queue(HOLED, review_of(HOLED, Delete(0, 40, 60), *after))
    assert not [one for one in queue if one.kind == "removed"]


def test_a_face_that_a_reviewer_added_leaves_none_when_it_is_taken_back():
    add = Add(keyframes({10: (400, 300, 450, 350)}))
    assert not [
        one for one in build_review_queue(HOLED, review_of(HOLED, add, Delete(1, 10, 11))) if one.kind == "removed"
    ]


FLAG = Flag(3, FACE, (FlaggedPlace(10, 20, 12, FACE, 0.9), FlaggedPlace(10, 20, 12, Box(0, 0, 50, 50), 0.7)))


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ([], {"similar:0:10-20": "open", "similar:1:10-20": "open"}),
        ([Accept("similar:1:10-20")], {"similar:0:10-20": "open", "similar:1:10-20": "accepted"}),
        ([Add(keyframes({10: (200, 100, 260, 170)}))], {"similar:0:10-20": "amended", "similar:1:10-20": "open"}),
        ([Cover(5, 30)], {"similar:0:10-20": "amended", "similar:1:10-20": "amended"}),
        ([Undo(1), FLAG], {"similar:2:10-20": "open", "similar:3:10-20": "open"}),
    ],
)
def test_places_that_a_reviewer_flagged_are_items_until_they_are_decided(actions, expected):
    record = record_of(lambda _: [])
    items = build_review_queue(record, review_of(record, FLAG, *actions))
    assert {item.key: item.state for item in items if item.kind == "similar"} == expected


def test_flagged_places_must_fit_the_record():
    record = record_of(lambda _: [])
    for flag in (Flag(99, FACE, FLAG.places), Flag(3, FACE, (FlaggedPlace(50, 70, 55, FACE, 0.5),))):
        with pytest.raises(RecordError, match="the video has 60"):
            amend_frames(record, review_of(record, flag))
    with pytest.raises(RecordError, match="crosses the border"):
        amend_frames(record, review_of(record, Flag(3, Box(0, 0, 700, 20), FLAG.places)))
    with pytest.raises(ValueError, match="is not in its frames"):
        FlaggedPlace(10, 20, 20, FACE, 0.5)
