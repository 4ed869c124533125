"""The name of the source, often a patient's, is nowhere but in the request, and nowhere at all after a purge."""

import json
from pathlib import Path

import pytest

from engine import release, runs
from engine.access.run_context import RunContext
from engine.errors import SignOffError
from engine.index.catalog import find_records, rebuild_index
from engine.jobs.library import import_video
from engine.jobs.worker import perform_run, start_run
from engine.release.certify import CERTIFIERS
from engine.release.drafts import render_draft
from engine.runs import RunState
from tests import clips
from tests.engine.jobs.conftest import YOLO
from tests.engine.release import signable_runs
from tests.people_makers import ada, person

NAME = "Zebulon Quagmire 1980-02-03"
PARTS = (b"zebulon", b"quagmire", b"1980-02-03")


def files_that_tell(folder):
    """Files whose name or content holds a part of the name, relative to the folder."""
    told = [
        path.relative_to(folder)
        for path in folder.rglob("*")
        if any(part in str(path.relative_to(folder)).lower().encode() for part in PARTS)
        or (path.is_file() and not path.is_symlink() and any(part in path.read_bytes().lower() for part in PARTS))
    ]
    return {str(path) for path in told}


@pytest.fixture
def staffed_with_models(staffed, own_data):
    (staffed.root / "models").symlink_to(own_data / "models")
    return staffed


def test_a_whole_story_tells_the_name_of_the_source_in_the_request_alone(staffed_with_models, talk, tmp_path):
    data = staffed_with_models
    short = tmp_path / f"{NAME}.mp4"
    clips.ffmpeg("-i", talk, "-frames:v", "6", "-c", "copy", short)
    with short.open("rb") as file:
        source = import_video(data, person(data, "otto"), short.name, file)
    run = start_run(data, person(data, "otto"), source, YOLO)
    perform_run(data, run)
    run = signable_runs.the_run(data)
    signable_runs.amend(data)
    render_draft(RunContext(data, run, person(data, "otto")))
    signable_runs.signed(data, "rita", "reviewed")
    signable_runs.signed(data, "anna", "approved")
    made = signable_runs.published(data, certifiers=CERTIFIERS)
    rebuild_index(data.index, find_records(data))
    allowed = {f"runs/{run.id}/request.json", f"footage/{source.name}"}
    assert files_that_tell(data.root) == allowed
    assert run.title == source.name

    release.purge(RunContext(data, run, ada(data)), "retention over")
    assert files_that_tell(data.root) == set()
    after = signable_runs.the_run(data)
    assert (after.title, after.resumable) == ("Purged video", False)
    with pytest.raises(SignOffError, match="was purged"):
        release.open_snapshot(data, run.id)
    assert release.check_audit_log(data).passed
    assert Path(made.output).exists()


def test_a_failure_says_the_source_without_its_name(staffed_with_models):
    data = staffed_with_models
    data.library.mkdir(parents=True)
    source = data.library / f"{NAME}.mp4"
    source.write_bytes(b"no video")
    run = start_run(data, person(data, "otto"), source, YOLO)
    with pytest.raises(Exception, match="Quagmire"):
        perform_run(data, run)
    assert "source" in signable_runs.the_run(data).state.sentence
    assert files_that_tell(data.root) == {f"runs/{run.id}/request.json", f"footage/{source.name}"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/footage/a b.mp4 is not a video.", "The source is not a video."),
        ("Frame 3 of a b.mp4 is damaged.", "Frame 3 of the source is damaged."),
        ("The disk is full.", "The disk is full."),
    ],
)
def test_a_message_without_the_name_is_still_a_sentence(text, expected):
    assert runs.omit_source_name("/footage/a b.mp4", text) == expected


def test_a_run_of_an_earlier_version_opens_and_a_purge_forgets_its_source_too(ready):
    run = signable_runs.the_run(ready)
    folder = run.folder.path.rename(run.folder.path.with_name("20260101-000000-zebulon-quagmire-0e79"))
    request = json.loads((folder / "request.json").read_bytes())
    del request["title"], request["purged"]
    (folder / "request.json").write_text(json.dumps(request))
    run = runs.load_run(ready, folder.name)
    runs.write_state(run.folder, RunState(stage="done", updated="", sentence=f"{run.source} has 2 damaged frames."))
    run = runs.load_run(ready, folder.name)
    release.purge(RunContext(ready, run, ada(ready)), "retention over")
    after = runs.load_run(ready, folder.name)
    assert after.state.sentence == "The source has 2 damaged frames."
    assert run.source.name not in after.folder.request.read_text()


def test_a_purge_removes_the_empty_folders_of_the_library_that_the_source_was_in(ready):
    run = signable_runs.the_run(ready)
    patient = run.source.parent / "ward" / "Zebulon"
    patient.mkdir(parents=True)
    request = json.loads(run.folder.request.read_bytes())
    run.source.rename(patient / run.source.name)
    run.folder.request.write_text(json.dumps(request | {"source": str(patient / run.source.name)}))
    release.purge(RunContext(ready, signable_runs.the_run(ready), ada(ready)), "retention over")
    assert list(ready.library.iterdir()) == []
