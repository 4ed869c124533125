"""What somebody with the files or the functions at hand might try; each is caught by a sentence that names it."""

import json
import shutil
from datetime import UTC, datetime

import msgspec
import pytest

from engine import access, audit, release
from engine.approval.workflow import Clearance
from engine.audit.log import log_path
from engine.core.geometry import Box
from engine.errors import AccessError, RunError, SignOffError, SourceError
from engine.masking.presets import style_from_preset
from engine.record import encode_document, read_record, sha256_hex
from engine.release import SignRequest
from engine.rendering.render import render
from engine.rendering.report import report_path
from engine.rendering.terms import RenderOptions
from engine.verification.verify import verify
from tests import clips
from tests.engine.release import signable_runs
from tests.people_makers import PASSWORD, ada, person


def flip(path, place=-20):
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def caught(data, match, **options):
    """A release is refused with that sentence, and nothing is published."""
    run = signable_runs.the_run(data)
    before = sorted(run.folder.releases.glob("[0-9]*")) if run.folder.releases.exists() else []
    with pytest.raises(SignOffError, match=match):
        signable_runs.published(data, "paul", **options)
    after = sorted(run.folder.releases.glob("[0-9]*")) if run.folder.releases.exists() else []
    assert before == after


@pytest.fixture
def amended(ready):
    """Amended, reviewed, approved."""
    signable_runs.amend(ready)
    signable_runs.signed(ready, "rita", "reviewed")
    signable_runs.signed(ready, "anna", "approved")
    return ready


@pytest.mark.slow
def test_a_byte_of_the_source(approved):
    flip(signable_runs.the_run(approved).source)
    caught(approved, "^The source was changed")


def test_a_byte_of_the_record(approved):
    flip(signable_runs.the_run(approved).folder.record)
    caught(approved, "^The detection record was changed")


@pytest.mark.slow
def test_a_byte_of_an_amendment(amended):
    flip(signable_runs.the_run(amended).folder.review)
    caught(amended, "^The amendments (were changed|cannot be read)")


@pytest.mark.slow
def test_an_amendment_after_the_approval(amended):
    signable_runs.amend(amended, "paul")
    caught(
        amended,
        r"no longer counts as approved: since Anna signed that, the amendments changed\. It has to be signed again",
    )


@pytest.mark.slow
def test_amendments_taken_away(amended):
    signable_runs.the_run(amended).folder.review.unlink()
    caught(amended, "^The amendments were changed")


@pytest.mark.parametrize("number", [1, 2])
def test_any_byte_of_a_signature(approved, number):
    path = signable_runs.the_run(approved).folder.signatures / f"{number:04}.json"
    whole = path.read_bytes()
    for place in range(1, len(whole) - 1, 23):
        flip(path, place)
        with pytest.raises(SignOffError, match=rf"{number:04}\.json"):
            release.open_snapshot(approved, signable_runs.the_run(approved).id)
        path.write_bytes(whole)
    release.open_snapshot(approved, signable_runs.the_run(approved).id)


def test_another_style_than_the_approved_one(approved):
    options = RenderOptions(style=style_from_preset("strong", {"scale": 1.5}))
    caught(approved, r"since Anna signed that, style\.scale is 1\.5, it was 1\.45\.", options=options)
    caught(approved, r"since Anna signed that, suffix is \.mkv, it was \.mp4\.", suffix=".mkv")


def test_another_version_of_a_library(approved):
    run = signable_runs.the_run(approved)
    case = release.open_snapshot(approved, run.id)
    other = msgspec.to_builtins(case.terms)
    other["versions"]["libavcodec"] = "0.0.0"
    case.sign_off.feed_terms(other)
    with pytest.raises(SignOffError, match=r"versions\.libavcodec is 0\.0\.0, it was"):
        case.sign_off.clear()


