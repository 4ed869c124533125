import hypothesis.strategies as st
import pytest
from hypothesis import given

from engine.core.geometry import Box
from engine.errors import InputError
from engine.evaluation import ground_truth
from tests.engine.evaluation.truth_makers import make_truth

HEAD = "file,frame,x,y,w,h,ignore\n"


def faces_of(table):
    return [face for clip in table.clips for frame in clip.frames for face in frame.faces]


def test_a_row_is_a_face_with_left_top_width_and_height():
    table = make_truth("a.jpg,0,10,20.5,30,40,0", "a.jpg,,-5,0,9,9,1")
    (clip,) = table.clips
    assert (clip.name, clip.sequence) == ("a.jpg", False)
    assert [(face.box, face.ignore) for face in clip.frames[0].faces] == [
        (Box(10, 20.5, 40, 60.5), False),
        (Box(-5, 0, 4, 9), True),
    ]


def test_ignore_may_be_absent_or_empty():
    assert [face.ignore for face in faces_of(make_truth("a.mp4,3,0,0,9,9", header="file,frame,x,y,w,h"))] == [False]
    assert [face.ignore for face in faces_of(make_truth("a.mp4,3,0,0,9,9,"))] == [False]


def test_other_columns_are_attributes_and_track_is_its_own():
    table = make_truth("7,frontal,v.mp4,0,1,2,3,4", header="track,view,file,frame,x,y,w,h")
    (face,) = faces_of(table)
    assert (face.track, face.attributes, table.columns) == ("7", {"view": "frontal"}, ("view",))


def test_frames_of_a_video_come_in_order_whatever_the_order_of_rows():
    table = make_truth("v.mp4,9,0,0,5,5,0", "v.mp4,2,0,0,5,5,0", "w.mp4,4,0,0,5,5,0", "v.mp4,2,50,0,5,5,0")
    assert [(clip.name, [frame.number for frame in clip.frames]) for clip in table.clips] == [
        ("v.mp4", [2, 9]),
        ("w.mp4", [4]),
    ]
    assert len(table.clips[0].frames[0].faces) == 2


def test_stills_with_frame_numbers_are_one_sequence_named_by_their_folder():
    table = make_truth("d/img/1.png,0,0,0,5,5,0", "d/img/6.png,5,0,0,5,5,0", "photos/1.png,0,0,0,5,5,0")
    assert [(clip.name, clip.sequence) for clip in table.clips] == [("d/img", True), ("photos/1.png", False)]
    assert [frame.file for frame in table.clips[0].frames] == ["d/img/1.png", "d/img/6.png"]


def test_videos_in_one_folder_stay_apart():
    table = make_truth("d/a.mp4,1,0,0,5,5,0", "d/b.mp4,2,0,0,5,5,0")
    assert [clip.name for clip in table.clips] == ["d/a.mp4", "d/b.mp4"]


