import json
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest

from engine import access, audit, release, runs
from engine.access.run_context import RunContext
from engine.access.second_factor import create_secret
from engine.certificate.issue import check_certificate
from engine.errors import AccessError, CheckFailedError, SignOffError, StyleError
from engine.masking.presets import style_from_preset
from engine.media.audio_streams import list_contents
from engine.record import read_document, sha256_hex
from engine.release import SignRequest
from engine.rendering.report import RenderReport, report_path
from engine.rendering.terms import RenderOptions
from engine.storage.data_folder import DataFolder
from engine.verification.report import VerifyReport
from engine.verification.verify import verify
from tests.engine.release import signable_runs
from tests.people_makers import ada, person
from tests.repository import ROOT

BROADCAST = RenderOptions(style=style_from_preset("broadcast"))


def comment(path):
    return {tag.value for tag in list_contents(path).identifying_tags if tag.name.lower() == "comment"}


def test_a_release_is_what_was_approved_with_everything_that_proves_it(released):
    run = signable_runs.the_run(released)
    (folder,) = run.folder.releases.iterdir()
    output = folder / f"{run.id}.mp4"
    assert {path.name.removeprefix(output.name) for path in folder.iterdir()} == {
        "", ".render.json", ".checks.json", "detections.json", "anchor.json", "certificate.json", "certificate.html",
    }  # fmt: skip
    report = read_document(report_path(output), RenderReport, "report")
    assert not report.draft
    assert comment(output) == {"Veil release: reviewed and approved"}
    assert read_document(folder / f"{output.name}.checks.json", VerifyReport, "checks").passed
    assert (folder / "detections.json").read_bytes() == run.folder.record.read_bytes()
    kinds = [entry.kind for entry in audit.read_entries(released.audit, run=run.id)]
    assert kinds == ["run", "review", "approval", "render", "verification", "release", "certificate"]
    last = list(audit.read_entries(released.audit))[-1]
    assert last.subjects["output"] == sha256_hex(output.read_bytes())
    assert json.loads((folder / "anchor.json").read_bytes())["sha256"] == last.sha256
    assert release.check_audit_log(released).passed


def test_a_release_taken_away_without_its_report_passes_and_says_what_that_does_not_prove(released, tmp_path):
    run = signable_runs.the_run(released)
    (output,) = run.folder.releases.glob("01/*.mp4")
    alone = Path(shutil.copy(output, tmp_path))
    checks = verify(run.source, output.with_name("detections.json"), alone)
    assert checks.passed
    assert checks.style_from.startswith("default preset")
    (metadata,) = (check for check in checks.checks if check.name == "metadata")
    assert "what it says itself" in metadata.finding


def test_signatures_carry_name_time_zone_meaning_and_what_they_are_bound_to(approved):
    case = release.open_snapshot(approved, signable_runs.the_run(approved).id)
    reviewed, consent = (one.statement for one in case.sign_off.list_statement_statuses())
    assert (consent.name, consent.account, consent.meaning, consent.reason) == ("Anna", "anna", "approved", "as agreed")
    assert consent.at.utcoffset() is not None
    assert consent.subject == case.sign_off.hashes
    assert consent.asked == "account and password"
    assert consent.persons == "two"
    assert reviewed.format_line().startswith("reviewed by Rita (rita), ")


@pytest.mark.slow
def test_amendments_are_rendered_as_they_were_approved(ready):
    signable_runs.amend(ready)
    signable_runs.signed(ready, "rita", "reviewed")
    signable_runs.signed(ready, "anna", "approved", options=BROADCAST)
    made = signable_runs.published(ready)
    report = read_document(report_path(Path(made.output)), RenderReport, "report")
    assert report.review_sha256 == sha256_hex(signable_runs.the_run(ready).folder.review.read_bytes())
    assert report.spec.style == BROADCAST.style
    assert [one.meaning for one in made.statements] == ["reviewed", "approved", "released"]


@pytest.mark.slow
def test_a_second_release_is_a_folder_of_its_own_with_the_same_bytes(released):
    again = signable_runs.published(released, "paul")
    run = signable_runs.the_run(released)
    assert again.number == 2
    first, second = sorted(run.folder.releases.glob("*/*.mp4"))
    assert first.read_bytes() == second.read_bytes()


def test_no_step_can_be_left_out(ready):
    run = signable_runs.the_run(ready)
    with pytest.raises(SignOffError, match="The run has not been approved"):
        signable_runs.published(ready)
    with pytest.raises(SignOffError, match="The run has not been signed as reviewed"):
        signable_runs.signed(ready, "anna", "approved")
    assert not list(run.folder.path.glob("releases/*"))
    refusals = [entry.reason for entry in audit.read_entries(ready.audit, kinds=["refusal"])]
    assert len(refusals) == 2


