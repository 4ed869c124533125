import hypothesis.strategies as st
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from engine.core.geometry import Box, Size
from engine.errors import AmendmentError, RecordError
from engine.review.amendments import Accept, Add, Cover, Delete, Extend, KeepVisible, Resize, Undo
from engine.review.apply import AmendedRecord, amend_frames
from engine.review.plan import plan_frames
from tests.engine.review.amendment_makers import keyframes, review_of
from tests.record_makers import make_record

SIZE = Size(64, 48)
FRAMES = 12
FACE, OTHER = (4, 4, 14, 14), (30, 20, 40, 30)


def record_with_gap():
    """Track 0 in frames 0 to 3 and 8 to 11, track 1 in frames 2 to 5."""
    record = make_record([[FACE, OTHER]] * FRAMES, SIZE)
    here = {0: {0, 1, 2, 3, 8, 9, 10, 11}, 1: {2, 3, 4, 5}}
    frames = (
        msgspec.structs.replace(f, faces=tuple(face for face in f.faces if f.index in here[face.track]))
        for f in record.frames
    )
    return msgspec.structs.replace(record, frames=tuple(frames))


RECORD = record_with_gap()


def course(track, *actions):
    """Boxes of a track by frame after some actions."""
    frames = amend_frames(RECORD, review_of(RECORD, *actions))
    return {frame.index: face.box for frame in frames for face in frame.faces if face.track == track}


def complaint(*actions):
    with pytest.raises(AmendmentError) as caught:
        amend_frames(RECORD, review_of(RECORD, *actions))
    return str(caught.value)


def test_a_record_without_a_review_is_as_it_was_found():
    frames = amend_frames(RECORD)
    assert [[(face.track, face.box) for face in frame.faces] for frame in frames] == [
        [(face.track, face.box) for face in frame.faces] for frame in RECORD.frames
    ]
    assert {face.amendment for frame in frames for face in frame.faces} == {None}


def test_an_added_face_runs_from_keyframe_to_keyframe_on_a_track_of_its_own():
    frames = amend_frames(
        RECORD, review_of(RECORD, Add(keyframes({4: (0, 0, 4, 4), 8: (8, 4, 12, 8), 9: (9, 9, 20, 20)})))
    )
    faces = {frame.index: face for frame in frames for face in frame.faces if face.track == 2}
    assert list(faces) == [4, 5, 6, 7, 8, 9]
    assert faces[6].box == Box(4, 2, 8, 6)
    assert faces[9].box == Box(9, 9, 20, 20)
    assert {(face.origin, face.amendment, face.evidence) for face in faces.values()} == {("reviewer", 1, ())}


def test_boxes_of_a_reviewer_cover_whole_pixels():
    assert course(2, Add(keyframes({0: (0.4, 1.2, 4.3, 5.0), 3: (1.4, 1.2, 5.3, 5.0)}))) == {
        0: Box(0, 1, 5, 5), 1: Box(0, 1, 5, 5), 2: Box(1, 1, 5, 5), 3: Box(1, 1, 6, 5),
    }  # fmt: skip


def test_an_added_track_keeps_its_number_whatever_is_undone():
    add = Add(keyframes({0: FACE}))
    assert set(course(3, add, add)) == {0}
    assert set(course(3, add, add, Undo(1))) == {0}
    assert set(course(2, add, add, Undo(1))) == set()


def test_resizing_changes_the_faces_of_the_range_and_makes_none():
    wide = (0, 0, 20, 20)
    boxes = course(0, Resize(0, keyframes({2: wide, 9: wide})))
    assert boxes == course(0) | dict.fromkeys((2, 3, 8, 9), Box(*wide))


def test_a_resized_face_keeps_its_evidence():
    frames = amend_frames(RECORD, review_of(RECORD, Resize(1, keyframes({2: (0, 0, 20, 20)}))))
    face = frames[2].faces[1]
    assert (face.origin, face.amendment, len(face.evidence)) == ("reviewer", 1, 1)


def test_deleting_a_part_leaves_the_rest():
    assert set(course(0, Delete(0, 2, 9))) == {0, 1, 9, 10, 11}
    assert course(1, Delete(0, 2, 9)) == course(1)


