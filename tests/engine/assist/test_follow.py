"""A face followed both ways through a clip, and what becomes of it in a review."""

import pytest

from engine.assist import describe_end, follow_face
from engine.assist.face_path import PathEnd
from engine.core.geometry import Box
from engine.errors import InputError
from engine.record import encode_document
from engine.review.amendments import Add, Author
from engine.review.apply import AmendedRecord
from engine.review.editor import ReviewEditor
from tests.assist_makers import CUT, place


def test_a_face_is_followed_both_ways_to_the_start_and_to_a_cut(moving, amended):
    done = []

    class Listener:
        def progress(self, stage, count, total):
            done.append((stage, count, total))

        def notice(self, message):
            raise AssertionError(message)

    followed = follow_face(moving, amended, 12, place(12), Listener())
    assert (followed.span, followed.before, followed.after) == ((0, CUT), PathEnd("video"), PathEnd("cut"))
    assert done[-1] == ("follow", CUT - 1, CUT)
    assert len(followed.keyframes) < 6
    assert describe_end(followed.before, backwards=True) == "start of the video"
    assert describe_end(followed.after) == "scene cut"


def test_a_followed_face_is_an_ordinary_amendment(moving, amended, tmp_path):
    record = tmp_path / "record.json"
    record.write_bytes(encode_document(amended.record))
    editor = ReviewEditor(record, tmp_path / "review.jsonl", Author("jdoe", "Jane Doe"))
    followed = follow_face(moving, editor.amended, 12, place(12)).cut(5, 20)
    added = editor.add_face(followed.boxes, followed.reason)
    assert isinstance(added.action, Add)
    assert added.reason == "followed from frame 12"
    masked = [index for index in range(CUT) if editor.load_frame(index).faces]
    assert masked == list(range(5, 20))
    for index in masked:
        assert editor.load_frame(index).faces[0].box.iou(place(index)) > 0.85
    # What is masked already is where the next one ends.
    again = follow_face(moving, AmendedRecord(editor.record, editor.review), 2, place(2))
    assert (again.span, again.after) == ((0, 5), PathEnd("masked", 0))


@pytest.mark.parametrize(
    ("frame", "box", "says"),
    [(99, place(0), "no frame 99"), (0, Box(300, 0, 340, 40), "inside of the 240x160 picture")],
)
def test_what_cannot_be_followed_is_refused(moving, amended, frame, box, says):
    with pytest.raises(InputError, match=says):
        follow_face(moving, amended, frame, box)


def test_a_part_outside_of_the_followed_frames_is_refused(moving, amended):
    with pytest.raises(InputError, match="followed in frames 0 to 23"):
        follow_face(moving, amended, 12, place(12)).cut(25, 30)
