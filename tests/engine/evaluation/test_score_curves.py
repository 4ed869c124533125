"""Precision and recall over the score."""

import msgspec
import pytest

from engine.core.geometry import Box
from engine.evaluation.score_curves import compute_score_curves
from engine.record import Detection
from tests.engine.evaluation.truth_makers import make_truth, record_of, truth_row

FACES = [(100, 100, 200, 200), (300, 100, 400, 200)]


def scored(*detections, doubtful=()):
    """A record of one frame, in which detector a has boxes with scores."""
    record = record_of([[(box, {"a": box}) for box, _ in detections]])
    frame = record.frames[0]
    faces = tuple(
        msgspec.structs.replace(face, evidence=(Detection("a", Box(*box), score),))
        for face, (box, score) in zip(frame.faces, detections, strict=True)
    )
    weak = tuple(Detection("a", Box(*box), score) for box, score in doubtful)
    return msgspec.structs.replace(record, frames=(msgspec.structs.replace(frame, faces=faces, doubtful=weak),))


def curve(record, truth=None):
    truth = truth or make_truth(*(truth_row("v.mp4", 0, face) for face in FACES))
    return [(one.score, one.recall, one.precision) for one in compute_score_curves(truth, {"v.mp4": record})["a"]]


def test_each_score_is_a_point_and_recall_never_falls():
    record = scored((FACES[0], 0.9), ((600, 600, 700, 700), 0.7), (FACES[1], 0.5))
    assert curve(record) == [(0.9, 0.5, 1.0), (0.7, 0.5, 0.5), (0.5, 1.0, pytest.approx(2 / 3, abs=1e-5))]


def test_detections_with_one_score_come_together():
    assert curve(scored((FACES[0], 0.9), (FACES[1], 0.9))) == [(0.9, 1.0, 1.0)]


def test_a_second_box_on_a_face_is_false():
    assert curve(scored((FACES[0], 0.9), ((102, 100, 202, 200), 0.8))) == [(0.9, 0.5, 1.0), (0.8, 0.5, 0.5)]


def test_possible_faces_count_as_detections():
    assert curve(scored((FACES[0], 0.9), doubtful=((FACES[1], 0.3),)))[-1] == (0.3, 1.0, 1.0)


def test_an_ignored_face_counts_neither_way():
    truth = make_truth(truth_row("v.mp4", 0, FACES[0]), truth_row("v.mp4", 0, FACES[1], ignore=1))
    assert curve(scored((FACES[0], 0.9), (FACES[1], 0.5)), truth) == [(0.9, 1.0, 1.0)]


def test_clips_without_a_record_are_left_out():
    truth = make_truth(truth_row("v.mp4", 0, FACES[0]), truth_row("other.mp4", 0, FACES[1]))
    assert curve(scored((FACES[0], 0.9)), truth) == [(0.9, 1.0, 1.0)]
