import dataclasses
import multiprocessing
import shutil
import subprocess
import sys

import msgspec
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import index
from engine.core.geometry import Box
from engine.errors import QueryError
from engine.index.catalog import load_entries
from engine.index.schema import RUN_COLUMNS, build_arrow_schema
from engine.index.sql_process import SqlRequest
from engine.index.tables import build_tables
from engine.record import Detection, decode_record, encode_document, read_record, sha256_hex
from engine.review.amendments import Add, Author, Delete, Keyframe
from engine.review.apply import AmendedRecord
from engine.review.review_file import append_amendment
from engine.statistics.capture_recapture import estimate_missed_faces, list_captures
from engine.storage.data_folder import find_data_folder
from tests.engine.evaluation.truth_makers import record_of
from tests.engine.index.long_records import make_long_record, write_long_runs

NEAR = (100, 100, 160, 180)
FAR = (600, 400, 660, 480)
BESIDE = (150, 100, 210, 180)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Three runs of 400 frames, the first two of one source."""
    root = tmp_path_factory.mktemp("data")
    write_long_runs(root, 3, 400)
    return index.open_index(root)


@pytest.fixture
def one(tmp_path):
    """A folder with one run that may be spoilt."""
    write_long_runs(tmp_path, 1, 60)
    return tmp_path


def record_at(opened, run):
    return read_record(opened.record_paths[run])


def first(opened):
    return next(iter(opened.indexed_runs))


def indexed(tmp_path, record, name="clip"):
    path = tmp_path / f"{name}.json"
    path.write_bytes(encode_document(record))
    return index.open_index(tmp_path, {name: path})


BOXES = st.tuples(
    st.integers(0, 900), st.integers(0, 700), st.integers(1, 100), st.integers(1, 100),
).map(lambda edges: (edges[0], edges[1], edges[0] + edges[2], edges[1] + edges[3]))  # fmt: skip
SEEN = st.dictionaries(st.sampled_from(["a", "b"]), BOXES, max_size=2)
FRAMES = st.lists(st.lists(st.tuples(BOXES, SEEN), max_size=3), min_size=1, max_size=5)


@pytest.mark.slow
@settings(max_examples=60)
@given(FRAMES)
def test_the_rows_are_the_record(frames):
    record = record_of(frames)
    tables = build_tables("clip", AmendedRecord(record))
    assert {name: table.schema for name, table in tables.items()} == {
        name: build_arrow_schema(name) for name in index.TABLES
    }
    faces = [
        (frame.index, face.track, face.origin, len(face.evidence), (face.box.left, face.box.bottom))
        for frame in record.frames
        for face in frame.faces
    ]
    assert faces == [
        (row["frame"], row["track"], row["origin"], row["detections"], (row["left_px"], row["bottom_px"]))
        for row in tables["faces"].to_pylist()
    ]
    detections = [
        (frame.index, face.track, seen.detector, seen.box.top)
        for frame in record.frames
        for face in frame.faces
        for seen in face.evidence
    ]
    assert detections == [
        (row["frame"], row["track"], row["detector"], row["top_px"]) for row in tables["evidence"].to_pylist()
    ]
    assert [(row["frame"], row["pts"], row["faces"]) for row in tables["frames"].to_pylist()] == [
        (frame.index, frame.pts, len(frame.faces)) for frame in record.frames
    ]
    covered = sorted(
        (row["track"], frame) for row in tables["tracks"].to_pylist() for frame in range(row["start"], row["stop"])
    )
    assert covered == sorted((face.track, frame.index) for frame in record.frames for face in frame.faces)


def test_agreement_is_by_face_then_by_overlap():
    record = record_of([[
        (NEAR, {"a": NEAR, "b": BESIDE}),  # fused: together although the boxes hardly overlap
        (FAR, {"a": FAR}),
        (FAR, {"b": FAR}),  # two faces in one place: the same all the same
        (NEAR, {"a": (300, 300, 320, 320)}),
    ]])  # fmt: skip
    rows = build_tables("clip", AmendedRecord(record))["agreement"].to_pylist()
    assert [(row["detector"], row["track"], row["seen"]) for row in rows] == [
        ("a", 0, True), ("a", 1, True), ("a", 3, False), ("b", 0, True), ("b", 2, True),
    ]  # fmt: skip
    assert build_tables("clip", AmendedRecord(record))["frames"].to_pylist()[0]["disagreements"] == 1


def test_a_detector_that_was_not_asked_disagrees_with_nobody():
    record = record_of([[(NEAR, {"a": NEAR})], [(NEAR, {"a": NEAR})]])
    record = msgspec.structs.replace(
        record, detection=msgspec.structs.replace(record.detection, asked={"b": ((1, 2),)})
    )
    rows = build_tables("clip", AmendedRecord(record))["agreement"].to_pylist()
    assert [(row["frame"], row["other"]) for row in rows] == [(1, "b")]


def test_doubtful_sightings_disagree_and_have_no_track():
    record = record_of([[]])
    frame = msgspec.structs.replace(record.frames[0], doubtful=(Detection("a", Box(*NEAR), 0.8),))
    rows = build_tables("clip", AmendedRecord(msgspec.structs.replace(record, frames=(frame,))))
    assert [(row["track"], row["seen"]) for row in rows["agreement"].to_pylist()] == [(None, False)]
    assert rows["doubtful"].num_rows == rows["frames"].to_pylist()[0]["doubtful"] == 1


def test_time_is_from_the_first_frame_on(tmp_path):
    record = record_of([[], [], []])
    late = tuple(msgspec.structs.replace(frame, pts=frame.pts + 99_000) for frame in record.frames)
    opened = indexed(tmp_path, msgspec.structs.replace(record, frames=late))
    assert index.query_frames(opened)["seconds"].tolist() == [0.0, 0.04, 0.08]
    assert opened.indexed_runs["clip"].seconds == pytest.approx(0.12)


def test_a_selection_restricts(opened):
    run = first(opened)
    chosen = index.Selection((run,), ("yolov8-face",), 2.0, 6.0, least_score=0.7, least_height=20, most_height=400)
    rows = index.query_evidence(opened, chosen)
    assert len(rows) > 0
    assert set(rows["run"]) == {run}
    assert set(rows["detector"]) == {"yolov8-face"}
    assert rows["seconds"].between(2.0, 6.0, inclusive="left").all()
    assert (rows["score"] >= 0.7).all()
    assert rows["height_px"].between(20, 400, inclusive="left").all()
    track = int(rows["track"].iloc[0])
    assert set(index.query_evidence(opened, dataclasses.replace(chosen, track=track))["track"]) == {track}
    assert set(index.query_faces(opened, dataclasses.replace(chosen, track=track))["track"]) == {track}


def test_steps_keep_the_extremes(opened):
    chosen = index.Selection((first(opened),))
    rows, every = index.query_confidence(opened, chosen, buckets=20), index.query_evidence(opened, chosen)
    for detector, part in rows.groupby("detector"):
        own = every[every["detector"] == detector]
        assert len(part) <= 20
        assert part["detections"].sum() == len(own)
        assert part["lowest"].min() == own["score"].min()
        assert part["highest"].max() == own["score"].max()
    weakest = rows.loc[rows["lowest"].idxmin()]
    there = every[(every["frame"] == weakest["frame"]) & (every["track"] == weakest["track"])]
    assert weakest["lowest"] in there["score"].to_numpy()


def test_steps_are_never_shorter_than_a_frame(tmp_path):
    opened = indexed(tmp_path, record_of([[(NEAR, {"a": NEAR})]] * 50))
    assert index.query_confidence(opened, buckets=1000)["bucket"].diff().dropna().eq(1).all()


def test_disagreement_adds_up(opened):
    chosen = index.Selection((first(opened),))
    rows = index.query_disagreement(opened, chosen, buckets=30)
    assert rows["lacking"].sum() == index.query_frames(opened, chosen)["disagreements"].sum() > 0
    assert rows["share"].between(0, 1).all()
    matrix = index.query_agreement(opened, chosen)
    assert (matrix["detections"] - matrix["seen"]).sum() == rows["lacking"].sum()


def test_each_disagreement_has_a_row(opened):
    rows = index.query_lacking(opened)
    assert len(rows) == index.query_disagreement(opened)["lacking"].sum()
    assert (rows["detector"] != rows["other"]).all()
    of_one = index.query_lacking(opened, index.Selection(detectors=("centerface",), least_score=0.5))
    kept = rows[(rows["other"] == "centerface") & (rows["score"] >= 0.5)]
    for column in ("run", "frame", "detector", "score"):
        assert of_one[column].tolist() == kept[column].tolist()
    assert len(index.query_lacking(opened, limit=3)) == 3


def test_distributions_count_everything(opened):
    assert index.query_score_histogram(opened)["detections"].sum() == len(index.query_evidence(opened))
    sizes = index.query_size_histogram(opened)
    assert sizes["faces"].sum() == opened.list_runs()["faces"].sum()
    assert (sizes["low"] < sizes["high"]).all()


def test_tracks_are_stretches_of_one_origin(opened):
    run = first(opened)
    rows = index.query_tracks(opened, index.Selection((run,)))
    assert (rows["stop"] - rows["start"]).sum() == opened.indexed_runs[run].faces
    longest = index.query_tracks(opened, index.Selection((run,)), limit=1)
    assert len(set(longest["track"])) == 1
    assert longest["of"].iloc[0] == opened.indexed_runs[run].tracks


def test_missed_faces_are_estimated_as_from_the_record(opened):
    run = first(opened)
    record = record_at(opened, run)
    own = estimate_missed_faces(list_captures(record), [detector.name for detector in record.detection.detectors])
    assert index.estimate_missed_in_run(opened, run) == own


def test_a_run_agrees_with_itself_wholly(tmp_path):
    record = make_long_record(400)
    for name in ("one", "other"):
        (tmp_path / f"{name}.json").write_bytes(encode_document(record))
    opened = index.open_index(tmp_path, {name: tmp_path / f"{name}.json" for name in ("one", "other")})
    rows = index.compare_runs(opened, "one", "other")
    same = rows[rows["detector"] == rows["other"]]
    assert (same["share"] == 1.0).all()
    assert same["frame"].isna().all()
    assert len(rows) == 8
    assert index.find_runs_of_same_source(opened, "one") == ["other"]
    inside = index.query_agreement(opened, index.Selection(("one",))).set_index(["detector", "other"])["share"]
    between = rows[rows["run"] == "one"].set_index(["detector", "other"])["share"]
    pair = ("centerface", "yolov8-face")
    assert between[pair] == pytest.approx(inside[pair], abs=0.05)  # doubtful detections count in the one alone


def test_the_index_may_be_deleted_at_any_time(one):
    opened = index.open_index(one)
    before = index.query_faces(opened)
    shutil.rmtree(one / "index")
    pd.testing.assert_frame_equal(index.query_faces(opened), before)  # under an index that is open
    shutil.rmtree(one / "index")
    pd.testing.assert_frame_equal(index.query_faces(index.open_index(one)), before)


def test_damaged_tables_are_built_again(one):
    opened = index.open_index(one)
    before = index.query_faces(opened)
    entry = opened.indexed_runs[first(opened)]
    (one / "index" / entry.folder / "faces.parquet").write_bytes(b"not a table")
    pd.testing.assert_frame_equal(index.query_faces(index.open_index(one)), before)


def test_what_a_killed_builder_has_left_goes_with_the_next_build(one):
    index.open_index(one)
    left = one / "index" / ".building-killed"
    left.mkdir()
    (left / "faces.parquet").write_bytes(b"half")
    (path,) = index.find_records(find_data_folder(one)).values()
    path.write_bytes(encode_document(make_long_record(31)))
    index.open_index(one)
    assert not left.exists()


def test_what_changed_is_built_again_and_nothing_else(one):
    write_long_runs(one / "more", 2, 30)
    (path,) = index.find_records(find_data_folder(one)).values()
    known = {"one": path, "two": next(iter((one / "more" / "runs").iterdir())) / "detections.json"}
    before = index.open_index(one, known).indexed_runs
    path.write_bytes(encode_document(make_long_record(31)))
    assert index.find_stale_runs(one / "index", known) == ("one",)
    after = index.open_index(one, known).indexed_runs
    assert after["one"].frames == 31
    assert after["two"] == before["two"]


@pytest.mark.slow
def test_amendments_come_into_the_index(one):
    (run,), (path,) = zip(*index.find_records(find_data_folder(one)).items(), strict=True)
    write_long_runs(one / "long", 1, 400)
    path.write_bytes(next((one / "long").rglob("detections.json")).read_bytes())
    before = index.open_index(one)
    assert before.indexed_runs[run].amendments == 0
    data = path.read_bytes()
    record, sha256, author = decode_record(data), sha256_hex(data), Author("jd", "Jane Doe")
    add = Add((Keyframe(0, Box(*NEAR)), Keyframe(9, Box(*NEAR))))
    append_amendment(index.review_path_from_record(path), record, sha256, add, author, "missed")
    gone = int(index.query_tracks(before)["track"].iloc[0])
    append_amendment(index.review_path_from_record(path), record, sha256, Delete(gone, 0, 400), author, "a poster")
    after = index.open_index(one)
    added = index.query_faces(after).query("origin == 'reviewer'")
    assert added["frame"].tolist() == list(range(10))
    assert set(added["amendment"]) == {1}
    assert gone not in set(index.query_tracks(after)["track"])
    pd.testing.assert_frame_equal(index.query_evidence(after), index.query_evidence(before))
    assert after.indexed_runs[run].amendments == 2


def test_a_record_that_cannot_be_read_stops_no_other(tmp_path):
    write_long_runs(tmp_path, 3, 30)
    good, damaged, future = index.find_records(find_data_folder(tmp_path)).values()
    damaged.write_bytes(damaged.read_bytes()[:2000])
    future.write_bytes(b'{"schema": "veil/detections/9"}')
    opened = index.open_index(tmp_path)
    assert list(opened.indexed_runs) == [good.parent.name]
    sentences = {run: entry.failure for run, entry in opened.unreadable_runs.items()}
    assert "is not" in sentences[damaged.parent.name]
    assert "'veil/detections/9', this version of Veil reads" in sentences[future.parent.name]
    assert opened.missing_runs == ()
    with pytest.raises(QueryError, match="veil/detections/9"):
        index.query_frames(opened, index.Selection((future.parent.name,)))
    with pytest.raises(QueryError, match="no record of a run nothing"):
        index.query_frames(opened, index.Selection(("nothing",)))


@pytest.mark.slow
def test_an_empty_index_says_what_to_do(tmp_path):
    opened = index.open_index(tmp_path)
    assert opened.list_runs().empty
    with pytest.raises(QueryError, match="detect a video first"):
        index.query_frames(opened)
    assert index.run_sql(opened, "SELECT count(sightings) AS n FROM faces").table["n"].tolist() == [0]


def test_tables_without_a_run_are_swept(one):
    opened = index.open_index(one)
    shutil.rmtree(one / "runs")
    index.rebuild_index(one / "index", {})
    assert not list((one / "index").glob("*.json"))
    assert load_entries(one / "index", opened.record_paths) == {}


def _rebuild_often(root, times):
    data = find_data_folder(root)
    for _ in range(times):
        index.rebuild_index(data.index, index.find_records(data))


@pytest.mark.slow
def test_readers_and_builders_of_several_processes_do_not_disturb_each_other(tmp_path):
    write_long_runs(tmp_path, 2, 150)
    expected = len(index.query_faces(index.open_index(tmp_path)))
    context = multiprocessing.get_context("spawn")
    builders = [context.Process(target=_rebuild_often, args=(tmp_path, 4)) for _ in range(2)]
    for builder in builders:
        builder.start()
    looks = 0
    while any(builder.is_alive() for builder in builders):
        opened = index.open_index(tmp_path, refresh=False)
        assert len(index.query_faces(opened)) == expected
        opened.database.close()
        looks += 1
    assert [builder.exitcode for builder in builders] == [0, 0]
    assert looks > 1


class TestBox:
    @pytest.mark.slow
    def test_answers_a_select(self, opened):
        answer = index.run_sql(
            opened, "SELECT run, sum(faces) AS faces FROM frames GROUP BY run ORDER BY run -- all\n;"
        )
        assert answer.complete
        assert answer.table["faces"].tolist() == opened.list_runs()["faces"].tolist()
        # A saved question names columns as they were called when it was written.
        answer = index.run_sql(opened, "SELECT sum(detections) AS now, sum(sightings) AS before FROM faces")
        assert answer.table["before"].tolist() == answer.table["now"].tolist() == [len(index.query_evidence(opened))]
        runs = index.run_sql(opened, "FROM runs").table
        assert runs["run"].tolist() == list(opened.indexed_runs)

    @pytest.mark.slow
    @pytest.mark.parametrize("indexed", [True, False])
    def test_its_process_loads_no_more_than_it_needs(self, opened, indexed):
        """DuckDB imports pandas by itself for some ways in and out, which takes half of the time of an answer."""
        files = opened.list_files(index.Selection()) if indexed else {}
        names = {column.name: ["7"] for column in RUN_COLUMNS}
        request = SqlRequest("FROM runs", 5, 5.0, files, names)
        script = (
            "import sys, msgspec, engine.index.sql_process as process\n"
            "request = msgspec.json.decode(sys.stdin.buffer.read(), type=process.SqlRequest)\n"
            "print(process._run_request(request).num_rows, 'pandas' in sys.modules)"
        )
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, input=msgspec.json.encode(request), capture_output=True, check=True)
        assert done.stdout.split() == [b"1", b"False"]

    @pytest.mark.slow
    def test_gives_so_many_rows(self, opened):
        answer = index.run_sql(opened, "FROM frames ORDER BY run, frame", limit=7)
        assert len(answer.table) == 7
        assert not answer.complete

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "statement",
        [
            "COPY frames TO 'FOLDER/stolen.csv'",
            "CREATE TABLE mine AS SELECT 1",
            "ATTACH 'FOLDER/other.db'",
            "INSTALL httpfs",
            "SET threads = 8",
            "SELECT 1; SELECT 2",
            "SELECT * FROM read_text('/etc/hostname')",
            "SELECT * FROM '/etc/passwd'",
            "SELECT * FROM glob('/etc/*')",
            "SELECT * FROM read_csv('https://example.com/a.csv')",
            "SELECT * FROM read_parquet('FOLDER/elsewhere.parquet')",
            "SELECT getenv('HOME')",
            "SELECT * FROM opened",
            "SELECT",
        ],
    )
    def test_does_nothing_else(self, opened, tmp_path, statement):
        (tmp_path / "elsewhere.parquet").write_bytes(b"PAR1")
        with pytest.raises(QueryError) as refused:
            index.run_sql(opened, statement.replace("FOLDER", str(tmp_path)))
        assert "\n" not in str(refused.value)
        assert [path.name for path in tmp_path.iterdir()] == ["elsewhere.parquet"]

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT sum(a.frame * b.frame * c.frame) FROM frames a, frames b, frames c",
            "SELECT list(range(1000000000))",
            "SELECT repeat('x', 1000000) FROM frames",
        ],
    )
    def test_has_so_much_time_and_memory(self, opened, statement):
        with pytest.raises(QueryError, match=r"stopped|memory|larger"):
            index.run_sql(opened, statement, timeout_s=0.5)
