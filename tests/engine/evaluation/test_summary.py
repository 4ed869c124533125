import json

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings

from engine.errors import InputError
from engine.evaluation.judgements import Criteria, judge_records
from engine.evaluation.scores import Evaluation
from engine.evaluation.summary import evaluate, find_worst_misses, summarise
from engine.masking.style import Style
from engine.record import encode_document
from tests.engine.evaluation.truth_makers import SIZE, make_truth, record_of, truth_row

SMALL, MIDDLE, LARGE = (10, 10, 30, 30), (100, 100, 140, 140), (300, 300, 400, 420)
EXACT = Style(method="solid", shape="rectangle", scale=1.0, feather=0.0)
QUICK = Criteria(resamples=200)


def photograph(*boxes, ignored=(), name="a.jpg"):
    rows = [truth_row(name, 0, box) for box in boxes] + [truth_row(name, 0, box, ignore=1) for box in ignored]
    return make_truth(*rows)


def moved(box, x=0, y=0):
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def test_figures_overall_and_by_size():
    """Three faces of three sizes; the middle one is missed, and one large box is false."""
    record = record_of([[SMALL, LARGE, (600, 300, 700, 400)]])
    result = evaluate(photograph(SMALL, MIDDLE, LARGE), {"a.jpg": record}, QUICK, EXACT)
    assert (result.faces, result.found, result.recall) == (3, 2, pytest.approx(2 / 3))
    assert (result.boxes, result.false_boxes, result.precision) == (3, 1, pytest.approx(2 / 3))
    assert (result.frames, result.false_per_frame) == (1, 1.0)
    assert (result.covered, result.coverage) == (2, pytest.approx(2 / 3))
    by_size = {
        size: (scores.faces, scores.recall, scores.coverage, scores.false_per_frame, scores.precision)
        for size, scores in result.by_size.items()
    }
    assert by_size == {
        "under_24": (1, 1.0, 1.0, 0.0, 1.0),
        "from_24_to_48": (1, 0.0, 0.0, 0.0, None),
        "from_48": (1, 1.0, 1.0, 1.0, 0.5),
    }


@pytest.mark.parametrize(
    ("height", "size"), [(23.99, "under_24"), (24, "from_24_to_48"), (47.99, "from_24_to_48"), (48, "from_48")]
)
def test_sizes_begin_at_their_lower_end(height, size):
    box = (0, 0, 40, height)
    result = evaluate(photograph(box), {"a.jpg": record_of([[box]])}, QUICK)
    assert [name for name, scores in result.by_size.items() if scores.faces] == [size]


def test_a_face_is_found_at_the_iou_asked_for():
    record = {"a.jpg": record_of([[(300, 300, 400, 360)]])}  # half of LARGE
    truth = photograph(LARGE)
    assert evaluate(truth, record, Criteria(iou=0.5)).recall == 1.0
    assert evaluate(truth, record, Criteria(iou=0.51)).recall == 0.0


def test_detectors_alone_and_together():
    """a finds the first face, b the second; c finds the first one too and is wrong elsewhere."""
    faces = [
        (LARGE, {"a": LARGE, "c": LARGE}),
        (MIDDLE, {"b": MIDDLE}),
        ((600, 300, 700, 400), {"c": (600, 300, 700, 400)}),
    ]
    truth, record = photograph(LARGE, MIDDLE, SMALL), record_of([faces], detectors=("a", "b", "c"))
    result = evaluate(truth, {"a.jpg": record}, QUICK)
    figures = {scores.detectors: (scores.found, scores.boxes, scores.false_boxes) for scores in result.by_detectors}
    assert figures == {
        ("a",): (1, 1, 0),
        ("b",): (1, 1, 0),
        ("c",): (1, 2, 1),
        ("a", "b"): (2, 2, 0),
        ("a", "c"): (1, 2, 1),
        ("b", "c"): (2, 3, 1),
        ("a", "b", "c"): (2, 3, 1),
    }
    assert result.by_detectors[0].by_size["from_48"].recall == 1.0
    assert (result.found, result.false_boxes) == (2, 1)


def test_a_detector_is_judged_by_its_own_box():
    """The record's box was grown beyond the face; the detector's was right. And the other way round."""
    truth = photograph(LARGE)
    wide, off = (200, 200, 600, 600), moved(LARGE, x=90)
    grown = evaluate(truth, {"a.jpg": record_of([[(wide, {"a": LARGE})]], ("a",))}, QUICK)
    assert (grown.recall, grown.by_detectors[0].recall, grown.coverage) == (0.0, 1.0, 1.0)
    fused = evaluate(truth, {"a.jpg": record_of([[(LARGE, {"a": off})]], ("a",))}, QUICK)
    assert (fused.recall, fused.by_detectors[0].recall) == (1.0, 0.0)