def test_extending_holds_the_nearest_box():
    assert course(1, Extend(1, 0, 2)) == course(1) | {0: Box(*OTHER), 1: Box(*OTHER)}
    resized = Resize(1, keyframes({5: (30, 20, 44, 34)}))
    assert course(1, resized, Extend(1, 6, 8))[7] == Box(30, 20, 44, 34)


def test_extending_over_a_whole_gap_interpolates():
    moved = Resize(0, keyframes({8: (14, 4, 24, 14)}))
    boxes = course(0, moved, Extend(0, 4, 8))
    assert [boxes[index].left for index in (4, 5, 6, 7)] == [6, 8, 10, 12]
    held = course(0, moved, Extend(0, 4, 7))
    assert [held[index].left for index in (4, 5, 6)] == [4, 4, 14]


def test_keeping_a_person_visible_takes_away_the_masks_of_that_track_alone():
    over = Add(keyframes({3: (4, 4, 14, 10)}))
    plans = list(plan_frames(RECORD, review_of(RECORD, over, KeepVisible(0, 2, 9))))
    assert plans[3].boxes == (Box(*OTHER), Box(4, 4, 14, 10))
    assert plans[3].visible == (Box(*FACE),)
    assert [index for index, plan in enumerate(plans) if plan.visible] == [2, 3, 8]
    assert plans[1].boxes == (Box(*FACE),)


def test_a_face_made_after_a_person_was_kept_visible_is_masked():
    plans = list(plan_frames(RECORD, review_of(RECORD, KeepVisible(0, 0, 12), Extend(0, 4, 6))))
    assert [len(plans[index].boxes) for index in (3, 4, 5)] == [1, 2, 2]


def test_covered_frames_are_covered_also_where_somebody_is_visible():
    plans = list(plan_frames(RECORD, review_of(RECORD, Cover(2, 4), KeepVisible(0, 0, 4))))
    assert [plan.covered for plan in plans[:5]] == [False, False, True, True, False]


def test_a_later_amendment_wins():
    first, second = Resize(0, keyframes({1: (0, 0, 8, 8)})), Resize(0, keyframes({1: (0, 0, 30, 30)}))
    assert course(0, first, second)[1] == Box(0, 0, 30, 30)
    assert course(0, second, first)[1] == Box(0, 0, 8, 8)
    assert 1 not in course(0, first, Delete(0, 1, 2))
    assert course(0, Delete(0, 1, 2), Extend(0, 1, 2))[1] == Box(*FACE)


def test_an_undo_of_an_undo_brings_back():
    delete = Delete(0, 0, 12)
    assert course(0, delete) == {}
    assert course(0, delete, Undo(1)) == course(0)
    assert course(0, delete, Undo(1), Undo(2)) == {}
    assert course(0, delete, Undo(1), Undo(2), Undo(3)) == course(0)


