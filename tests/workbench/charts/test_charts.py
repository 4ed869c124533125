from itertools import pairwise

import pandas as pd
import pytest

from engine import index
from engine.evaluation import summary
from engine.evaluation.judgements import judge_records
from engine.record import encode_document
from tests.engine.evaluation.truth_makers import make_truth, truth_row
from tests.engine.evaluation.truth_makers import record_of as make_record_of
from tests.engine.index.long_records import write_long_runs
from workbench import charts
from workbench.theme import palette


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    write_long_runs(root, 2, 600)
    return index.open_index(root)


@pytest.fixture(scope="module")
def run(opened):
    return next(iter(opened.indexed_runs))


def drawn(opened, run):
    chosen = index.Selection((run,))
    estimate = index.estimate_missed_in_run(opened, run)
    return {
        "confidence": charts.draw_confidence(index.query_confidence(opened, chosen)),
        "disagreement": charts.draw_disagreement(index.query_disagreement(opened, chosen)),
        "tracks": charts.draw_tracks(index.query_track_lanes(opened, chosen)),
        "agreement": charts.draw_agreement(index.query_agreement(opened, chosen)),
        "across": charts.draw_across_runs(index.compare_runs(opened, *opened.indexed_runs)),
        "scores": charts.draw_scores(index.query_score_histogram(opened, chosen)),
        "sizes": charts.draw_sizes(index.query_size_histogram(opened, chosen)),
        "missed": charts.draw_missed(estimate, index.query_lone_detections(opened, run), run),
        "recall": recall_chart(run),
    }


def recall_chart(run):
    box, gone = (10, 10, 60, 70), (200, 200, 230, 230)
    truth = make_truth(truth_row("clip.mp4", 0, box), truth_row("clip.mp4", 1, gone))
    findings = judge_records(truth, {"clip.mp4": make_record_of([[(box, {"a": box})], []])})
    return charts.draw_recall(summary.summarise(findings), summary.find_worst_misses(findings), run)


def points(figure):
    return [custom for trace in figure.data if trace.customdata is not None for custom in trace.customdata]


@pytest.mark.slow
def test_every_point_knows_its_run_frame_and_track(opened, run):
    for name, figure in drawn(opened, run).items():
        assert points(figure), name
        for custom in points(figure):
            assert custom[0] in opened.indexed_runs, name
            assert custom[1] is None or 0 <= custom[1] < 600, name
            assert custom[2] is None or custom[2] >= 0, name


@pytest.mark.slow
def test_hovering_shows_the_frame_and_its_time(opened, run):
    for name, figure in drawn(opened, run).items():
        texts = [trace.hovertemplate for trace in figure.data if trace.hoverinfo != "skip"]
        assert texts, name
        assert all("customdata[1]" in text for text in texts), name
        assert name == "recall" or all("customdata[3]" in text for text in texts), name


@pytest.mark.slow
def test_axes_have_units(opened, run):
    titles = {
        name: (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text)
        for name, figure in drawn(opened, run).items()
    }
    assert titles["confidence"] == ("time (h:min:s)", "score (0 to 1)")
    assert titles["sizes"] == ("face height (px)", "faces in frames")
    assert all(title for title, _ in titles.values())


def test_what_is_drawn_is_what_was_counted(opened, run):
    chosen = index.Selection((run,))
    rows = index.query_size_histogram(opened, chosen)
    assert (
        sum(sum(trace.y) for trace in charts.draw_sizes(rows).data)
        == rows["faces"].sum()
        == opened.indexed_runs[run].faces
    )
    lanes = charts.draw_tracks(index.query_track_lanes(opened, chosen))
    assert sum(custom[4] for custom in points(lanes)) == opened.indexed_runs[run].faces
    assert {trace.name: trace.marker.color for trace in lanes.data}.items() <= palette.ORIGIN_COLOURS.items()


def test_a_track_is_one_bar_when_steps_are_shorter_than_frames(opened, run):
    chosen = index.Selection((run,))
    fine, coarse = (
        index.query_track_lanes(opened, chosen, buckets=5000),
        index.query_track_lanes(opened, chosen, buckets=20),
    )
    assert fine["faces"].sum() == coarse["faces"].sum() == opened.indexed_runs[run].faces
    assert len(coarse) < len(fine) <= len(index.query_tracks(opened, chosen))


def test_a_face_that_is_always_seen_is_one_bar(tmp_path):
    box = (10, 10, 60, 70)
    (tmp_path / "clip.json").write_bytes(encode_document(make_record_of([[(box, {"a": box})]] * 50)))
    lanes = index.query_track_lanes(index.open_index(tmp_path, {"clip": tmp_path / "clip.json"}), buckets=5000)
    assert lanes["faces"].tolist() == [50]