def test_a_byte_of_the_output(released):
    run = signable_runs.the_run(released)
    (output,) = run.folder.releases.glob("01/*.mp4")
    flip(output, output.stat().st_size // 2)
    checks = verify(run.source, output.with_name("detections.json"), output, render_again=True).checks
    failed = {check.name: check.finding for check in checks if not check.passed}
    assert failed["report"] == "the report of the render names another output"
    assert "rendered again" in failed


def test_any_line_of_the_log(released):
    path, run = log_path(released.audit), signable_runs.the_run(released)
    whole = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(whole, start=1):
        changed = line.replace(b"a", b"e", 1)
        path.write_bytes(b"".join([*whole[: number - 1], changed, *whole[number:]]))
        with pytest.raises(SignOffError, match=rf"^The audit log was tampered with. Line {number} "):
            release.open_snapshot(released, run.id)


@pytest.mark.parametrize("kept", [0, 4, 9, -1])
def test_a_log_cut_off_after_an_event(released, kept):
    path = log_path(released.audit)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:kept]))
    report = release.check_audit_log(released)
    assert not report.passed
    assert "anchor.json" in report.findings[-1].sentence
    caught(released, r"The audit log was tampered with. The audit log was cut off after line \d+|signature")


def test_an_anchor_that_was_handed_out_finds_a_log_that_was_written_anew(released):
    handed_out = audit.read_head(released.audit)
    run = signable_runs.the_run(released)
    shutil.rmtree(run.folder.releases)
    shutil.rmtree(run.folder.signatures)
    path = log_path(released.audit)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-4]))
    assert release.check_audit_log(released).passed
    report = release.check_audit_log(released, {"certificate": handed_out})
    assert "certificate knows entry" in report.findings[0].sentence


def detected_anew(data):
    """Another record in the place of the approved one, put on record as a detection would."""
    run = signable_runs.the_run(data)
    record = read_record(run.folder.record)
    fewer = msgspec.structs.replace(record.frames[3], faces=())
    run.folder.record.write_bytes(
        encode_document(msgspec.structs.replace(record, frames=(*record.frames[:3], fewer, *record.frames[4:])))
    )
    subjects = {"record": sha256_hex(run.folder.record.read_bytes())}
    actor = audit.Actor("otto", "Otto", "account")
    audit.append(data.audit, audit.Event(actor=actor, kind="run", run=run.id, subjects=subjects))
    return run


def test_an_old_approval_on_a_new_record(approved):
    detected_anew(approved)
    caught(approved, "no longer counts as approved: since Anna signed that, the detection record changed")


def test_an_old_approval_copied_to_look_new(approved):
    folder = detected_anew(approved).folder.signatures
    shutil.copy(folder / "0002.json", folder / "0003.json")
    caught(approved, r"^The signature 0003\.json is a copy of the signature 0002")


def test_an_old_approval_rewritten_for_the_new_record(approved):
    run = detected_anew(approved)
    path = run.folder.signatures / "0002.json"
    path.write_bytes(
        path.read_bytes().replace(
            json.loads(path.read_bytes())["subject"]["record"].encode(),
            sha256_hex(run.folder.record.read_bytes()).encode(),
        )
    )
    caught(approved, r"^The signature 0002\.json was tampered with: the audit log knows another")


def test_an_approval_of_another_run(approved):
    folder = signable_runs.the_run(approved).folder.path
    folder.rename(folder.with_name("20260101-000000-clip-0000"))
    caught(approved, rf"^The signature 0001\.json is of the run {folder.name}, not of 20260101-000000-clip-0000")


def test_a_forged_approval_that_nobody_put_on_record(ready):
    signable_runs.signed(ready, "rita", "reviewed")
    path = signable_runs.the_run(ready).folder.signatures / "0001.json"
    forged = json.loads(path.read_bytes()) | {"meaning": "approved", "account": "anna", "name": "Anna", "number": 2}
    path.with_name("0002.json").write_text(json.dumps(forged))
    caught(ready, "^The run has not been approved")


def test_a_signature_taken_away(approved):
    (signable_runs.the_run(approved).folder.signatures / "0001.json").unlink()
    caught(approved, "^The signature 0001 is missing, though the audit log knows it")


def hired(data, account, *roles):
    access.add_account(data, ada(data), account, name=account.title(), roles=roles, password=PASSWORD)


