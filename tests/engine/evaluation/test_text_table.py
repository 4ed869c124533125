from engine.evaluation.judgements import Criteria
from engine.evaluation.summary import evaluate
from engine.evaluation.text_table import format_table
from tests.engine.evaluation.truth_makers import make_truth, record_of, truth_row

FACE, FALSE = (300, 300, 400, 420), (600, 100, 660, 140)


def lines_of(shown=(1,), frames=4, **options):
    rows = [truth_row("v.mp4", frame, FACE) for frame in range(frames)]
    faces = [[] if frame in shown else [(FACE, {"a": FACE})] for frame in range(frames)]
    faces[0].append((FALSE, {"b": FALSE}))
    truth = make_truth(*rows, truth_row("w.mp4", 0, FACE))
    records = {"v.mp4": record_of(faces)} | options.pop("others", {"w.mp4": record_of([[FACE]])})
    return format_table(evaluate(truth, records, Criteria(**options), partial=True)).splitlines()


def cells(lines, label):
    return next(line for line in lines if line.startswith(label)).removeprefix(label).split()


def test_rates_stand_under_their_names():
    lines = lines_of()
    head = next(line for line in lines if line.lstrip().startswith("faces"))
    record = next(line for line in lines if line.startswith("record"))
    assert record[head.index("recall") :].startswith("0.800 [")
    assert record[head.index("coverage") :].startswith("0.800 [")
    assert record[head.index("precision") :].startswith("0.800 ")
    assert record[head.index("false/frame") :].startswith("0.200 [")
    assert [line for line in lines if line != line.rstrip()] == []


def test_every_size_and_union_has_a_row():
    lines = lines_of()
    assert cells(lines, "  under 24 px") == ["0", "-", "-", "0", "-", "0.000", "[0.000,", "0.000]"]
    assert cells(lines, "a + b")[:2] == ["5", "0.600"]
    assert cells(lines, "b ")[:2] == ["5", "0.000"]
    assert sum(line.startswith("  48 px and more") for line in lines) == 4


def test_the_area_of_masks_is_stated():
    assert any(line.startswith("Area of masks over area of heads: ") for line in lines_of())


def test_what_shows_is_listed_up_to_a_number():
    assert "  shows: v.mp4 frames 1 to 1 (1 labelled), covered before and after" in lines_of()
    many = lines_of(shown=range(1, 60, 2), frames=60)
    assert sum(line.startswith("  shows:") for line in many) == 20
    assert many[-1] == "  and 10 more"


def test_the_conditions_are_stated():
    first = lines_of(centre=0.6, iou=0.5)[0]
    assert first.startswith("5 faces in 5 frames; found at IoU 0.5, covered when 90% lies under the mask (ellipse")
    assert "the centre 60% of the boxes" in first
    assert lines_of(others={})[-1] == "Left out because they have no record: 1 file(s)."
