"""Drafts: marked in picture, name and metadata, never final, removable; and copies that browsers play."""

import numpy as np
import pytest

from engine import audit, release
from engine.access.run_context import RunContext
from engine.errors import AccessError, InputError, SignOffError, StyleError
from engine.masking.presets import style_from_preset
from engine.media.audio_streams import list_contents
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from engine.rendering.render import render
from engine.rendering.terms import RenderOptions
from engine.verification.verify import verify
from tests import clips
from tests.engine.release import signable_runs
from tests.people_makers import ada, person

OWN = RenderOptions(style=style_from_preset("strong", {"sigma": 0.4, "shape": "rectangle"}))


def pictures(path):
    with open_source(path, probe(path)) as source:
        return [frame.picture().planes[0].astype(int) for frame in source.frames()]


def test_a_draft_says_so_in_its_picture_its_name_and_its_metadata(ready):
    run = signable_runs.the_run(ready)
    path = release.render_draft(RunContext.open(ready, run.id, person(ready, "rita")), OWN)
    assert path.parent == run.folder.drafts and path.name.startswith(run.id) and path.name.endswith(".draft.mp4")
    assert "Veil draft: not reviewed" in {tag.value for tag in list_contents(path).identifying_tags}
    for before, after in zip(pictures(run.source), pictures(path), strict=True):
        assert np.abs(before - after)[:8, :30].mean() > 30 and np.abs(before - after)[-8:, -30:].mean() > 30
    (found,) = release.list_drafts(run)
    assert (found.video, found.report.draft, found.report.spec.mark) == (path, True, "DRAFT")
    assert found.report.spec.style == OWN.style
    assert verify(run.source, run.folder.record, path).passed
    (entry,) = audit.read_entries(ready.audit, run=run.id, kinds=["render"])
    assert entry.details["draft"] is True and entry.actor.account == "rita"


def test_a_draft_is_removed_by_who_may_make_one(ready):
    run = signable_runs.the_run(ready)
    path = release.render_draft(RunContext.open(ready, run.id, person(ready, "rita")))
    with pytest.raises(AccessError):
        release.remove_draft(RunContext.open(ready, run.id, ada(ready)), path.name)
    (made,) = release.list_drafts(run)
    release.remove_draft(RunContext.open(ready, run.id, person(ready, "otto")), path.name)
    assert list(run.folder.drafts.iterdir()) == []
    (entry,) = audit.read_entries(ready.audit, run=run.id, kinds=["removal"])
    assert (entry.actor.account, entry.subjects) == ("otto", {"output": made.report.output_sha256})
    with pytest.raises(InputError, match="has no draft"):
        release.remove_draft(RunContext.open(ready, run.id, person(ready, "otto")), path.name)
    with pytest.raises(InputError, match="has no draft"):
        release.remove_draft(RunContext.open(ready, run.id, person(ready, "otto")), "../detections.json")
    assert run.folder.record.exists()
    assert len(list(audit.read_entries(ready.audit, run=run.id, kinds=["removal"]))) == 1


def test_a_style_that_hides_nothing_makes_no_draft(ready):
    run = signable_runs.the_run(ready)
    with pytest.raises(StyleError, match="sigma"):
        release.render_draft(
            RunContext.open(ready, run.id, person(ready, "rita")),
            RenderOptions(style=style_from_preset("strong", {"sigma": 0.01})),
        )
    assert release.list_drafts(run) == ()


def test_a_final_output_bears_no_mark(approved, tmp_path):
    run = signable_runs.the_run(approved)
    cleared = release.open_snapshot(approved, run.id).sign_off.clear()
    marked = RenderOptions(mark="DRAFT")
    with pytest.raises(SignOffError, match="has no word written"):
        render(run.source, run.folder.record, tmp_path / "out.mp4", marked, cleared=cleared)
    assert not list(tmp_path.glob("*.mp4"))


def test_a_case_on_other_terms_is_bound_to_them_and_the_case_itself_is_not(approved):
    case = release.open_snapshot(approved, signable_runs.the_run(approved).id)
    other = release.replace_terms(case, OWN)
    assert other.terms.style == OWN.style and other.sign_off.hashes.terms != case.sign_off.hashes.terms
    assert other.sign_off.hashes == release.open_snapshot(approved, case.run.id, OWN).sign_off.hashes
    assert [bool(one.void_reasons) for one in other.sign_off.list_statement_statuses()] == [False, True]
    assert [bool(one.void_reasons) for one in case.sign_off.list_statement_statuses()] == [False, False]


def test_what_browsers_do_not_play_gets_a_copy_that_is_purged_with_the_run(ready):
    run, rita = signable_runs.the_run(ready), person(ready, "rita")
    assert release.choose_playback(run, run.source, probe(run.source)) == release.Playback(run.source, None)
    path = release.render_draft(RunContext.open(ready, run.id, rita), suffix=".mkv")
    assert release.choose_playback(run, path, probe(path)) == release.Playback(None, "Matroska files")
    copy = release.make_playback_copy(RunContext.open(ready, run.id, rita), path)
    assert release.choose_playback(run, path, probe(path)) == release.Playback(copy, "Matroska files")
    assert probe(copy).video.packets == probe(run.source).video.packets
    assert release.make_playback_copy(RunContext.open(ready, run.id, rita), path) == copy
    release.purge(RunContext.open(ready, run.id, ada(ready)), "retention over")
    assert not copy.exists() and not path.exists()


def test_nothing_but_videos_of_the_run_is_copied_and_only_for_who_may_look(ready):
    run = signable_runs.the_run(ready)
    other = clips.video(ready.library / "other.mp4")
    with pytest.raises(InputError, match="not a video of the run"):
        release.make_playback_copy(RunContext.open(ready, run.id, person(ready, "rita")), other)
    with pytest.raises(AccessError):
        release.make_playback_copy(RunContext.open(ready, run.id, ada(ready)), run.source)