@pytest.mark.slow
def test_one_person_signs_twice_under_four_eyes(ready):
    hired(ready, "rolf", "reviewer", "approver")
    signable_runs.signed(ready, "rolf", "reviewed")
    with pytest.raises(SignOffError, match=r"^rolf reviewed the run, so another person must approve it.*two persons"):
        signable_runs.signed(ready, "rolf", "approved")


@pytest.mark.slow
def test_who_amended_approves_under_four_eyes(ready):
    hired(ready, "rolf", "reviewer", "approver")
    signable_runs.amend(ready, "rolf")
    signable_runs.signed(ready, "rita", "reviewed")
    with pytest.raises(SignOffError, match=r"^rolf reviewed the run"):
        signable_runs.signed(ready, "rolf", "approved")


@pytest.mark.slow
def test_who_ran_approves_under_four_eyes_though_the_request_was_rewritten(ready):
    access.add_account(ready, ada(ready), "olaf", name="Olaf", roles=["operator", "approver"], password=PASSWORD)
    run = signable_runs.the_run(ready)
    event = audit.Event(actor=person(ready, "olaf").actor, kind="run", run=run.id)
    audit.append(ready.audit, event)
    signable_runs.signed(ready, "rita", "reviewed")
    assert run.request.account == "otto"
    with pytest.raises(SignOffError, match=r"^olaf ran the detection"):
        signable_runs.signed(ready, "olaf", "approved")


def test_who_ran_reviews_where_three_persons_are_asked_for(ready):
    access.set_policy(ready, ada(ready), access.Policy(persons="three"))
    event = audit.Event(actor=person(ready, "rita").actor, kind="run", run=signable_runs.the_run(ready).id)
    audit.append(ready.audit, event)
    with pytest.raises(SignOffError, match=r"^rita ran the detection, so another person must review it.*three persons"):
        signable_runs.signed(ready, "rita", "reviewed")


@pytest.mark.parametrize(
    ("account", "meaning", "role"),
    [("otto", "reviewed", "reviewer"), ("rita", "approved", "approver"), ("ada", "approved", "approver")],
)
def test_signing_without_the_role_by_a_direct_call(ready, account, meaning, role):
    with pytest.raises(AccessError, match=rf"may not .*; this needs the role {role}\.$"):
        signable_runs.signed(ready, account, meaning)
    assert not signable_runs.the_run(ready).folder.signatures.exists()


@pytest.mark.parametrize("account", ["otto", "rita", "ada"])
def test_releasing_without_the_role_by_a_direct_call(approved, account):
    with pytest.raises(AccessError, match=r"may not release a run; this needs the role approver\.$"):
        signable_runs.published(approved, account)
    assert list(audit.read_entries(approved.audit, kinds=["refusal"]))[-1].actor.account == account


def test_signing_with_roles_that_somebody_only_claims(ready):
    claimed = access.Person("rita", "Rita", access.ROLES, "account")
    session = msgspec.structs.replace(signable_runs.session(ready, "rita"), person=claimed)
    with pytest.raises(AccessError, match="Rita may not approve"):
        release.sign(
            ready, signable_runs.the_run(ready).id, session, access.Password(PASSWORD, "rita"), SignRequest("approved")
        )


def test_signing_as_the_single_user_where_there_are_accounts(ready):
    claimed = access.Person("root", "Root", access.ROLES, "single-user")
    session = msgspec.structs.replace(signable_runs.session(ready, "rita"), person=claimed)
    with pytest.raises(AccessError, match="This installation has accounts"):
        release.sign(ready, signable_runs.the_run(ready).id, session, None, SignRequest("approved"))


def test_signing_without_the_credential(ready):
    for credential in (None, access.Password("not the password", "rita")):
        with pytest.raises(AccessError):
            release.sign(
                ready,
                signable_runs.the_run(ready).id,
                signable_runs.session(ready, "rita"),
                credential,
                SignRequest("reviewed", "a test", below_policy=True),
            )
    assert not signable_runs.the_run(ready).folder.signatures.exists()


@pytest.mark.parametrize("name", ["people", "policy"])
def test_accounts_or_policy_changed_by_hand(approved, name):
    path = approved.access / f"{name}.json"
    before = json.loads(path.read_bytes()) if path.exists() else {"schema": "veil/policy/1", "persons": "one"}
    path.write_text(json.dumps(before))
    caught(approved, rf"{name}\.json was tampered with")