def test_an_hour_is_drawn_with_as_many_points_as_can_be_seen(opened, run):
    rows = index.query_confidence(opened, index.Selection((run,)), buckets=50)
    assert len(points(charts.draw_confidence(rows))) <= 50 * 2


def test_lines_break_where_nothing_was_seen():
    rows = pd.DataFrame({
        "run": "r", "detector": "mtcnn", "bucket": [0, 1, 5], "seconds": [0.0, 1.0, 5.0], "frame": [0, 30, 150],
        "track": 0, "lowest": 0.5, "mean": 0.6, "highest": 0.7, "detections": 1,
    })  # fmt: skip
    line = charts.draw_confidence(rows).data[0]
    assert pd.isna(line.y).tolist() == [False, False, True, False]


def test_runs_that_are_drawn_over_each_other_can_be_told_apart_without_colour(opened):
    lines = [trace for trace in charts.draw_confidence(index.query_confidence(opened)).data if trace.mode == "lines"]
    by_run = {
        name.split(", ")[1]: {line.line.dash for line in lines if line.name == name}
        for name in (one.name for one in lines)
    }
    assert len(by_run) == 2
    assert len(set.union(*by_run.values())) == 2


def test_names_beside_an_axis_are_short_and_keep_their_ends(opened):
    long = "20260101-100000-consultation-room-3-second-session-cd17"
    rows = index.query_track_lanes(opened).replace({"run": {min(opened.indexed_runs): long}})
    labels = charts.draw_tracks(rows).layout.yaxis.ticktext
    assert "consultation-…-cd17 / 0" in labels
    assert all(len(label) <= 26 for label in labels)


@pytest.mark.parametrize(("tracks", "labels"), [(3, 3), (54, 54), (80, 40)])
def test_every_track_is_named_where_its_lane_has_room(opened, run, tracks, labels):
    one = index.query_track_lanes(opened, index.Selection((run,))).head(1)
    figure = charts.draw_tracks(pd.concat([one.assign(track=number) for number in range(tracks)]))
    assert len(figure.layout.yaxis.ticktext) == labels


def test_heights_that_no_face_has_leave_a_gap():
    rows = pd.DataFrame({
        "run": "r", "origin": "detected", "low": [16.0, 64.0], "high": [2**4.25, 2**6.25], "faces": [3, 5],
        "frame": 0, "seconds": 0.0, "track": 0,
    })  # fmt: skip
    figure = charts.draw_sizes(rows)
    assert len(figure.layout.xaxis.categoryarray) == 9
    assert list(figure.data[0].x) == [figure.layout.xaxis.categoryarray[at] for at in (0, 8)]


def test_yellow_bars_have_an_edge_on_white(opened):
    rows = index.query_track_lanes(opened)
    for dark, width in ((False, 1), (True, 0)):
        bars = {trace.name: trace for trace in charts.draw_tracks(rows, dark=dark).data}
        assert bars["extended"].marker.line.width == width
        assert bars["detected"].marker.line.width == 0


def test_light_and_dark_differ_in_nothing_but_the_look(opened, run):
    rows = index.query_score_histogram(opened, index.Selection((run,)))
    light, dark = charts.draw_scores(rows), charts.draw_scores(rows, dark=True)
    assert light.layout.paper_bgcolor == palette.LIGHT.background
    assert dark.layout.paper_bgcolor == palette.DARK.background
    assert light.data == dark.data


def test_the_bars_of_scores_are_as_wide_as_their_bins(opened):
    """However few bins there are, and however many detectors share them."""
    figure = charts.draw_scores(index.query_score_histogram(opened))
    assert tuple(figure.layout.xaxis.range) == (0, 1)
    taken = [(bar.offset, bar.offset + bar.width) for bar in figure.data]
    assert max(stop for _, stop in taken) - min(start for start, _ in taken) == pytest.approx(0.95 / 40)
    assert all(stop == pytest.approx(start) for (_, stop), (start, _) in pairwise(taken))


def contrast(one, other):
    """WCAG 2.1, relative luminance."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("look", [palette.LIGHT, palette.DARK])
def test_labels_can_be_read(look):
    assert contrast(look.text, look.background) >= 7
    assert contrast(look.muted, look.background) >= 4.5


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00:00.00"), (61.239, "0:01:01.24"), (3599.999, "1:00:00.00")])
def test_a_time_is_read_like_a_clock(seconds, text):
    assert charts.format_clock(seconds) == text


def test_records_of_two_sources_are_drawn_side_by_side(opened):
    figure = charts.draw_disagreement(index.query_disagreement(opened))
    assert len(figure.layout.yaxis.ticktext) == 4
    assert len(set(figure.layout.yaxis.ticktext)) == 4