def test_interpolated_faces_are_the_records_alone():
    result = evaluate(photograph(LARGE), {"a.jpg": record_of([[LARGE]], ("a",))}, QUICK)
    assert (result.recall, result.by_detectors[0].recall, result.by_detectors[0].boxes) == (1.0, 0.0, 0)


def test_detectors_that_did_not_run_everywhere_have_no_figures():
    truth = make_truth(truth_row("a.jpg", 0, LARGE), truth_row("b.jpg", 0, LARGE))
    records = {"a.jpg": record_of([[LARGE]], ("a", "b")), "b.jpg": record_of([[LARGE]], ("b", "c"))}
    assert [scores.detectors for scores in evaluate(truth, records, QUICK).by_detectors] == [("b",)]


def test_a_box_on_an_ignored_face_counts_neither_way():
    inside = (310, 310, 340, 340)
    result = evaluate(photograph(SMALL, ignored=[LARGE]), {"a.jpg": record_of([[SMALL, LARGE, inside]])}, QUICK)
    assert (result.faces, result.boxes, result.false_boxes, result.recall) == (1, 1, 0, 1.0)


def test_a_face_beside_an_ignored_one_is_still_found():
    result = evaluate(photograph(LARGE, ignored=[moved(LARGE, x=10)]), {"a.jpg": record_of([[LARGE]])}, QUICK)
    assert (result.recall, result.precision, result.boxes) == (1.0, 1.0, 1)


def test_an_ignored_box_outside_the_picture_does_not_matter():
    result = evaluate(photograph(LARGE, ignored=[(2000, 0, 2050, 50)]), {"a.jpg": record_of([[LARGE]])}, QUICK)
    assert (result.faces, result.recall) == (1, 1.0)


def test_a_face_is_covered_by_the_share_asked_for():
    truth, record = photograph(LARGE), {"a.jpg": record_of([[(300, 300, 400, 405)]])}  # 87.5 % of it
    assert evaluate(truth, record, Criteria(hidden=0.875), EXACT).coverage == 1.0
    assert evaluate(truth, record, Criteria(), EXACT).coverage == 0.0
    assert evaluate(truth, record, Criteria()).coverage == 1.0  # the mask of the preset is larger than the box


def test_a_face_may_be_covered_by_the_mask_of_another():
    result = evaluate(photograph(LARGE, (320, 320, 350, 350)), {"a.jpg": record_of([[LARGE]])}, QUICK)
    assert (result.found, result.covered) == (1, 2)


def test_a_frame_that_a_render_covers_whole_shows_nothing():
    truth = make_truth(truth_row("v.mp4", 0, LARGE), truth_row("v.mp4", 1, LARGE))
    result = evaluate(truth, {"v.mp4": record_of([[], []], damaged=(1,))}, QUICK)
    assert (result.found, result.covered) == (0, 1)


def test_truth_is_clipped_to_the_picture_as_records_are():
    over = (900, 700, 1100, 900)
    result = evaluate(photograph(over), {"a.jpg": record_of([[(900, 700, SIZE.width, SIZE.height)]])}, QUICK, EXACT)
    assert (result.recall, result.coverage) == (1.0, 1.0)


def test_the_centre_of_a_head_is_taken_for_its_face():
    head, face = (300, 300, 400, 400), (320, 320, 380, 380)
    truth, record = photograph(head), {"a.jpg": record_of([[face]])}
    assert evaluate(truth, record, QUICK, EXACT).coverage == 0.0
    assert evaluate(truth, record, Criteria(centre=0.6), EXACT).coverage == 1.0


def test_only_frames_that_somebody_looked_at_are_judged_unless_all_are_asked_for():
    truth = make_truth(truth_row("v.mp4", 2, LARGE), "v.mp4,3,,,,,")
    record = {"v.mp4": record_of([[SMALL], [SMALL], [LARGE], [SMALL], []])}
    listed, every = evaluate(truth, record, QUICK), evaluate(truth, record, Criteria(frames="all"))
    assert (listed.frames, listed.false_boxes, listed.false_per_frame) == (2, 1, 0.5)
    assert (every.frames, every.false_boxes, every.false_per_frame) == (5, 3, 0.6)


