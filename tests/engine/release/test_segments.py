"""Segments are part of what is approved, and a release is made in the segments that were."""

import pytest

from engine import release
from engine.errors import SignOffError
from engine.record import read_document
from engine.rendering.report import RenderReport, report_path
from engine.rendering.terms import RenderOptions
from tests.engine.release import signable_runs

pytestmark = pytest.mark.slow

DIVIDED = RenderOptions(segment_seconds=1, jobs=2)


@pytest.fixture
def divided(ready):
    """A run that was approved with segments."""
    signable_runs.signed(ready, "rita", "reviewed")
    signable_runs.signed(ready, "anna", "approved", options=DIVIDED)
    return ready


def test_they_are_signed_but_not_the_number_of_processes(divided):
    run = signable_runs.the_run(divided)
    assert release.read_signed_options(divided, run.id) == RenderOptions(segment_seconds=1)


def test_other_segments_void_the_approval(divided):
    with pytest.raises(SignOffError):
        signable_runs.published(divided, options=RenderOptions(segment_seconds=2))


def test_a_release_is_made_in_them_and_verified(divided):
    signable_runs.published(divided)
    run = signable_runs.the_run(divided)
    folder = run.folder.releases / "01"
    (output,) = (path for path in folder.iterdir() if path.suffix == ".mp4")
    report = read_document(report_path(output), RenderReport, "report")
    assert report.spec.segment_seconds == 1
    assert report.segments.starts[0] == 0
    assert not report.draft
