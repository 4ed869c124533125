"""Scores of the benchmark: of records, of masked videos, and of a command, each from one real clip."""

import json
import sys

import cv2
import numpy as np
import pytest

from engine.cli import main
from engine.core.geometry import Box, Size
from engine.errors import InputError
from engine.evaluation.benchmark.hidden_maps import GRID, compare_pictures, map_boxes, measure_ellipse
from engine.evaluation.benchmark.make import BenchmarkSettings, make_benchmark, read_description
from engine.evaluation.benchmark.score import list_weak_cells, score_records, score_videos
from engine.evaluation.benchmark.score_table import format_score
from engine.evaluation.benchmark.tool_runs import find_masked_copies
from engine.evaluation.ground_truth import parse_truth, read_truth
from engine.media.output.raw_video import open_picture_writer
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from tests.engine.evaluation.truth_makers import record_of

CLIP = "1080p/infrared-1.mp4"


@pytest.fixture(scope="module")
def benchmark_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark")
    make_benchmark(folder, BenchmarkSettings(quick=True, kinds=("infrared",)))
    return folder


@pytest.fixture(scope="module")
def truth(benchmark_folder):
    return read_truth(benchmark_folder / "truth.csv")


def edges(box):
    return box.left, box.top, box.right, box.bottom


def boxed_record(truth, keep=lambda number, faces: faces):
    frames = [
        [edges(face.box.scale(1.1)) for face in keep(frame.number, frame.faces)] for frame in truth.clips[0].frames
    ]
    return {CLIP: record_of(frames, size=Size(1920, 1080))}


@pytest.mark.slow
def test_the_truth_is_a_table_of_veil_evaluate(truth, benchmark_folder):
    (clip,) = truth.clips
    assert clip.name == CLIP
    assert [frame.number for frame in clip.frames] == list(range(25))
    assert {len(frame.faces) for frame in clip.frames} == {4}
    assert truth.columns == ("kind", "value", "resolution", "visible")
    made = read_description(benchmark_folder).clips[0]
    assert (made.file, made.frames, made.faces) == (CLIP, 25, 100)
    assert probe(benchmark_folder / CLIP).video.display == Size(1920, 1080)


@pytest.mark.slow
def test_the_same_settings_give_the_same_bytes(benchmark_folder, tmp_path):
    again = make_benchmark(tmp_path, BenchmarkSettings(quick=True, kinds=("infrared",)))
    assert again == read_description(benchmark_folder)
    assert (tmp_path / "truth.csv").read_bytes() == (benchmark_folder / "truth.csv").read_bytes()


def test_a_complete_record_covers_every_frame(truth):
    score = score_records(truth, boxed_record(truth), "perfect")
    (cell,) = score.cells
    assert (cell.kind, cell.value, cell.resolution) == ("infrared", "1", "1080p")
    assert (cell.frames, cell.frame_coverage, cell.faces, cell.track_coverage) == (25, 1.0, 100, 1.0)
    assert cell.false_area == 0.0
    assert 1.2 < cell.mask_ratio < 3.0
    assert list(list_weak_cells(score, 0.95)) == []


def test_a_face_that_shows_in_one_frame_costs_the_frame_and_its_track(truth):
    record = boxed_record(truth, lambda number, faces: faces[1:] if number == 7 else faces)
    score = score_records(truth, record, "one missed")
    (cell,) = score.cells
    assert (cell.frames_covered, cell.faces_covered, cell.tracks, cell.tracks_covered) == (24, 99, 4, 3)
    assert list(list_weak_cells(score, 0.99)) == [cell]
    text = format_score(score)
    assert "infrared" in text
    assert "0.960" in text


def test_a_mask_away_from_faces_is_a_false_area(truth):
    elsewhere = (0.0, 0.0, 200.0, 100.0)
    frames = [[elsewhere]] * 25
    score = score_records(truth, {CLIP: record_of(frames, size=Size(1920, 1080))}, "false")
    assert score.overall.face_coverage == 0.0
    assert score.overall.false_area == pytest.approx(200 * 100 * 1.1 / (1920 * 1080), rel=0.6)


