import pytest

from engine.core.geometry import Box
from engine.errors import RecordError
from engine.review import Author, ReviewEditor
from engine.review.descriptions import describe_action
from tests.record_makers import make_record, written

FACE = (4, 4, 44, 44)


@pytest.fixture
def sheet(tmp_path):
    record = make_record([[FACE]] * 5 + [[]] * 5 + [[FACE]] * 10)
    return ReviewEditor(written(record, tmp_path / "r.json"), tmp_path / "review.jsonl", Author("jdoe", "Jane Doe"))


def test_a_notebook_can_do_all_that_a_reviewer_can(sheet):
    sheet.add_face({0: (100, 100, 140, 140), 4: Box(120, 100, 160, 140)}, "missed")
    sheet.resize_face(0, {1: (0, 0, 50, 50)})
    sheet.delete_face(0, 12, 13, "a poster")
    sheet.keep_visible(0, 14, 15, "gave consent")
    sheet.extend_track(0, 5, 10)
    sheet.cover_frames(18, 20)
    accepted = sheet.accept_item(sheet.list_review_items()[0])
    sheet.undo_amendment(accepted)
    assert [face.box for face in sheet.load_frame(2).faces] == [Box(4, 4, 44, 44), Box(110, 100, 150, 140)]
    assert sheet.load_frame(1).faces[0].box == Box(0, 0, 50, 50)
    assert [len(sheet.load_frame(index).faces) for index in (5, 9, 12)] == [1, 1, 0]
    assert sheet.load_frame(14).faces[0].visible
    assert sheet.load_frame(19).covered
    assert [describe_action(amendment.action) for amendment in sheet.review.amendments] == [
        "add a face in frames 0 to 4", "resize track 0 in frame 1", "remove the mask of track 0 in frame 12",
        "keep track 0 visible in frame 14", "extend track 0 through frames 5 to 9", "cover frames 18 to 19 whole",
        f"accept the item {accepted.action.spot}", "undo amendment 7",
    ]  # fmt: skip


def test_spots_follow_what_was_amended(sheet):
    (hole,) = (spot for spot in sheet.list_review_items() if spot.kind == "hole")
    number = sheet.extend_track(0, hole.start, hole.stop).number
    (hole,) = (spot for spot in sheet.list_review_items() if spot.kind == "hole")
    assert (hole.state, hole.closed_by) == ("amended", number)


def test_only_spots_of_the_record_can_be_accepted(sheet):
    with pytest.raises(RecordError, match="no item to check with the key gap:0:1-3"):
        sheet.accept_item("gap:0:1-3")


@pytest.mark.parametrize(
    ("amend", "words"),
    [
        (lambda sheet: sheet.add_face({3: (1, 2, 3)}), "box in frame 3"),
        (lambda sheet: sheet.add_face({3: (9, 9, 1, 1)}), "box in frame 3"),
        (lambda sheet: sheet.cover_frames(3, 3), "start < stop"),
        (lambda sheet: sheet.undo_amendment(1), "earlier one only"),
        (lambda sheet: sheet.repair_file(), "nothing to repair"),
    ],
)
def test_what_is_no_amendment_is_said(sheet, amend, words):
    with pytest.raises(RecordError, match=words):
        amend(sheet)
    assert sheet.review.amendments == ()
