"""The page Sign off: what it offers, what it refuses, and that what is signed is what it shows."""

from threading import Event

import msgspec
import pytest

from engine import access, audit, release
from engine.access.run_context import RunContext
from engine.assurance.leak_check.report import (
    SCHEMA,
    Leak,
    LeakCheckCoverage,
    LeakReport,
    LeakSettings,
    OutputDetection,
)
from engine.core.geometry import Box
from engine.errors import SignOffError
from engine.masking.presets import PRESETS, style_from_preset
from engine.record import encode_document, sha256_hex
from engine.release import SignRequest
from engine.rendering.terms import RenderOptions
from engine.storage.data_folder import DataFolder
from tests.workbench.run_makers import make_run
from tests.workbench.views.review.test_review import facts, go_to, sentences, shown
from workbench.auth.current_user import require_session
from workbench.core import caches
from workbench.views.signoff.release_job import name_release_task

pytestmark = pytest.mark.slow

OWN = style_from_preset("strong", {"sigma": 0.4, "shape": "rectangle", "scale": 1.3})


@pytest.fixture
def run(data):
    return make_run(data)


def sign(data, run, meaning, **wish):
    return release.sign(data, run.id, require_session(), None, SignRequest(meaning, **wish))[0]


def chosen(app):
    """The style that is marked among the pictures."""
    (tiles,) = [one.proto.body for one in app.get("html") if 'class="looks"' in one.proto.body]
    return tiles.partition("(chosen)")[0].rpartition('alt="')[2].strip()


def read_texts(app):
    return " ".join(one.value.replace("\\", "") for kind in (app.markdown, app.caption) for one in kind)


def test_notes_are_written_and_settled(data, run):
    app = shown("signoff", run)
    [add] = [one for one in app.button if one.label == "Add note"]
    app.text_input(key="note-text").set_value("Whose hand is that?")
    app = add.click().run()
    assert "Whose hand is that?" in read_texts(app)
    [done] = [one for one in app.button if one.label == "Done"]
    app = done.click().run()
    assert "Whose hand is that?" not in read_texts(app)
    [add] = [one for one in app.button if one.label == "Add note"]
    app = add.click().run()
    assert "The note is empty" in app.error[0].value


def test_a_preset_is_chosen_previewed_and_signed(data, run):
    app = shown("signoff", run, "style")
    assert chosen(app) == "Strong"
    app.radio(key=f"style-{run.id}").set_value("broadcast").run()
    assert chosen(app) == "Broadcast"
    assert "Broadcast: mosaic of 5 blocks a face" in read_texts(app)
    go_to(app, "sign")
    app.button(key="FormSubmitter:sign-reviewed-Sign as reviewed").click().run()
    app.button(key="FormSubmitter:sign-approved-Approve").click().run()
    assert not app.exception
    assert release.read_signed_options(data, run.id).style == PRESETS["broadcast"].style


def test_a_style_of_ones_own_is_previewed_and_signed_to_the_last_value(data, run):
    app = shown("signoff", run, "style")
    app.radio(key=f"style-{run.id}").set_value("own").run()
    app.selectbox(key=f"style-{run.id}-shape").set_value("rounded").run()
    app.slider(key=f"style-{run.id}-sigma").set_value(0.4).run()
    app.slider(key=f"style-{run.id}-corner").set_value(0.75).run()
    assert chosen(app) == "Custom"
    assert "style=strong%2Cshape%3Drounded%2Ccorner%3D0.75%2Csigma%3D0.4&amp;at=" in facts(app)
    go_to(app, "sign")
    app.button(key="FormSubmitter:sign-reviewed-Sign as reviewed").click().run()
    app.button(key="FormSubmitter:sign-approved-Approve").click().run()
    expected = style_from_preset("strong", {"shape": "rounded", "corner": 0.75, "sigma": 0.4})
    assert release.read_signed_options(data, run.id).style == expected