def test_a_rejection_says_why_and_takes_the_steps_back(approved):
    with pytest.raises(SignOffError, match="needs a reason"):
        signable_runs.signed(approved, "paul", "rejected")
    signable_runs.signed(approved, "paul", "rejected", reason="a face at 0:03")
    with pytest.raises(SignOffError, match=r"Paul rejected the run after it \(a face at 0:03\)"):
        signable_runs.published(approved)


def test_nothing_signed_is_signed_twice_by_one_person(approved):
    with pytest.raises(SignOffError, match="anna has already signed that the run was approved"):
        signable_runs.signed(approved, "anna", "approved")


def test_releasing_is_not_a_statement_of_its_own(approved):
    with pytest.raises(SignOffError, match="veil release"):
        signable_runs.signed(approved, "anna", "released")


@pytest.mark.slow
def test_an_output_that_evidence_keeps_back_is_not_published(approved):
    seen = []

    def doubt(candidate):
        seen.append(candidate.output.exists())
        raise CheckFailedError("3 faces can still be found; judge each of them.")

    with pytest.raises(CheckFailedError, match="judge each"):
        signable_runs.published(approved, release_checks=[doubt])
    assert seen == [True]
    assert list(signable_runs.the_run(approved).folder.releases.iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from engine.storage.data_folder import DataFolder
from tests.engine.release import signable_runs
from engine.release.certify import certify

def die(_):
    os.kill(os.getpid(), signal.SIGKILL)

signable_runs.published(DataFolder(Path(sys.argv[1])), certifiers=[*[certify] * int(sys.argv[2]), die])
"""


def killed(data, certified):
    """Release in a process that is killed when the release is on record, before its folder has its name."""
    command = [sys.executable, "-c", KILLED, str(data.root), str(int(certified))]
    done = subprocess.run(command, cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    kinds = [entry.kind for entry in audit.read_entries(data.audit)]
    assert kinds[-1] == ("certificate" if certified else "release")
    assert [path.name for path in signable_runs.the_run(data).folder.releases.iterdir()] == [".01"]


@pytest.mark.slow
@pytest.mark.parametrize("certified", [False, True])
def test_a_release_that_was_killed_when_it_was_on_record_is_finished_by_the_next(approved, certified):
    killed(approved, certified)
    made = signable_runs.published(approved, "paul")
    (folder,) = signable_runs.the_run(approved).folder.releases.iterdir()
    assert (made.number, folder.name) == (1, "01")
    assert made.statements[-1].account == "anna"
    assert made.output_sha256 == sha256_hex(Path(made.output).read_bytes())
    entries = list(audit.read_entries(approved.audit))
    assert [entry.kind for entry in entries].count("release") == 1
    assert [entry.kind for entry in entries].count("certificate") == 1
    assert json.loads((folder / "anchor.json").read_bytes())["sha256"] == entries[-1].sha256
    assert check_certificate(folder / "certificate.json").passed
    assert release.check_audit_log(approved).passed
    assert signable_runs.published(approved).number == 2


@pytest.mark.slow
def test_an_interrupted_release_of_what_was_changed_since_is_taken_back_on_record(approved):
    killed(approved, certified=False)
    signable_runs.amend(approved)
    signable_runs.signed(approved, "rita", "reviewed")
    signable_runs.signed(approved, "anna", "approved")
    made = signable_runs.published(approved)
    (folder,) = signable_runs.the_run(approved).folder.releases.iterdir()
    assert (folder / "review.jsonl").exists()
    (taken,) = (entry for entry in audit.read_entries(approved.audit, kinds=["refusal"]))
    assert "withdrawn: the run was changed" in taken.reason
    assert taken.subjects["output"] != made.output_sha256


@pytest.mark.slow
def test_a_purge_takes_an_interrupted_release_back_on_record(approved):
    killed(approved, certified=False)
    run = signable_runs.the_run(approved)
    release.purge(RunContext.open(approved, run.id, ada(approved)), "consent withdrawn")
    (taken,) = (entry for entry in audit.read_entries(approved.audit, kinds=["refusal"]))
    assert "withdrawn: the run was purged" in taken.reason
    assert list(run.folder.releases.iterdir()) == []


@pytest.mark.slow
def test_a_certificate_that_cannot_be_made_leaves_a_release_that_can_be_finished(approved):
    def fails(_):
        raise CheckFailedError("no room for a certificate")

    with pytest.raises(CheckFailedError, match="no room"):
        signable_runs.published(approved, certifiers=[fails])
    made = signable_runs.published(approved)
    assert made.number == 1
    assert Path(made.output).exists()


@pytest.mark.slow
def test_evidence_and_certificates_are_published_with_the_output(approved):
    def looked(candidate):
        (candidate.folder / "leaks.json").write_text("{}")

    def certified(sealed):
        assert sealed.statement.output == sealed.candidate.report.output_sha256
        (sealed.candidate.folder / "certificate.json").write_text(str(sealed.head.number))

    made = signable_runs.published(approved, release_checks=[looked], certifiers=[certified])
    assert {"leaks.json", "certificate.json"} <= {path.name for path in Path(made.folder).iterdir()}


def test_a_weak_style_is_not_approved(ready):
    weak = RenderOptions(style=style_from_preset("broadcast", {"blocks": 20}))
    signable_runs.signed(ready, "rita", "reviewed")
    with pytest.raises(StyleError, match="blocks 20"):
        signable_runs.signed(ready, "anna", "approved", options=weak)


def test_a_draft_says_so_in_its_name_its_metadata_and_its_report(ready):
    run = signable_runs.the_run(ready)
    path = release.render_draft(RunContext.open(ready, run.id, person(ready, "rita")), BROADCAST)
    assert path.name.endswith(".draft.mp4")
    assert path.parent == run.folder.drafts
    assert comment(path) == {"Veil draft: not reviewed"}
    assert read_document(report_path(path), RenderReport, "report").draft
    assert list(audit.read_entries(ready.audit, kinds=["render"]))[-1].details == {"draft": True}


def test_a_purge_removes_what_shows_people_and_keeps_what_proves(released):
    run = signable_runs.the_run(released)
    for folder in (run.folder.thumbnails, run.folder.drafts):
        folder.mkdir()
        (folder / "0001.jpg").write_bytes(b"picture")
    evidence = sorted(run.folder.path.rglob("*.json*"))
    with pytest.raises(AccessError, match="Rita may not purge a run"):
        release.purge(RunContext.open(released, run.id, person(released, "rita")), "retention")
    purged = release.purge(RunContext.open(released, run.id, ada(released)), "retention")
    assert not run.source.exists()
    assert not run.folder.thumbnails.exists()
    assert not run.folder.drafts.exists()
    assert all(path.exists() for path in evidence)
    assert len(list(run.folder.releases.glob("*/*.mp4"))) == 1
    assert purged.removed[0] == "footage/clip.mp4"
    entry = list(audit.read_entries(released.audit, kinds=["purge"]))[-1]
    assert (entry.actor.account, entry.reason, entry.run) == ("ada", "retention", run.id)
    assert release.check_audit_log(released).passed


def test_a_source_outside_of_the_library_is_named_and_left(released, tmp_path):
    run = signable_runs.the_run(released)
    outside = run.source.rename(tmp_path / "clip.mp4")
    request = json.loads(run.folder.request.read_bytes()) | {"source": str(outside)}
    run.folder.request.write_text(json.dumps(request))
    assert release.purge(RunContext.open(released, run.id, ada(released)), "retention").kept_elsewhere == str(outside)
    assert outside.exists()


def test_a_run_at_work_is_not_purged(ready):
    run = signable_runs.the_run(ready)
    runs.write_state(run.folder, runs.RunState(stage="queued", updated=runs.format_utc_now()))
    with pytest.raises(SignOffError, match="is queued"):
        release.purge(RunContext.open(ready, run.id, ada(ready)), "retention")


@pytest.mark.slow
def test_one_person_does_it_all_where_there_are_no_accounts_and_every_statement_says_so(tmp_path):
    data = DataFolder(tmp_path)
    alone = access.get_single_user(data)
    run = signable_runs.run_by(data, alone.account)
    now = datetime.now(UTC)
    session = access.Session(alone, now, now)
    for meaning in ("reviewed", "approved"):
        _, session = release.sign(data, run.id, session, None, SignRequest(meaning, "a test", below_policy=True))
    made, _ = release.release(data, run.id, session, None, release_checks=())
    assert {one.how for one in made.statements} == {"single-user"}
    assert made.persons == "one"
    assert {entry.actor.how for entry in audit.read_entries(data.audit, kinds=["approval", "release"])} == {
        "single-user"
    }


def test_a_signature_takes_the_code_of_the_second_factor_and_says_so(ready):
    now = datetime.now(UTC) - timedelta(minutes=2)
    secret = create_secret()
    access.add_second_factor(ready, person(ready, "rita"), secret, pyotp.TOTP(secret).at(now), now=now)
    with pytest.raises(AccessError, match="wrong"):
        signable_runs.signed(ready, "rita", "reviewed")
    statement = signable_runs.signed(ready, "rita", "reviewed", code=pyotp.TOTP(secret).now())
    assert statement.asked == "account, password and code"
