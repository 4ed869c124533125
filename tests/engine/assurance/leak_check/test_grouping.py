from engine.assurance.leak_check.grouping import (
    build_leak,
    find_mask_over,
    is_confirmed,
    link_detections,
    split_by_mask,
)
from engine.assurance.leak_check.report import LeakSettings, OutputDetection
from engine.core.geometry import Box
from engine.review.apply import AmendedFace, AmendedFrame

BOX = Box(100, 80, 140, 120)
SETTINGS = LeakSettings()


def glimpse(frame, box=BOX, score=0.9, detector="centerface"):
    return OutputDetection(frame, box, score, detector)


def frame(*faces, covered=False, index=0):
    return AmendedFrame(index, index, faces, covered)


def face(box, *, visible=False):
    return AmendedFace(3, box, "detected", (), visible=visible)


def test_a_find_whose_middle_is_masked_lies_under_the_mask():
    assert find_mask_over(BOX, frame(face(BOX.scale(1.1)))).track == 3
    assert find_mask_over(BOX, frame(face(Box(100, 80, 115, 120)))) is None
    assert find_mask_over(BOX, frame()) is None


def test_finds_are_told_apart_by_where_they_are():
    frames = [frame(face(BOX)), frame(face(BOX, visible=True), index=1), frame(covered=True, index=2), frame(index=3)]
    sifted = split_by_mask([glimpse(index) for index in range(4)], frames)
    assert [one.frame for one in sifted.unmasked] == [3]
    assert [(one.frame, mask.track) for one, mask in sifted.masked] == [(0, 3)]


def test_finds_of_one_face_belong_together_also_across_frames_nobody_looked_at():
    groups = link_detections(
        [glimpse(0), glimpse(12), glimpse(24), glimpse(90), glimpse(0, Box(10, 10, 40, 40))], (), 24
    )
    assert sorted(len(group) for group in groups) == [1, 1, 3]


def test_a_cut_parts_them():
    assert len(link_detections([glimpse(5), glimpse(6)], (6,), 24)) == 2


def test_two_detectors_in_one_frame_are_believed_and_one_alone_in_one_frame_is_not():
    assert is_confirmed([glimpse(5, score=0.6), glimpse(5, score=0.6, detector="mtcnn")], SETTINGS)
    assert not is_confirmed([glimpse(5, score=0.99)], SETTINGS)
    assert not is_confirmed([glimpse(5, score=0.6), glimpse(6, score=0.6, detector="mtcnn")], SETTINGS)
    assert not is_confirmed([glimpse(5, score=0.6), glimpse(5, score=0.4, detector="mtcnn")], SETTINGS)


def test_one_detector_alone_is_never_believed_however_often_it_is_sure():
    assert not is_confirmed([glimpse(index, score=0.99) for index in range(9)], SETTINGS)


def test_a_leak_is_named_after_where_it_is_seen_best():
    leak = build_leak([glimpse(5, score=0.7), glimpse(7), glimpse(9, score=0.8)], "unrecorded", None)
    assert (leak.key, leak.frame, leak.first, leak.last) == ("unrecorded:7:100-80-140-120", 7, 5, 9)
    assert "frames 5 to 9" in leak.finding