def test_a_row_without_a_box_is_a_frame_without_a_face():
    (clip,) = make_truth("v.mp4,3,,,,,").clips
    assert [(frame.number, frame.faces) for frame in clip.frames] == [(3, ())]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("a.jpg,0,x,2,3,4,0", "line 2, column x: expected a number of pixels, got 'x'"),
        ("a.jpg,0,nan,2,3,4,0", "line 2, column x: .* got 'nan'"),
        ("a.jpg,0,1e999,2,3,4,0", "line 2, column x: .* got '1e999'"),
        ("a.jpg,0,1,2,3,4,0\na.jpg,0,1,,3,4,0", "line 3, column y: .* got ''"),
        ("a.jpg,0,1,2,0,4,0", "line 2, column w: expected a number of pixels above 0, got '0'"),
        ("a.jpg,0,1,2,3,-4,0", "line 2, column h: .* above 0, got '-4'"),
        ("a.jpg,1.5,1,2,3,4,0", "line 2, column frame: expected a whole number from 0, or nothing, got '1.5'"),
        ("a.jpg,-1,1,2,3,4,0", "line 2, column frame"),
        ("a.jpg,0,1,2,3,4,yes", "line 2, column ignore: expected 0, 1 or nothing, got 'yes'"),
        (",0,1,2,3,4,0", "line 2, column file: expected a file name"),
        ("a.jpg,0,1,2,3,4", "line 2: expected 7 columns, as in line 1, got 6"),
        ("a.jpg,0,1,2,3,4,0,9", "line 2: expected 7 columns, as in line 1, got 8"),
        ('"a.jpg,0,1,2,3,4,0', "line 2: unexpected end of data"),
        ("a.mp4,1,1,2,3,4,0\n\na.mp4,1,1,2,3,4,1", "line 4 says the same as line 2"),
        ("a.mp4,1,1,2,3,4,0\na.mp4,1,,,,,", "line 3, column x: no box says that the frame shows no face"),
        ("d/1.png,0,1,2,3,4,0\nd/1.png,1,1,2,3,4,0", "line 3, column frame: d/1.png is frame 0 in an earlier line, 1"),
        ("d/1.png,1,1,2,3,4,0\nd/2.png,1,1,2,3,4,0", "line 3, column frame: 1 is also the frame of d/1.png"),
        ("", "a header and no rows"),
    ],
)
def test_a_wrong_cell_is_named(rows, complaint):
    with pytest.raises(InputError, match=f"^t.csv.* ?{complaint}"):
        ground_truth.parse_truth(HEAD + rows, "t.csv")


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("file,frame,x,y,w,ignore", "column h is missing"),
        ("file,frame,x,y,w,h,x", "column 'x' occurs twice"),
        ("", "column file, frame, x, y, w, h is missing"),
    ],
)
def test_a_wrong_header_is_named(header, complaint):
    with pytest.raises(InputError, match=complaint):
        ground_truth.parse_truth(header + "\na.jpg,0,1,2,3,4,0\n")


def test_a_file_as_spreadsheets_save_it_is_read(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode() + b"a.jpg,0,1,2,3,4,0\r\n")
    assert [face.box for face in faces_of(ground_truth.read_truth(path))] == [Box(1, 2, 4, 6)]


def test_a_file_that_cannot_be_read_is_said(tmp_path):
    with pytest.raises(InputError, match=r"gone\.csv cannot be read"):
        ground_truth.read_truth(tmp_path / "gone.csv")
    (tmp_path / "latin.csv").write_bytes(HEAD.encode() + b"\xe9.jpg,0,1,2,3,4,0\n")
    with pytest.raises(InputError, match=r"latin\.csv is not UTF-8 text \(byte 26\)"):
        ground_truth.read_truth(tmp_path / "latin.csv")


def test_choosing_faces_by_a_column_ignores_the_others():
    head = "file,frame,x,y,w,h,ignore,view"
    table = make_truth("v.mp4,0,0,0,5,5,0,rear", "v.mp4,1,0,0,5,5,0,front", "v.mp4,2,0,0,5,5,1,front", header=head)
    assert [face.ignore for face in faces_of(table.ignore_others("view", {"front"}))] == [True, False, True]
    with pytest.raises(InputError, match="no column 'pose' to choose faces by; it has view"):
        table.ignore_others("pose", {"front"})


def test_the_centre_of_a_head_is_its_face_and_ignored_boxes_stay_whole():
    table = make_truth("v.mp4,0,100,200,50,100,0", "v.mp4,1,100,200,50,100,1").shrink_to_centre(0.6)
    edges = [(face.box.left, face.box.top, face.box.right, face.box.bottom) for face in faces_of(table)]
    assert edges[0] == pytest.approx((110, 220, 140, 280))
    assert edges[1] == (100, 200, 150, 300)


numbers = st.floats(-1e6, 1e6, allow_nan=False)
lengths = st.floats(0.01, 1e4)


@given(st.lists(st.tuples(numbers, numbers, lengths, lengths), min_size=1, max_size=8, unique=True))
def test_what_is_written_is_read(boxes):
    rows = [f"v.mp4,{frame},{x!r},{y!r},{w!r},{h!r},0" for frame, (x, y, w, h) in enumerate(boxes)]
    read = [(face.box.left, face.box.top, face.box.right, face.box.bottom) for face in faces_of(make_truth(*rows))]
    assert read == [(x, y, x + w, y + h) for x, y, w, h in boxes]
