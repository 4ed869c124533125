"""Review and Sign off in every state: a sentence and a way out, never a traceback."""

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from engine import access, release
from engine.access.run_context import RunContext
from engine.record import encode_document
from engine.release import SignRequest
from tests import clips
from tests.repository import ROOT
from tests.workbench.run_makers import make_run, remove_record, set_unknown_version

pytestmark = pytest.mark.slow

NAVIGATION = ROOT / "workbench" / "navigation.py"
BOTH = pytest.mark.parametrize("page", ["review", "signoff"])


def shown(page, run=None, step=None):
    """A page after it ran, for a run or for none; a step of Sign off if one is named."""
    app = AppTest.from_file(NAVIGATION, default_timeout=60).run()
    app.switch_page(f"../pages/{page}.py")
    if run is not None:
        app.query_params["run"] = getattr(run, "id", run)
    app.run()
    return go_to(app, step) if step else app


def go_to(app, step):
    """The page Sign off at another step."""
    (stepper,) = [one for one in app.radio if one.label == "Step"]
    return stepper.set_value(step).run()


def sentences(app):
    assert not app.exception
    kinds = (app.error, app.warning, app.info, app.markdown)
    return " ".join(element.value.replace("\\", "") for kind in kinds for element in kind)


@BOTH
def test_no_run_is_chosen(data, page):
    assert "No run is finished yet" in sentences(shown(page))


@BOTH
def test_the_newest_runs_are_offered_where_none_is_chosen(data, page):
    older, newer = make_run(data), make_run(data, data.library / "clip.mp4")
    older.folder.path.rename(older.folder.path.with_name("20250101-000000-clip-0001"))
    app = shown(page)
    links = [one.proto for one in app.get("page_link") if one.proto.label == "Review" and one.proto.query_string]
    assert [one.query_string for one in links] == [f"run={newer.id}", "run=20250101-000000-clip-0001"]


@BOTH
def test_a_run_that_does_not_exist(data, page):
    assert "There is no run" in sentences(shown(page, "20260101-000000-none-0000"))


@BOTH
@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({"stage": "queued"}, "This run is queued"),
        ({"stage": "failed", "sentence": "The disk is full."}, "This run failed: The disk is full."),
        ({"stage": "cancelled"}, "Resume it on Detect"),
        ({"stage": "done"}, "is missing. Detect the source again."),
    ],
)
def test_a_run_without_a_record(data, page, state, sentence):
    assert sentence in sentences(shown(page, remove_record(make_run(data, **state))))


@BOTH
def test_a_source_that_is_gone(data, page):
    run = make_run(data)
    run.source.unlink()
    assert "Put it back under this name" in sentences(shown(page, run))


@BOTH
def test_a_picture_that_was_masked_live_has_no_frames_to_look_at(data, page):
    run = make_run(data)
    request = msgspec.structs.replace(run.request, source="camera of the browser")
    run.folder.request.write_bytes(encode_document(request))
    app = shown(page, run)
    assert "Only the masked recording was kept" in sentences(app)
    assert any("Analyse" in one.proto.label for one in app.get("page_link"))


@BOTH
def test_a_record_of_an_unknown_version(data, page):
    assert "veil/detections/9" in sentences(shown(page, set_unknown_version(make_run(data))))


def test_a_review_that_a_crash_cut_short_is_mended_by_a_button(data):
    run = make_run(data)
    run.folder.review.write_bytes(b'{"action":{"ki')
    app = shown("review", run)
    assert "ends in the middle of line 1" in sentences(app)
    app.button[0].click().run()
    assert "ends in the middle" not in sentences(app)
    assert run.folder.review.read_bytes() == b""


def test_what_is_signed_is_what_is_shown(data):
    run = make_run(data)
    app = shown("signoff", run)
    digest = release.open_snapshot(data, run.id).sign_off.hashes.record
    go_to(app, "sign")
    assert digest[:12] in " ".join(one.value for one in app.caption)
    app.button(key="FormSubmitter:sign-reviewed-Sign as reviewed").click().run()
    assert not app.exception
    standing = release.open_snapshot(data, run.id).sign_off.list_statement_statuses()
    assert [(one.statement.meaning, one.statement.subject.record) for one in standing] == [("reviewed", digest)]
    assert any("Signed: reviewed by" in one.value for one in app.success)


def test_a_run_that_changed_since_it_was_shown_is_not_signed(data):
    from engine.approval.reviewer_actions import ReviewerActions
    from engine.core.geometry import Box
    from engine.errors import SignOffError
    from engine.review.amendments import Add, Keyframe
    from workbench.auth.current_user import require_session
    from workbench.core import caches

    run = make_run(data)
    subject = release.open_snapshot(data, run.id).sign_off.hashes
    desk = ReviewerActions(RunContext(data, run, access.get_single_user(data)), caches.get_record_digest(run))
    desk.amend(caches.get_record(run), Add((Keyframe(25, Box(80, 30, 120, 80)),)))
    with pytest.raises(SignOffError, match="changed since it was shown"):
        release.sign(data, run.id, require_session(), None, SignRequest("reviewed", shown_hashes=subject))


def test_sending_back_needs_a_reason(data):
    app = shown("signoff", make_run(data), "sign")
    app.button(key="FormSubmitter:sign-rejected-Send back").click().run()
    assert "needs a reason" in sentences(app)