def test_what_was_signed_elsewhere_is_shown_as_it_is_and_stays_so(data, run):
    sign(data, run, "reviewed")
    signed = sign(data, run, "approved", options=RenderOptions(style=OWN))
    app = shown("signoff", run, "style")
    assert chosen(app) == "Custom"
    assert app.slider(key=f"style-{run.id}-sigma").value == 0.4
    words = "Custom: blur of 0.4 faces, 16 samples a face, 64 colour levels; rectangle of 1.3 face boxes"
    assert words in read_texts(app)
    assert signed.subject.terms in facts(go_to(app, "check"))
    assert "an approver releases the final video." in read_texts(app)


def test_another_style_voids_the_approval_and_the_signed_one_brings_it_back(data, run):
    sign(data, run, "reviewed")
    sign(data, run, "approved")
    app = shown("signoff", run, "style")
    app.radio(key=f"style-{run.id}").set_value("editorial").run()
    assert "Approved is no longer valid: style.feather is 0.3, it was 0.1" in sentences(app)
    assert not [one for one in go_to(app, "release").button if one.label == "Release the final video"]
    go_to(app, "style").radio(key=f"style-{run.id}").set_value("strong").run()
    go_to(app, "release")
    assert [one for one in app.button if one.label == "Release the final video"]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("sigma", 0.05, "Blur strength is 0.05. It must be at least 0.125"),
        ("samples", 60, "Pixels across a face is 60. It must be at most 32"),
        ("scale", 0.8, "Mask size (face boxes) is 0.8. It must be at least 1.2"),
    ],
)
def test_a_style_that_hides_nothing_cannot_be_approved(data, run, field, value, says):
    sign(data, run, "reviewed")
    app = shown("signoff", run, "style")
    app.radio(key=f"style-{run.id}").set_value("own").run()
    app.slider(key=f"style-{run.id}-{field}").set_value(value).run()
    assert says in sentences(app)
    go_to(app, "sign")
    assert app.button(key="FormSubmitter:sign-approved-Approve").disabled
    assert "Make it stronger before you approve" in read_texts(app)


def test_a_style_that_was_forced_is_shown_as_forced(data, run):
    sign(data, run, "reviewed")
    weak = style_from_preset("strong", {"sigma": 0.05})
    sign(data, run, "approved", options=RenderOptions(style=weak, force=True))
    app = shown("signoff", run, "style")
    assert "It was forced when it was signed" in sentences(app)
    assert "(forced)" in read_texts(app)
    go_to(app, "release")
    assert [one for one in app.button if one.label == "Release the final video"]


def test_a_signed_picture_is_kept_and_no_address_names_its_file(data, run, tmp_path):
    import cv2
    import numpy as np

    picture = tmp_path / "logo.png"
    cv2.imwrite(str(picture), np.full((20, 20, 3), 200, np.uint8))
    style = style_from_preset(
        "strong", {"method": "image", "image": str(picture), "image_sha256": sha256_hex(picture.read_bytes())}
    )
    sign(data, run, "reviewed")
    sign(data, run, "approved", options=RenderOptions(style=style))
    app = shown("signoff", run, "style")
    assert "style=signed&amp;at=" in facts(app) and "logo.png" in read_texts(app)
    assert str(tmp_path) not in facts(app).replace(str(run.source), "")
    assert "an approver releases the final video" in read_texts(app)


def test_a_draft_that_is_there_is_played_named_and_removed(data, run):
    path = release.render_draft(RunContext.open(data, run.id, access.get_single_user(data)), RenderOptions(style=OWN))
    app = shown("signoff", run, "look")
    (label,) = [one.label for one in app.expander if "Draft of" in one.label]
    assert "outdated: the style changed since" in label
    assert f"/api/drafts/{run.id}/{path.name}?keep=1" in facts(app)
    app.button(key=f"remove-{path.name}").click().run()
    assert not app.exception and not path.exists()
    assert not [one for one in app.expander if "Draft of" in one.label]