def test_accepting_a_spot_changes_no_mask():
    assert list(plan_frames(RECORD, review_of(RECORD, Accept("gap:0:4-8")))) == list(plan_frames(RECORD))


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Delete(0, 4, 8), "track 0 has no face in frames 4 to 7"),
        (Delete(7, 0, 1), "track 7 has no face in frame 0"),
        (KeepVisible(0, 0, 13), "frames 0 to 12 are asked for, and the video has 12, from 0 to 11"),
        (Cover(12, 14), "the video has 12"),
        (Extend(7, 0, 2), "there is no track 7"),
        (Extend(0, 0, 4), "track 0 has a face in each of frames 0 to 3 already"),
        (Resize(0, keyframes({3: FACE, 5: FACE})), "track 0 has no face in frame 5"),
        (Add(keyframes({3: (4, 4, 65, 14)})), r"crosses the border of a 64x48 frame"),
        (Add(keyframes({12: FACE})), "frame 12 are asked for"),
        (Accept("gap:0:4-13"), "the video has 12"),
        (Accept("gap:0:4-4"), "has no frames"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(action, words):
    said = complaint(Cover(0, 1), action)
    assert words in said
    assert "line 2" in said


@st.composite
def boxes(draw):
    left, top = draw(st.integers(0, 5000)) / 100, draw(st.integers(0, 3500)) / 100
    return left, top, left + draw(st.integers(2, 14)), top + draw(st.integers(2, 13))


@st.composite
def ranges(draw):
    start = draw(st.integers(0, FRAMES - 1))
    return start, draw(st.integers(start + 1, FRAMES))


courses = st.dictionaries(st.integers(0, FRAMES - 1), boxes(), min_size=1, max_size=3).map(
    lambda places: keyframes(dict(sorted(places.items())))
)
tracks = st.integers(0, 4)
covering = st.one_of(
    courses.map(Add),
    st.builds(lambda track, span: Extend(track, *span), tracks, ranges()),
    ranges().map(lambda span: Cover(*span)),
    ranges().map(lambda span: Accept(f"gap:0:{span[0]}-{span[1]}")),
)
uncovering = st.one_of(
    st.builds(Resize, tracks, courses),
    st.builds(lambda track, span: Delete(track, *span), tracks, ranges()),
    st.builds(lambda track, span: KeepVisible(track, *span), tracks, ranges()),
    st.integers(1, 5).map(Undo),
)


@st.composite
def reviews(draw, actions):
    """Actions of which each fits what those before it left."""
    fitting = []
    for action in draw(st.lists(actions, max_size=8)):
        if isinstance(action, Undo) and action.amendment > len(fitting):
            continue
        try:
            amend_frames(RECORD, review_of(RECORD, *fitting, action))
        except RecordError:
            continue
        fitting.append(action)
    return fitting


@settings(deadline=None, max_examples=60)
@given(reviews(covering | uncovering))
def test_folding_is_deterministic_and_goes_on_from_what_was(actions):
    review = review_of(RECORD, *actions)
    once = amend_frames(RECORD, review)
    assert amend_frames(RECORD, review) == once
    for length in range(len(actions)):
        shorter = msgspec.structs.replace(review, amendments=review.amendments[:length])
        assert amend_frames(RECORD, shorter) == amend_frames(RECORD, review_of(RECORD, *actions[:length]))
    size = RECORD.display
    assert all(face.box.is_within(size) for frame in once for face in frame.faces)
    made = [face.box for frame in once for face in frame.faces if face.origin == "reviewer"]
    assert all(box.to_pixel_bounds() == msgspec.structs.astuple(box) for box in made)


@settings(deadline=None, max_examples=60)
@given(reviews(covering | uncovering), covering | uncovering)
def test_undoing_restores_exactly(actions, last):
    before = amend_frames(RECORD, review_of(RECORD, *actions))
    try:
        after = amend_frames(RECORD, review_of(RECORD, *actions, last))
    except (RecordError, ValueError):
        return
    number = len(actions) + 1
    undone = [*actions, last, Undo(number)]
    assert amend_frames(RECORD, review_of(RECORD, *undone)) == before
    assert amend_frames(RECORD, review_of(RECORD, *undone, Undo(number + 1))) == after


def pixels(plan):
    """Which pixels a plan masks."""
    masked = np.full((SIZE.height, SIZE.width), plan.covered)
    for box in plan.boxes:
        left, top, right, bottom = box.to_pixel_bounds()
        masked[top:bottom, left:right] = True
    return masked


@settings(deadline=None, max_examples=40)
@given(reviews(covering | uncovering), covering)
def test_covering_never_loses_a_pixel(actions, last):
    before = list(plan_frames(RECORD, review_of(RECORD, *actions)))
    try:
        after = list(plan_frames(RECORD, review_of(RECORD, *actions, last)))
    except RecordError:
        return
    for one, other in zip(before, after, strict=True):
        assert not (pixels(one) & ~pixels(other)).any()


def test_the_number_of_a_new_track_can_be_asked_for():
    assert AmendedRecord(RECORD, review_of(RECORD, Cover(0, 1), Add(keyframes({0: FACE})))).get_added_track(2) == 2


def test_frames_are_covered_by_the_amendment_that_says_so():
    damaged = msgspec.structs.replace(RECORD, damaged=(5,))
    frames = amend_frames(damaged, review_of(damaged, Cover(1, 2)))
    assert [(frame.index, frame.amendment) for frame in frames if frame.covered] == [(1, 1), (5, None)]
