"""`veil notes`: on a run, a frame and an item, by those who may look."""

import json

import pytest

from engine import audit
from engine.cli import main
from engine.jobs.requests import log_run_event
from engine.record import encode_document
from engine.review.queue import build_review_queue
from engine.runs import RunRequest, RunState, create_run, format_utc_now, load_run
from engine.storage.data_folder import DataFolder
from tests import clips
from tests.record_makers import record_of
from tests.workbench.accounts import add_accounts


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return DataFolder(tmp_path / "data")


@pytest.fixture
def run(data, tmp_path):
    source = clips.b_frames(tmp_path / "talk.mp4")
    record = record_of(source, lambda index: [(20.0, 20.0, 70.0, 60.0)] if 5 <= index < 20 else [])
    request = RunRequest(source=str(source), account="ana", name="Ana", at=format_utc_now())
    folder = create_run(data, request, RunState(stage="done", updated=format_utc_now()))
    folder.record.write_bytes(encode_document(record))
    log_run_event(data, load_run(data, folder.id), "done", record=record)
    return load_run(data, folder.id)


def notes(data, capsys, *words):
    code = main(["notes", *map(str, words), "--data", str(data.root), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_notes_are_written_listed_and_done(data, run, capsys):
    item = build_review_queue(record_of(run.source, lambda i: [(20.0, 20.0, 70.0, 60.0)] if 5 <= i < 20 else []))[0]
    assert notes(data, capsys, "add", run.id, "Who is this?", "--frame", 7) == (0, {"run": run.id, "number": 1})
    assert notes(data, capsys, "add", run.id, "See the policy.")[1]["number"] == 2
    assert notes(data, capsys, "add", run.id, "His hand?", "--item", item.key)[1]["number"] == 3
    assert notes(data, capsys, "done", run.id, 2)[0] == 0
    _, listed = notes(data, capsys, "list", run.id)
    assert [(one["text"], one["frame"], one["item"], one["done_by"] is not None) for one in listed] == [
        ("Who is this?", 7, None, False),
        ("See the policy.", None, None, True),
        ("His hand?", item.frame, item.key, False),
    ]
    _, left = notes(data, capsys, "list", run.id, "--open")
    assert [one["number"] for one in left] == [1, 3]
    assert main(["notes", "list", run.id, "--data", str(data.root)]) == 0
    text = capsys.readouterr().out
    assert "frame 7: Who is this?" in text
    assert "(done by " in text and text.endswith("3 notes.\n")
    assert len(list(audit.read_entries(data.audit, kinds=["note"]))) == 4


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["add", "RUN", " "], "empty"),
        (["add", "RUN", "x", "--frame", "30"], "30 frames"),
        (["add", "RUN", "x", "--frame", "-1"], "no note"),
        (["add", "RUN", "x", "--item", "gap:9:1-2"], "no item gap:9:1-2"),
        (["done", "RUN", "4"], "no open note 4"),
        (["list", "20260101-000000-none-0000"], "no run"),
    ],
)
def test_what_is_no_note_is_one_sentence(data, run, capsys, words, says):
    code = main(["notes", *[run.id if word == "RUN" else word for word in words], "--data", str(data.root)])
    told = capsys.readouterr().err
    assert code == 2
    assert says in told and "Traceback" not in told


@pytest.mark.slow
def test_where_there_are_accounts_nobody_reads_notes_without_one(data, run, capsys):
    assert notes(data, capsys, "add", run.id, "Jane is in it.")[0] == 0
    add_accounts(data)
    assert main(["notes", "list", run.id, "--data", str(data.root)]) == 2
    told = capsys.readouterr()
    assert "--as" in told.err
    assert "Jane" not in told.out