@pytest.fixture
def finding(data, run):
    """A finding in an output of the run, as the search of a release leaves it; its key."""
    box = Box(20, 20, 70, 60)
    leak = Leak(
        "unrecorded:3:20-20-70-60", "unrecorded", 3, box, 0.9, "centerface", 2, 5,
        (OutputDetection(3, box, 0.9, "centerface"),), None, "a face that no mask covers",
    )  # fmt: skip
    case = release.open_snapshot(data, run.id)
    sha256 = "cd" * 32
    looked = LeakCheckCoverage(30, 30, 0, 0, 20, 0)
    subject = case.sign_off.hashes
    report = LeakReport(
        SCHEMA, "0", subject.source, subject.record, None, sha256, LeakSettings(), (), looked, (leak,), ()
    )  # fmt: skip
    run.folder.leak_reports.mkdir()
    (run.folder.leak_reports / f"{sha256}.json").write_bytes(encode_document(report))
    subjects = {"output": sha256, "leaks": sha256_hex(encode_document(report))}
    audit.append(data.audit, audit.Event(actor=audit.SYSTEM_ACTOR, kind="verification", run=run.id, subjects=subjects))
    return leak.key


def judged(app, key, verdict, reason):
    app.radio(key=f"verdict-{key}").set_value(verdict)
    app.text_input(key=f"reason-{key}").set_value(reason)
    return app.button(key=f"FormSubmitter:leak-{key}-Judge").click().run()


def test_a_finding_is_shown_judged_with_a_reason_and_goes_on_record(data, run, finding):
    app = shown("signoff", run, "release")
    assert "Possible visible faces (1): release is blocked" in [one.value for one in app.header]
    assert "Frames 2 to 5" in read_texts(app) and "a face that no mask covers" in read_texts(app)
    assert f"/api/stills/{run.id}/3?side=1280&amp;masked=1" in facts(app)
    assert any(one.proto.query_string == f"run={run.id}&frame=3" for one in app.get("page_link"))
    judged(app, finding, "no face", "a lamp")
    assert not app.exception
    assert "Possible visible faces (1): release is blocked" not in [one.value for one in app.header]
    (made,) = release.read_judgements(data, run)
    assert (made.leak, made.verdict, made.reason) == (finding, "no face", "a lamp")
    (entry,) = audit.read_entries(data.audit, run=run.id, kinds=["judgement"])
    assert entry.reason == "a lamp"


@pytest.mark.parametrize("case", [("no face", " ", "needs a reason"), (None, "a lamp", "Choose a judgement")])
def test_a_judgement_without_verdict_or_reason_is_none(data, run, finding, case):
    verdict, reason, says = case
    app = judged(shown("signoff", run, "release"), finding, verdict, reason)
    assert says in sentences(app)
    assert release.read_judgements(data, run) == ()


def test_where_findings_are_open_the_form_of_the_release_says_so(data, run, finding):
    sign(data, run, "reviewed")
    sign(data, run, "approved")
    app = shown("signoff", run, "release")
    assert "Judge 1 finding above first. Otherwise the release stops" in read_texts(app)
    assert "above first" not in read_texts(judged(app, finding, "no face", "a lamp"))


def test_a_finding_that_is_a_leak_stays_until_it_is_amended(data, run, finding):
    app = judged(shown("signoff", run, "release"), finding, "leak", "it is her")
    assert "judged it a leak (it is her). Amend it in Review" in read_texts(app)
    assert "Possible visible faces (1): release is blocked" in [one.value for one in app.header]


def test_the_steps_say_who_and_what_counts_no_more(data, run):
    app = shown("signoff", run, "sign")
    assert "a reviewer signs the review" in read_texts(app)
    sign(data, run, "reviewed")
    sign(data, run, "rejected", reason="the poster shows")
    app = shown("signoff", run, "sign")
    assert "sent this run back: the poster shows" in sentences(app)
    assert "No longer valid: " in read_texts(app)


def test_while_the_source_is_read_no_bytes_are_taken_for_frames(data, run):
    begun, go_on = Event(), Event()

    def work(listener):
        listener.progress("probe", 500, 2000)
        begun.set()
        go_on.wait(60)

    caches.get_background_tasks().start(name_release_task(run.id), work)
    assert begun.wait(60)
    try:
        (bar,) = shown("signoff", run).get("progress")
        assert bar.proto.text == "Reading the source: 25 %"
    finally:
        go_on.set()