def write_copy(source, target, truth, masks):
    """Encode a clip anew at a lower quality, with one of `masks` applied to each face."""
    info = probe(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_source(source, info) as frames, open_picture_writer(target, info.video.display, 24) as writer:
        for frame, known in zip(frames.frames(), truth.clips[0].frames, strict=True):
            picture = frame.rgb().copy()
            for face, mask in zip(known.faces, masks, strict=True):
                left, top, right, bottom = face.box.scale(1.2).clip(info.video.display).to_pixel_bounds()
                picture[top:bottom, left:right] = mask(picture[top:bottom, left:right])
            writer.write(picture)


@pytest.mark.slow
def test_masked_copies_are_judged_by_their_pixels(benchmark_folder, truth, tmp_path):
    """Black and blurred faces are covered; faces that were only encoded anew, and those half covered, are not."""

    def cover_half(part):
        return np.vstack([part[: len(part) // 2], np.zeros_like(part[len(part) // 2 :])])

    masks = (np.zeros_like, lambda part: cv2.blur(part, (61, 61)), lambda part: part, cover_half)
    write_copy(benchmark_folder / CLIP, tmp_path / CLIP, truth, masks)
    score = score_videos(truth, find_masked_copies(benchmark_folder, tmp_path), "copy")
    assert score.judged_by == "videos"
    assert (score.overall.tracks, score.overall.tracks_covered, score.overall.faces_covered) == (4, 2, 50)
    assert score.overall.false_area < 0.005


@pytest.mark.slow
def test_copies_of_another_length_or_size_are_refused(benchmark_folder, truth, tmp_path):
    find = find_masked_copies(benchmark_folder, tmp_path)
    with pytest.raises(InputError, match=r"0 files named infrared-1\."):
        score_videos(truth, find, "none")
    target = tmp_path / "1080p" / "infrared-1.mkv.mp4"
    target.parent.mkdir()
    for size, count, message in (
        (Size(640, 360), 25, "is 640x360, its source 1920x1080"),
        (Size(1920, 1080), 3, "differ in the number of frames"),
        # A size that an encoder rounded up to a multiple of 16 is scaled back.
        (Size(1920, 1088), 3, "differ in the number of frames"),
    ):
        with open_picture_writer(target, size, 30) as writer:
            for _ in range(count):
                writer.write(np.zeros((size.height, size.width, 3), np.uint8))
        with pytest.raises(InputError, match=message):
            score_videos(truth, find, "wrong")


def test_encoding_noise_is_no_change_and_a_mask_is():
    noise = np.random.default_rng(0).integers(-6, 7, (1080, 1920, 3))
    original = np.full((1080, 1920, 3), 120, np.uint8)
    copy = (original + noise).astype(np.uint8)
    box = Box(100, 100, 130, 140)
    near = map_boxes([box.scale(2.0)])
    assert not compare_pictures(original, copy, near).any()
    copy[400:560, 400:520] = 10
    hidden = compare_pictures(original, copy, near)
    assert measure_ellipse(hidden, box) == 1.0
    assert hidden.sum() == 30 * 40
    assert (hidden.shape[1], hidden.shape[0]) == (GRID.width, GRID.height)


def test_a_truth_that_is_not_of_a_benchmark_is_refused():
    truth = parse_truth("file,frame,x,y,w,h\na.mp4,0,1,1,9,9\n")
    with pytest.raises(InputError, match="is not the truth of a benchmark"):
        score_records(truth, {"a.mp4": record_of([[(1, 1, 10, 10)]])}, "any")


def bench(capsys, *arguments):
    code = main(["bench", *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_a_command_is_run_on_every_clip_and_its_cost_measured(benchmark_folder, tmp_path, capsys):
    copy = f"{sys.executable} -c 'import shutil,sys; shutil.copy(*sys.argv[1:])' {{input}} {{output}}"
    report = tmp_path / "report.json"
    code, score = bench(
        capsys, "score", benchmark_folder, "--command", copy, "--name", "copy", "--least", "0.95", "-o", report
    )
    assert code == 3
    assert (score["tool"], score["overall"]["faces_covered"]) == ("copy", 0)
    assert score["cost"]["1080p"]["frames"] == 25
    assert score["cost"]["1080p"]["processor_s"] > 0
    assert json.loads(report.read_bytes()) == score


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Choose one"),
        (["--command", "true {input}"], "has no {output}"),
        (["--command", "false {input} {output}"], "wrote no masked copy"),
        (["--command", "no-such-tool {input} {output}"], "cannot be run"),
    ],
)
def test_wrong_uses_are_one_sentence(benchmark_folder, capsys, arguments, message):
    code, error = bench(capsys, "score", benchmark_folder, *arguments)
    assert code == 2
    assert message in error["error"]


def test_a_folder_without_a_benchmark_and_an_unknown_kind_are_refused(tmp_path, capsys):
    assert bench(capsys, "score", tmp_path, "--mode", "on-prem")[0] == 2
    assert "choose from plain, roll" in bench(capsys, "make", tmp_path, "--kinds", "rol")[1]["error"]


def test_records_of_a_folder_are_scored(benchmark_folder, truth, tmp_path, capsys):
    from engine.record import encode_document

    (tmp_path / "1080p").mkdir()
    (tmp_path / f"{CLIP}.json").write_bytes(encode_document(boxed_record(truth)[CLIP]))
    code, score = bench(capsys, "score", benchmark_folder, "--records", tmp_path)
    assert (code, score["overall"]["frame_coverage"], score["judged_by"]) == (0, 1.0, "records")
