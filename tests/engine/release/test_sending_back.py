"""A run that is sent back goes to its reviewer with links to frames; notes are counted and purged."""

import json

import pytest

from engine import release
from engine.access.run_context import RunContext
from engine.approval.next_step import find_next_step
from engine.approval.notes import WriteNote, add_to_notes
from engine.errors import SignOffError
from engine.jobs.cases import assign_run, read_case
from tests.engine.release import signable_runs
from tests.people_makers import ada, person


def test_frames_are_signed_with_the_rejection_and_the_reviewer_gets_the_run(approved):
    run = signable_runs.the_run(approved)
    statement = signable_runs.signed(approved, "anna", "rejected", reason="a face shows", frames=(2, 5))
    assert statement.frames == (2, 5)
    assert find_next_step(run, "two").newest_statement == statement
    assert read_case(run).account == "rita"


def test_a_frame_that_does_not_exist_is_refused(approved):
    with pytest.raises(SignOffError, match="there is no frame 8"):
        signable_runs.signed(approved, "anna", "rejected", reason="a face shows", frames=(8,))


def test_a_run_that_nobody_reviewed_stays_with_whom_it_is(ready):
    run = signable_runs.the_run(ready)
    assign_run(RunContext(ready, run, person(ready, "anna")), "anna")
    signable_runs.signed(ready, "anna", "rejected", reason="the wrong video")
    assert read_case(run).account == "anna"


@pytest.mark.slow
def test_notes_are_counted_on_the_certificate_and_removed_by_a_purge(approved):
    run = signable_runs.the_run(approved)
    add_to_notes(RunContext(approved, run, person(approved, "rita")), 8, WriteNote("Jane Roe agreed.", frame=1))
    released = signable_runs.published(approved)
    (folder,) = run.folder.releases.iterdir()
    review = json.loads((folder / "certificate.json").read_bytes())["review"]
    assert (review["notes"], review["open_notes"]) == (1, 1)
    page = (folder / "certificate.html").read_text()
    assert "1, of which 1 open" in page and "Jane" not in page
    assert released is not None
    release.purge(RunContext.open(approved, run.id, ada(approved)), "retention over")
    assert not run.folder.notes.exists()