def test_amendments_are_listed_with_who_and_why(data, run):
    from engine.approval.reviewer_actions import ReviewerActions
    from engine.review.amendments import KeepVisible

    desk = ReviewerActions(RunContext(data, run, access.get_single_user(data)), caches.get_record_digest(run))
    track = caches.get_record(run).frames[0].faces[0].track
    desk.amend(caches.get_record(run), KeepVisible(track, 2, 6), "she <b>agreed</b>")
    told = facts(shown("signoff", run))
    assert f"Keep track {track} visible in frames 2 to 5" in told
    assert f"track {track} in frames 2 to 5: she &lt;b&gt;agreed" in told


def test_a_tampered_signature_is_said_and_review_shows_stills_all_the_same(data, run):
    sign(data, run, "reviewed")
    (path,) = run.folder.signatures.iterdir()
    path.write_bytes(encode_document(msgspec.json.decode(path.read_bytes()) | {"name": "Somebody"}))
    assert "tampered with" in sentences(shown("signoff", run))
    assert "tampered" not in sentences(shown("review", run))


def test_while_it_is_released_the_page_says_how_far_and_nothing_can_be_signed(data, run):
    sign(data, run, "reviewed")
    sign(data, run, "approved")
    begun, go_on = Event(), Event()

    def work(listener):
        listener.progress("render", 12, 30)
        begun.set()
        go_on.wait(60)
        raise SignOffError("The output may still show a face.")

    caches.get_background_tasks().start(name_release_task(run.id), work)
    assert begun.wait(60)
    try:
        app = shown("signoff", run, "release")
        (bar,) = app.get("progress")
        assert bar.proto.text == "Rendering: 12 of 30 frames"
        assert "it continues in the background" in sentences(app)
        assert not [one for one in app.button if one.label == "Release the final video"]
        assert "Signing is available again when it finishes" in sentences(go_to(app, "sign"))
        assert not [one for one in app.button if one.label == "Approve"]
    finally:
        go_on.set()
    while caches.get_background_tasks().is_running(name_release_task(run.id)):
        begun.wait(0.01)
    app = shown("signoff", run, "release")
    assert "Release stopped: The output may still show a face." in sentences(app)
    assert "an approver releases the final video." in read_texts(app), "what comes next is said all the same"
    assert [one for one in app.button if one.label == "Release the final video"]
    aside = run.source.rename(run.source.with_name("aside.mp4"))
    assert "Release stopped: The output may still show a face." in sentences(app.run()), "also beside another error"
    aside.rename(run.source)
    app.run()
    app.button(key=f"dismiss {name_release_task(run.id)}").click().run()
    assert "Release stopped" not in sentences(app)


def test_where_nothing_is_doubtful_it_is_not_said_that_risk_was_looked_at(data):
    empty = make_run(data, boxes=lambda _index: [])
    app = shown("signoff", empty)
    figures = {one.label: one.value for one in app.metric}
    assert (figures["Risk reviewed"], figures["Still to check"]) == ("Nothing to check", "Nothing to check")
    assert "0 of 30 frames viewed, nothing to check" in facts(app)
    assert "of the risk looked at" not in facts(app)
    assert "This frame has no mask" in read_texts(go_to(app, "style"))


def test_nothing_is_signed_below_the_policy_without_a_tick_and_a_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("VEIL_DATA", str(tmp_path / "data"))
    data = DataFolder(tmp_path / "data")
    run = make_run(data)
    app = shown("signoff", run, "sign")
    assert "0 of 30 frames viewed (policy: at least 25 %)" in sentences(app)
    press = "FormSubmitter:sign-reviewed-Sign as reviewed"
    app.button(key=press).click().run()
    assert "Tick the box and give a reason" in sentences(app)
    app.text_input(key="reviewed-reason").set_value("a test clip")
    app.button(key=press).click().run()
    assert not run.folder.signatures.exists()
    app.checkbox(key="reviewed-below-policy").set_value(True)
    app.button(key=press).click().run()
    (status,) = release.open_snapshot(data, run.id).sign_off.list_statement_statuses()
    assert (status.statement.reason, len(status.statement.below_policy)) == ("a test clip", 2)
    assert "signed this as reviewed below the policy" in sentences(app)
    home = sentences(shown("home"))
    assert "signed below the policy" in home and "a test clip" in home
