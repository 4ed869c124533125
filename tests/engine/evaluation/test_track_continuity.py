import pytest

from engine.evaluation.judgements import Criteria
from engine.evaluation.scores import Exposure
from engine.evaluation.summary import evaluate
from tests.engine.evaluation.truth_makers import make_truth, record_of, truth_row

FACE, OTHER = (300, 300, 400, 420), (600, 100, 660, 170)
QUICK = Criteria(resamples=200)


def tracks_of(truth, **records):
    return evaluate(truth, {name.replace("_", "."): record for name, record in records.items()}, QUICK).tracks


def test_a_track_counts_when_no_frame_of_it_shows():
    rows = [truth_row(file, frame, FACE) for file in ("v.mp4", "w.mp4") for frame in range(3)]
    scores = tracks_of(make_truth(*rows), v_mp4=record_of([[FACE]] * 3), w_mp4=record_of([[FACE], [], [FACE]]))
    assert (scores.tracks, scores.covered, scores.coverage) == (2, 1, 0.5)
    assert scores.coverage_interval == (0.0, 1.0)
    assert scores.exposures == (Exposure("w.mp4", "", 1, 1, 1, between=True),)


def test_runs_that_show_are_listed_with_their_ends():
    rows = [truth_row("v.mp4", frame, FACE) for frame in range(0, 40, 5)]
    covered = {10, 15, 30}
    scores = tracks_of(make_truth(*rows), v_mp4=record_of([[FACE] if frame in covered else [] for frame in range(40)]))
    assert scores.exposures == (
        Exposure("v.mp4", "", 0, 5, 2, between=False),
        Exposure("v.mp4", "", 20, 25, 2, between=True),
        Exposure("v.mp4", "", 35, 35, 1, between=False),
    )


def test_ignored_frames_neither_show_nor_end_a_run():
    rows = [truth_row("v.mp4", frame, FACE, ignore=int(frame == 2)) for frame in range(5)]
    scores = tracks_of(make_truth(*rows), v_mp4=record_of([[FACE], [], [], [], [FACE]]))
    assert scores.exposures == (Exposure("v.mp4", "", 1, 3, 2, between=True),)


def test_a_column_tells_tracks_apart():
    head = "file,frame,x,y,w,h,ignore,track"
    rows = [f"{truth_row('v.mp4', frame, box)},{name}" for frame in range(3) for box, name in ((FACE, 1), (OTHER, 2))]
    scores = tracks_of(make_truth(*rows, header=head), v_mp4=record_of([[FACE, OTHER], [FACE], [FACE, OTHER]]))
    assert (scores.tracks, scores.covered) == (2, 1)
    assert [(exposure.track, exposure.first) for exposure in scores.exposures] == [("2", 1)]


def test_tracks_of_one_clip_are_drawn_apart():
    head = "file,frame,x,y,w,h,ignore,track"
    rows = [f"{truth_row('v.mp4', frame, box)},{name}" for frame in range(3) for box, name in ((FACE, 1), (OTHER, 2))]
    result = evaluate(make_truth(*rows, header=head), {"v.mp4": record_of([[FACE]] * 3)}, QUICK)
    assert (result.recall, result.recall_interval) == (0.5, (0.0, 1.0))
    assert result.tracks.coverage_interval == (0.0, 1.0)


def test_without_that_column_several_faces_are_no_tracks():
    rows = [truth_row("v.mp4", frame, box) for frame in range(3) for box in (FACE, OTHER)]
    scores = tracks_of(make_truth(*rows), v_mp4=record_of([[FACE, OTHER]] * 3))
    assert (scores.tracks, scores.coverage, scores.untracked) == (0, None, ("v.mp4",))


def test_photographs_have_no_tracks():
    scores = tracks_of(make_truth(truth_row("a.jpg", 0, FACE)), a_jpg=record_of([[FACE]]))
    assert (scores.tracks, scores.untracked) == (0, ())


@pytest.mark.parametrize("frames", [2, 30])
def test_frames_of_one_track_are_one_draw(frames):
    """However many frames there are, two tracks say as little as two."""
    rows = [truth_row(file, frame, FACE) for file in ("v.mp4", "w.mp4") for frame in range(frames)]
    records = {"v.mp4": record_of([[FACE]] * frames), "w.mp4": record_of([[]] * frames)}
    assert evaluate(make_truth(*rows), records, QUICK).recall_interval == (0.0, 1.0)