def test_a_sequence_has_one_record_or_one_a_still():
    truth = make_truth(truth_row("d/1.png", 0, LARGE), truth_row("d/6.png", 5, SMALL))
    whole = evaluate(truth, {"d": record_of([[LARGE], [], [], [], [], [SMALL]])}, QUICK)
    single = evaluate(truth, {"d/1.png": record_of([[LARGE]]), "d/6.png": record_of([[SMALL]])}, QUICK)
    assert whole == single
    assert (whole.recall, whole.frames) == (1.0, 2)


def test_a_file_without_a_record_is_an_error_unless_left_out():
    truth = make_truth(truth_row("a.jpg", 0, LARGE), truth_row("b.jpg", 0, LARGE))
    records = {"a.jpg": record_of([[LARGE]])}
    with pytest.raises(InputError, match=r"truth\.csv names 1 file\(s\) that have no record, the first is b\.jpg"):
        evaluate(truth, records)
    result = evaluate(truth, records, QUICK, partial=True)
    assert (result.unrecorded, result.faces, result.recall) == (("b.jpg",), 1, 1.0)


def test_a_still_without_a_record_is_named():
    truth = make_truth(truth_row("d/1.png", 0, LARGE), truth_row("d/6.png", 5, SMALL))
    with pytest.raises(InputError, match=r"1 file\(s\) that have no record, the first is d/6\.png"):
        evaluate(truth, {"d/1.png": record_of([[LARGE]])})


@pytest.mark.parametrize(
    ("name", "frame", "box", "complaint"),
    [
        ("b.mp4", 0, LARGE, r"There is a record for b\.mp4, which truth\.csv does not name"),
        ("a.mp4", 3, LARGE, r"a\.mp4 frame 3 is not in its record, which has 1 frame\(s\)"),
        (
            "a.mp4",
            0,
            (2000, 5, 2050, 60),
            r"a\.mp4 frame 0 has a face at 2000,5 that lies outside the 1000x800 picture",
        ),
    ],
)
def test_a_record_of_something_else_is_refused(name, frame, box, complaint):
    with pytest.raises(InputError, match=complaint):
        evaluate(make_truth(truth_row("a.mp4", frame, box)), {name: record_of([[LARGE]])})


def test_without_any_record_there_are_no_figures():
    result = evaluate(photograph(LARGE), {}, QUICK, partial=True)
    assert (result.frames, result.recall, result.false_per_frame, result.by_detectors) == (0, None, None, ())
    assert result.unrecorded == ("a.jpg",)


def test_nothing_to_find_has_no_recall():
    result = evaluate(make_truth("a.jpg,0,,,,,"), {"a.jpg": record_of([[SMALL]])}, QUICK)
    assert (result.faces, result.recall, result.coverage, result.false_per_frame) == (0, None, None, 1.0)


def test_intervals_come_from_images_and_one_image_has_none():
    rows = [truth_row(f"{name}.jpg", 0, LARGE) for name in range(40)]
    records = {f"{name}.jpg": record_of([[LARGE] if name % 4 else [SMALL]]) for name in range(40)}
    result = evaluate(make_truth(*rows), records)
    low, high = result.recall_interval
    assert result.recall == 0.75
    assert low == pytest.approx(0.75 - 1.96 * (0.75 * 0.25 / 40) ** 0.5, abs=0.03)
    assert high == pytest.approx(0.75 + 1.96 * (0.75 * 0.25 / 40) ** 0.5, abs=0.03)
    assert result.coverage_interval == result.recall_interval
    assert result.false_per_frame_interval == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert evaluate(photograph(LARGE), {"a.jpg": record_of([[LARGE]])}).recall_interval is None


def test_the_result_is_a_document():
    truth, record = photograph(SMALL, MIDDLE), {"a.jpg": record_of([[SMALL]])}
    result = evaluate(truth, record, QUICK)
    assert msgspec.json.decode(encode_document(result), type=Evaluation) == result
    document = json.loads(encode_document(result))
    assert (document["recall"], document["by_size"]["under_24"]["coverage"], document["schema"]) == (
        0.5,
        1.0,
        "veil/evaluation/1",
    )


