"""`veil evaluate` from a shell."""

import json

import cv2
import pytest
import skimage.data

from engine.cli import main
from engine.record import encode_document, read_record
from tests.engine.evaluation.truth_makers import record_of

HEADER = "file,frame,x,y,w,h,ignore,view\n"


@pytest.fixture
def table(tmp_path):
    """Two photographs with a face each, one of them seen from behind, and the records of both."""
    path = tmp_path / "truth.csv"
    path.write_text(HEADER + "a.jpg,0,100,100,50,60,0,front\nb.jpg,0,300,100,20,20,0,rear\n", encoding="utf-8")
    hit, miss = record_of([[(98, 100, 150, 160)]]), record_of([[(500, 500, 530, 530)]])
    (tmp_path / "a.json").write_bytes(encode_document(hit))
    (tmp_path / "b.json").write_bytes(encode_document(miss))
    return path


def evaluated(capsys, *arguments):
    code = main(["evaluate", "--json", *map(str, arguments)])
    printed = json.loads(capsys.readouterr().out)
    return code, printed


def test_records_are_compared_with_the_truth(table, capsys):
    code, figures = evaluated(capsys, table, table.with_name("a.json"), table.with_name("b.json"), "--misses", 5)
    assert code == 0
    assert (figures["recall"], figures["coverage"], figures["false_per_frame"]) == (0.5, 0.5, 0.5)
    assert figures["by_size"]["under_24"]["recall"] == 0.0
    assert figures["by_size"]["from_48"]["recall"] == 1.0
    assert [miss["file"] for miss in figures["misses"]] == ["b.jpg"]


def test_faces_can_be_chosen_by_a_column(table, capsys):
    arguments = (table, table.with_name("a.json"), table.with_name("b.json"), "--only", "view=front")
    assert evaluated(capsys, *arguments)[1]["recall"] == 1.0


def test_criteria_can_be_chosen(table, capsys):
    arguments = (table, table.with_name("a.json"), table.with_name("b.json"))
    assert evaluated(capsys, *arguments, "--iou", "0.99")[1]["recall"] == 0.0
    assert evaluated(capsys, *arguments, "--style", "strong,scale=0.6")[1]["coverage"] == 0.0
    assert evaluated(capsys, *arguments, "--style", "strong,scale=0.6", "--centre", "0.3")[1]["coverage"] == 0.5


def test_a_file_without_a_record_is_an_error_unless_partial(table, capsys):
    code, complaint = evaluated(capsys, table, table.with_name("a.json"))
    assert code == 2
    assert "b.jpg" in complaint["error"]
    assert evaluated(capsys, table, table.with_name("a.json"), "--partial")[1]["recall"] == 1.0


@pytest.mark.parametrize("extra", [[], ["a.json", "--mode", "hybrid"]])
def test_records_or_detectors_must_be_given_and_not_both(table, capsys, extra):
    code, complaint = evaluated(capsys, table, *extra)
    assert code == 2
    assert complaint["error"].startswith("Give records, or choose detectors")


def test_without_json_a_table_is_printed(table, capsys):
    assert main(["evaluate", str(table), str(table.with_name("a.json")), str(table.with_name("b.json"))]) == 0
    assert "2 faces in 2 frames" in capsys.readouterr().out


def test_detectors_run_on_the_files_of_the_table_and_their_records_are_kept(tmp_path, own_data, capsys):
    cv2.imwrite(str(tmp_path / "a.jpg"), cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))
    table = tmp_path / "truth.csv"
    table.write_text(HEADER + "a.jpg,0,175,68,97,128,0,front\n", encoding="utf-8")
    code, figures = evaluated(
        capsys, table, "--detectors", "centerface", "--set", "centerface.threshold=0.5", "--workers", 1,
        "--data", own_data, "--keep", tmp_path / "kept",
    )  # fmt: skip
    assert (code, figures["recall"], figures["false_per_frame"]) == (0, 1.0, 0.0)
    kept = read_record(tmp_path / "kept" / "a.jpg.json")
    assert kept.detection.detectors[0].parameters["threshold"] == 0.5
    assert evaluated(capsys, table, tmp_path / "kept" / "a.jpg.json")[1]["recall"] == 1.0
