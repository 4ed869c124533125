import msgspec
import pytest

from engine.assurance.leak_check.missing_masks import find_missing_masks
from engine.core.geometry import Box, Size
from engine.record import Detection, SmoothingSettings
from engine.timeline.build import build_timeline
from tests.record_makers import make_record

PLAIN = make_record([[]])
SETTINGS = PLAIN.detection


def made(seen, frames=80, cuts=()):
    """The record that a detection writes of a face that moves to the right and is seen where `seen(index)` holds."""
    values = [1.0 if index in cuts else 0.0 for index in range(frames)]
    detections = [
        [Detection("mtcnn", Box(100 + index, 80, 140 + index, 130), 0.99)] if seen(index) else []
        for index in range(frames)
    ]
    timeline = build_timeline(detections, values, Size(320, 240), SETTINGS)
    record = make_record([[] for _ in range(frames)], cuts=timeline.cuts)
    parts = [
        msgspec.structs.replace(frame, faces=tuple(faces))
        for frame, faces in zip(record.frames, timeline.faces, strict=True)
    ]
    return msgspec.structs.replace(record, frames=tuple(parts))


def box_of(edges):
    return Box(*edges)


def without(record, gone):
    frames = (msgspec.structs.replace(frame, faces=()) if frame.index in gone else frame for frame in record.frames)
    return msgspec.structs.replace(record, frames=tuple(frames))


@pytest.mark.parametrize(
    "seen",
    [
        lambda _: True,
        lambda index: 20 <= index < 60,
        lambda index: index % 7 == 0,
        lambda index: index in {3, 4, 5, 30, 31, 70},
        lambda index: index == 40,
        lambda index: index < 20 or index >= 60,
    ],
)
def test_a_record_as_detection_writes_it_lacks_nothing(seen):
    assert list(find_missing_masks(made(seen))) == []
    assert list(find_missing_masks(made(seen, cuts={25}))) == []


@pytest.mark.parametrize("gone", [range(30, 31), range(35, 50), range(12, 30), range(50, 80), range(55, 62)])
def test_what_was_taken_out_of_a_track_is_missed_in_its_frames(gone):
    whole = made(lambda index: 20 <= index < 60)
    bad = without(whole, gone)
    missed = {one.frame_index for one in find_missing_masks(bad)}
    assert missed
    assert missed <= {frame.index for frame in whole.frames if frame.faces and frame.index in gone} | set(gone)
    (box,) = {one.frame_index: one.box for one in find_missing_masks(bad) if one.frame_index == min(missed)}.values()
    assert box.iou(whole.frames[min(missed)].faces[0].box) > 0.5


def test_a_face_that_may_have_left_the_picture_owes_nothing():
    leaving = made(lambda _: True)
    frames = [
        msgspec.structs.replace(
            frame,
            faces=tuple(msgspec.structs.replace(face, box=box_of((0, 80, 40, 130))) for face in frame.faces)
            if frame.index < 40
            else (),
        )
        for frame in leaving.frames
    ]
    assert list(find_missing_masks(msgspec.structs.replace(leaving, frames=tuple(frames)))) == []


def test_live_records_and_single_pictures_owe_nothing():
    bad = without(made(lambda _: True), range(30, 40))
    assert list(find_missing_masks(bad))
    live = msgspec.structs.replace(bad, detection=msgspec.structs.replace(bad.detection, mode="live"))
    assert list(find_missing_masks(live)) == []
    assert list(find_missing_masks(make_record([[(100, 80, 140, 130)]]))) == []


def test_gaps_that_the_settings_leave_open_owe_nothing():
    bad = without(made(lambda _: True), range(30, 40))
    settings = SmoothingSettings(gap_s=0.2)
    loose = msgspec.structs.replace(bad, detection=msgspec.structs.replace(bad.detection, smoothing=settings))
    assert list(find_missing_masks(loose)) == []