def test_accounts_taken_away_to_work_as_a_single_user(approved):
    (approved.access / "people.json").unlink()
    now = datetime.now(UTC)
    session = access.Session(access.get_single_user(approved), now, now)
    with pytest.raises(SignOffError, match=r"people\.json was tampered with"):
        release.release(approved, signable_runs.the_run(approved).id, session, None)


def other_record(path):
    record = read_record(path)
    small = tuple(
        msgspec.structs.replace(
            frame, faces=tuple(msgspec.structs.replace(face, box=Box(0, 0, 2, 2)) for face in frame.faces)
        )
        for frame in record.frames
    )
    return encode_document(msgspec.structs.replace(record, frames=small))


def test_a_record_swapped_between_the_check_and_the_render(approved, tmp_path):
    run = signable_runs.the_run(approved)
    case = release.open_snapshot(approved, run.id)
    cleared = case.sign_off.clear()
    run.folder.record.write_bytes(other_record(run.folder.record))
    with pytest.raises(SignOffError, match=r"^The record was changed between the check of the sign-off and"):
        render(run.source, run.folder.record, tmp_path / "out.mp4", case.terms.options, cleared=cleared)
    assert not (tmp_path / "out.mp4").exists()


class Swapper:
    """Does something once the render has begun."""

    def __init__(self, act):
        self._act = act

    def progress(self, stage, done, total):
        if stage == "render" and self._act:
            act, self._act = self._act, None
            act()

    def notice(self, message): ...


@pytest.mark.slow
def test_a_record_swapped_during_the_release_changes_nothing(approved):
    run = signable_runs.the_run(approved)
    before, other = run.folder.record.read_bytes(), other_record(run.folder.record)
    made = signable_runs.published(approved, "paul", listener=Swapper(lambda: run.folder.record.write_bytes(other)))
    (copy,) = run.folder.releases.glob("01/detections.json")
    assert copy.read_bytes() == before
    assert verify(run.source, copy, made.output).passed
    caught(approved, "^The detection record was changed")


def test_a_source_swapped_during_the_release(approved, tmp_path):
    run = signable_runs.the_run(approved)
    other = clips.video(tmp_path / "other.mp4", size=(128, 96), frames=8, audio=[clips.Audio(pitch=900)])
    with pytest.raises(SourceError, match=r"clip\.mp4 was changed while it was read"):
        signable_runs.published(approved, "paul", listener=Swapper(lambda: shutil.copy(other, run.source)))
    assert list(run.folder.releases.iterdir()) == []


def test_a_clearance_that_somebody_makes_up(approved):
    genuine = release.open_snapshot(approved, signable_runs.the_run(approved).id).sign_off.clear()
    with pytest.raises(SignOffError, match="needs a clearance"):
        Clearance(genuine.run, genuine.hashes, genuine.terms, genuine.statements, genuine.persons, object())


def test_a_render_without_clearance_is_a_draft_whatever_it_is_called(approved, tmp_path):
    run = signable_runs.the_run(approved)
    report = render(run.source, run.folder.record, tmp_path / "final.mp4")
    assert report.draft
    assert report.spec.comment == "Veil draft: not reviewed"
    assert report_path(tmp_path / "final.mp4").exists()


def test_a_draft_in_the_place_of_a_release(released, tmp_path):
    run = signable_runs.the_run(released)
    (output,) = run.folder.releases.glob("01/*.mp4")
    draft = tmp_path / "draft.mp4"
    render(run.source, run.folder.record, draft)
    shutil.copy(draft, output)
    checks = verify(run.source, run.folder.record, output, render_again=True).checks
    failed = {check.name for check in checks if not check.passed}
    assert {"report", "metadata", "rendered again"} <= failed
    known = list(audit.read_entries(released.audit, kinds=["release"]))[-1].subjects["output"]
    assert known != sha256_hex(output.read_bytes())


def test_runs_that_are_named_like_paths(ready):
    with pytest.raises(RunError, match="no run"):
        release.open_snapshot(ready, "../access")