def test_frames_drawn_by_lot_are_looked_at_page_by_page_and_go_on_record(data):
    run = make_run(data)
    drawn = release.draw_run_audit_frames(run, 20)
    app = shown("review", run)
    app.toggle[0].set_value(True).run()
    app.number_input[0].set_value(20).run()
    record = app.button[0]
    assert record.disabled, "two pages were not shown yet"
    assert [box.label for box in app.checkbox] == [
        f"Face visible (frame {index}, {index / 25:.1f} s)" for index in drawn[:9]
    ]
    app.checkbox[2].set_value(True).run()
    for page in (2, 3):
        app.number_input[1].set_value(page).run()
    assert not app.button[0].disabled
    assert app.button[0].label == "Record result: face visible in 1 of 20 sampled frames"
    app.button[0].click().run()
    assert not app.exception
    found = release.read_frame_audit(data, run, release.open_snapshot(data, run.id).sign_off.hashes.record)
    assert (found.drawn, found.missed) == (drawn, (drawn[2],))
    shown_risk = " ".join(one.proto.body for one in shown("signoff", run).get("html"))
    assert "1 of 20 frames show a face that should not be seen" in shown_risk


def test_an_audit_counts_until_something_is_amended(data):
    from engine.approval.reviewer_actions import ReviewerActions
    from engine.core.geometry import Box
    from engine.review.amendments import Add, Keyframe
    from workbench.core import caches

    run, person = make_run(data), access.get_single_user(data)
    release.save_frame_audit(RunContext.open(data, run.id, person), 5, ())
    measured = {one.name for one in release.compute_residual_risk(data, run).measures if one.measured}
    assert measured == {"audit of frames"}
    ReviewerActions(RunContext(data, run, person), caches.get_record_digest(run)).amend(
        caches.get_record(run), Add((Keyframe(25, Box(80, 30, 120, 80)),))
    )
    assert not any(one.measured for one in release.compute_residual_risk(data, run).measures)


@pytest.fixture
def spoken(data):
    """A run of a clip with two audio streams."""
    data.library.mkdir(parents=True)
    return make_run(data, clips.video(data.library / "talk.mp4", audio=[clips.Audio(), clips.Audio(codec="mp3")]))


def replaced(app, kind="mute", start=0.2, end=0.4, *, reason="a name", streams=()):
    """The page after somebody asked for a span to be muted or bleeped."""
    app.radio(key="audio-kind").set_value(kind)
    app.number_input(key="audio-start").set_value(start)
    app.number_input(key="audio-end").set_value(end)
    app.multiselect(key="audio-streams").set_value(list(streams))
    app.text_input(key="audio-reason").set_value(reason)
    return app.button(key="FormSubmitter:audio-span-Add span").click().run()


def facts(app):
    return " ".join(one.proto.body for one in app.get("html"))


def test_audio_is_kept_until_a_span_is_muted_and_what_is_shown_is_signed(data, spoken):
    app = shown("signoff", spoken, "style")
    assert "<td>1 (aac)</td>" in facts(app)
    assert facts(app).count("kept unchanged</td>") == 2
    replaced(replaced(app), "bleep", 0.5, 0.75, reason="a place", streams=[2])
    assert not app.exception
    assert "<td>mute of 0.2-0.4 s; stored without loss</td>" in facts(app)
    assert "<td>mute of 0.2-0.4 s and bleep of 0.5-0.75 s; stored without loss</td>" in facts(app)
    assert "bleep of 0.5-0.75 s in audio stream 2 (a place); everything else is kept" in facts(go_to(app, "check"))
    go_to(app, "sign")
    app.button(key="FormSubmitter:sign-reviewed-Sign as reviewed").click().run()
    app.button(key="FormSubmitter:sign-approved-Approve").click().run()
    assert sentences(app).count("cannot") == 0
    chosen = release.read_signed_options(data, spoken.id).audio
    assert [(one.kind, one.start, one.end, one.reason, one.streams) for one in chosen] == [
        ("mute", 0.2, 0.4, "a name", None), ("bleep", 0.5, 0.75, "a place", (2,)),
    ]  # fmt: skip
    again = shown("signoff", spoken, "style")
    assert "mute of 0.2-0.4 s and bleep of 0.5-0.75 s; stored without loss" in facts(again)
    again.button(key="audio-back-1").click().run()
    assert "bleep of" not in facts(again)
    said = sentences(again)
    assert "the audio is mute of 0.2-0.4 s (a name), it was mute of 0.2-0.4 s (a name); bleep of 0.5-0.75 s" in said


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"reason": ""}, "gives no reason"),
        ({"start": 0.5}, "must end after it starts"),
        ({"start": 7.0, "end": 8.0}, "The mute of 7-8 s lies outside of the audio"),
    ],
)
def test_a_span_that_cannot_be_meant_is_refused_on_the_page(spoken, values, says):
    app = replaced(shown("signoff", spoken, "style"), **values)
    assert says in sentences(app)
    assert facts(app).count("kept unchanged</td>") == 2


def test_a_clip_without_audio_offers_no_decision(data):
    app = shown("signoff", make_run(data), "style")
    assert "The source has no audio." in " ".join(one.value for one in app.caption)