@pytest.mark.parametrize(
    ("faces", "ratio"),
    [
        ([], 0.0),
        ([LARGE], 1.0),
        ([LARGE, LARGE], 1.0),
        ([moved(LARGE, x=50), LARGE], 1.5),
        ([LARGE, (600, 300, 700, 420)], 2.0),
    ],
    ids=["no mask", "exact", "twice the same", "half beside", "one false"],
)
def test_the_area_of_masks_is_measured_against_that_of_heads(faces, ratio):
    result = evaluate(photograph(LARGE), {"a.jpg": record_of([faces])}, QUICK, EXACT)
    assert (result.head_area, result.mask_area_ratio) == (12000, ratio)


def test_areas_leave_out_ignored_faces_and_have_whole_head_boxes():
    truth, record = photograph(LARGE, ignored=[MIDDLE]), {"a.jpg": record_of([[LARGE, MIDDLE]])}
    assert evaluate(truth, record, QUICK, EXACT).mask_area == 12000
    halves = evaluate(truth, record, Criteria(centre=0.5, resamples=200), EXACT)
    assert halves.head_area == 12000


def test_frames_covered_whole_have_no_area_of_masks():
    truth = make_truth(truth_row("v.mp4", 0, LARGE), truth_row("v.mp4", 1, LARGE))
    result = evaluate(truth, {"v.mp4": record_of([[LARGE], []], damaged=(0,))}, QUICK, EXACT)
    assert (result.head_area, result.mask_area) == (12000, 0)


def test_the_worst_misses_are_the_largest():
    rows = [truth_row("v.mp4", 0, SMALL), truth_row("v.mp4", 1, LARGE), truth_row("v.mp4", 2, MIDDLE)]
    findings = judge_records(
        make_truth(*rows), {"v.mp4": record_of([[], [moved(LARGE, x=40, y=40)], [MIDDLE]])}, QUICK, EXACT
    )
    assert [(miss.frame, miss.height, miss.found) for miss in find_worst_misses(findings)] == [
        (1, 120.0, False),
        (0, 20.0, False),
    ]
    assert find_worst_misses(findings)[0].hidden == pytest.approx(0.6 * 80 / 120)
    assert len(find_worst_misses(findings, limit=1)) == 1


def test_what_is_found_may_still_show():
    findings = judge_records(photograph(LARGE), {"a.jpg": record_of([[moved(LARGE, x=30)]])}, QUICK, EXACT)
    assert find_worst_misses(findings) == ()
    (miss,) = find_worst_misses(findings, fault="uncovered")
    assert (miss.file, miss.found, miss.hidden) == ("a.jpg", True, 0.7)


places = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(5, 90), st.integers(5, 90))
corners = st.lists(places.map(lambda p: (p[0], p[1], p[0] + p[2], p[1] + p[3])), max_size=5, unique=True)
FEW = Criteria(resamples=1)


def figures(truth_boxes, faces, ignored=()):
    findings = judge_records(
        photograph((800, 700, 850, 750), *truth_boxes, ignored=ignored), {"a.jpg": record_of([faces])}, FEW
    )
    return summarise(findings)


@pytest.mark.slow
@settings(deadline=None)
@given(corners)
def test_a_perfect_record_is_perfect(boxes):
    truth = photograph((800, 700, 850, 750), *boxes)
    result = evaluate(truth, {"a.jpg": record_of([[(800, 700, 850, 750), *boxes]])}, FEW)
    assert (result.recall, result.precision, result.coverage, result.false_per_frame) == (1.0, 1.0, 1.0, 0.0)


@pytest.mark.slow
@settings(deadline=None)
@given(corners, corners.filter(bool))
def test_removing_a_face_never_finds_or_covers_more(boxes, faces):
    whole, less = figures(boxes, faces), figures(boxes, faces[1:])
    assert less.found <= whole.found
    assert less.covered <= whole.covered


@pytest.mark.slow
@settings(deadline=None)
@given(corners, corners, corners)
def test_ignored_boxes_change_neither_recall_nor_coverage_and_only_excuse(boxes, faces, ignored):
    ignored = [box for box in ignored if box not in boxes]
    without, with_them = figures(boxes, faces), figures(boxes, faces, ignored)
    assert (with_them.faces, with_them.found, with_them.covered) == (without.faces, without.found, without.covered)
    assert with_them.boxes - with_them.false_boxes == without.boxes - without.false_boxes
    assert with_them.false_boxes <= without.false_boxes


@pytest.mark.slow
@settings(deadline=None)
@given(corners, corners, corners)
def test_boxes_on_ignored_faces_change_nothing(boxes, faces, ignored):
    apart = [moved(box, x=400) for box in ignored]
    assert figures(boxes, faces) == figures(boxes, [*faces, *apart], apart)
