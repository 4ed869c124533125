"""Runs with the same settings scored together over several tables."""

import pytest

from engine.errors import InputError
from engine.evaluation.run_scores import compute_f1, find_clip, merge_truths, score_runs
from tests.engine.evaluation.truth_makers import make_truth, record_of, truth_row

BOX = (100, 100, 200, 200)


def test_tables_are_merged_and_scored_together():
    truth = merge_truths([make_truth(truth_row("a.mp4", 0, BOX)), make_truth(truth_row("b.mp4", 0, BOX))])
    records = {"a.mp4": record_of([[(BOX, {"a": BOX})]]), "b.mp4": record_of([[]])}
    scores = score_runs(truth, records)
    assert (scores.evaluation.faces, scores.evaluation.found) == (2, 1)
    assert [miss.file for miss in scores.misses] == ["b.mp4"]
    assert list(scores.curves) == ["a"]
    assert compute_f1(scores.evaluation) == pytest.approx(2 / 3)
    assert score_runs(truth, {"a.mp4": records["a.mp4"]}).evaluation.faces == 1


def test_two_tables_of_one_file_are_refused():
    with pytest.raises(InputError, match=r"both describe a\.mp4"):
        merge_truths([make_truth(truth_row("a.mp4", 0, BOX))] * 2)


@pytest.mark.parametrize(
    ("source", "clips", "found"),
    [
        ("talk.mp4", ["x/talk.mp4", "y/walk.mp4"], "x/talk.mp4"),
        ("talk.mkv", ["x/talk.mp4"], "x/talk.mp4"),
        ("talk.mp4", ["x/talk.mp4", "y/talk.mp4"], None),
        ("other.mp4", ["x/talk.mp4"], None),
    ],
)
def test_a_source_is_found_by_its_name_if_only_one_clip_has_it(source, clips, found):
    assert find_clip(source, clips) == found
