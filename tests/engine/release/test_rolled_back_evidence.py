"""Evidence that is rolled back, mixed with that of another run, swapped while nobody looks, or taken away."""

import json
import shutil

import msgspec
import pytest

from engine import access, audit, release
from engine.access.logged_file import people_file, policy_file
from engine.access.run_context import RunContext
from engine.certificate.signing_key import create_signing_key
from engine.cli import main
from engine.errors import CheckFailedError, SignOffError
from engine.record import encode_document, sha256_hex
from engine.release import save_frame_audit
from engine.release.certify import CERTIFIERS
from engine.release.frame_audit import read_frame_audit
from engine.release.leak_judgements import judge_leak, leak_report_path, list_open_leaks, read_judgements
from engine.release.release_checks import run_leak_check
from engine.storage.data_folder import DataFolder
from tests.engine.assurance.leak_check.test_report import leak
from tests.engine.assurance.leak_check.test_report import report as leak_report
from tests.engine.release import signable_runs
from tests.people_makers import ada, person

pytestmark = pytest.mark.slow


def context_of(data, account):
    return RunContext(data, signable_runs.the_run(data), person(data, account))


def refused(data, sentence, **options):
    """A release is refused with that sentence, and nothing is published."""
    with pytest.raises(SignOffError, match=sentence):
        signable_runs.published(data, "paul", **options)
    run = signable_runs.the_run(data)
    assert not list(run.folder.releases.glob("[0-9]*"))


def test_an_audit_of_frames_put_back_over_one_that_saw_a_face(ready):
    run, context = signable_runs.the_run(ready), context_of(ready, "rita")
    save_frame_audit(context, 8, ())
    clean = run.folder.frame_audit.read_bytes()
    save_frame_audit(context, 8, (3,))
    record_sha256 = sha256_hex(run.folder.record.read_bytes())
    assert read_frame_audit(ready, run, record_sha256).missed == (3,)
    run.folder.frame_audit.write_bytes(clean)
    with pytest.raises(SignOffError, match=r"was tampered with: it is not the newest audit of frames"):
        signable_runs.signed(ready, "rita", "reviewed")


@pytest.fixture
def judged(approved, made):
    """A run whose output has a finding: judged to be no face, then to be a leak."""
    run, context = signable_runs.the_run(approved), context_of(approved, "paul")
    released = next(audit.read_entries(made["released"].audit, kinds=["release"]))
    report = leak_report(leak("a"), output=released.subjects["output"])
    context.log_event("verification", {"output": report.output_sha256, "leaks": sha256_hex(encode_document(report))})
    run.folder.leak_reports.mkdir()
    leak_report_path(run, report.output_sha256).write_bytes(encode_document(report))
    for verdict in ("no face", "leak"):
        judge_leak(context, "a", verdict, "looked closely")
    return approved, run, report


def test_a_judgement_taken_away(judged):
    data, run, report = judged
    lines = run.folder.judgements.read_bytes().splitlines(keepends=True)
    run.folder.judgements.write_bytes(lines[0])
    assert [one.key for one in list_open_leaks(data, run, report)] == ["a"]
    refused(
        data, r"judgements\.jsonl was tampered with.*the finding a is in the audit log", release_checks=[run_leak_check]
    )
    judge_leak(context_of(data, "paul"), "a", "allowed", "the person agrees")
    assert list_open_leaks(data, run, report) == ()


def test_judgements_put_in_another_order_or_repeated(judged):
    data, run, _ = judged
    first, second = run.folder.judgements.read_bytes().splitlines(keepends=True)
    for lines in ((second, first), (first, second, first)):
        run.folder.judgements.write_bytes(b"".join(lines))
        assert [one.verdict for one in read_judgements(data, run)] == ["no face", "leak"]
        refused(data, "may still show a face", release_checks=[run_leak_check])


@pytest.mark.parametrize("name", ["people", "policy"])
def test_accounts_or_policy_of_an_earlier_day(approved, name):
    for persons in ("one", "two"):
        access.set_policy(approved, ada(approved), access.Policy(persons=persons))
        path = approved.access / f"{name}.json"
        if persons == "one":
            earlier = path.read_bytes()
    access.disable_account(approved, ada(approved), "anna")
    path.write_bytes(earlier)
    refused(approved, rf"{name}\.json was tampered with: it is not the one that the audit log knows")


@pytest.mark.parametrize("file", [people_file, policy_file])
def test_a_crash_in_a_change_of_accounts_or_policy_is_no_tampering(approved, file):
    access.set_policy(approved, ada(approved), access.Policy(persons="three"))
    stored = file(approved)
    changed = stored.path.read_bytes().rstrip() + b"\n\n"
    stored._pending.write_bytes(changed)
    release.open_snapshot(approved, signable_runs.the_run(approved).id)
    assert stored.path.read_bytes() != changed, "what was not logged is not put into place"
    subjects = {stored.subject: sha256_hex(changed)}
    audit.append(approved.audit, audit.Event(actor=ada(approved).actor, kind=stored.kind, subjects=subjects))
    stored._pending.write_bytes(changed)
    release.open_snapshot(approved, signable_runs.the_run(approved).id)
    assert stored.path.read_bytes() == changed
    assert not stored._pending.exists()


def test_amendments_of_another_run_with_the_same_record(ready, tmp_path):
    other = signable_runs.copied(ready, tmp_path / "other")
    signable_runs.amend(other)
    shutil.copy(signable_runs.the_run(other).folder.review, signable_runs.the_run(ready).folder.review)
    with pytest.raises(SignOffError, match=r"^Amendment 1 in the name of Rita is not in the audit log"):
        signable_runs.signed(ready, "rita", "reviewed")


def test_a_log_of_an_earlier_day(approved, made):
    shutil.copy(made["ready"].audit / "log.jsonl", approved.audit / "log.jsonl")
    refused(approved, r"The audit log was tampered with\. The audit log was cut off after line")


def test_signatures_that_change_their_numbers(approved):
    folder = signable_runs.the_run(approved).folder.signatures
    (folder / "0001.json").rename(folder / "x")
    (folder / "0002.json").rename(folder / "0001.json")
    (folder / "x").rename(folder / "0002.json")
    refused(approved, r"The signature 0001\.json")


def test_a_request_that_names_another_video(approved):
    run = signable_runs.the_run(approved)
    other = run.source.with_name("other.mp4")
    other.write_bytes(run.source.read_bytes() + b"\0")
    request = msgspec.structs.replace(run.request, source=str(other))
    run.folder.request.write_bytes(encode_document(request))
    refused(approved, "^The source was changed")


def test_a_signing_key_of_somebody_else(approved, monkeypatch, capsys):
    approved.signing_key.unlink(missing_ok=True)
    create_signing_key(approved.signing_key)
    signable_runs.published(approved)
    approved.signing_key.unlink()
    create_signing_key(approved.signing_key)
    with pytest.raises(SignOffError, match=r"key\.pem was tampered with.*make a new one with veil certificate key"):
        signable_runs.published(approved, "paul")
    approved.signing_key.unlink()
    with pytest.raises(SignOffError, match=r"key\.pem was tampered with"):
        signable_runs.published(approved, "paul")


def test_a_key_that_is_made_is_logged(tmp_path, capsys):
    data = DataFolder(tmp_path / "data")
    assert main(["certificate", "key", "--data", str(data.root)]) == 0
    (entry,) = audit.read_entries(data.audit, kinds=["settings"])
    assert entry.subjects["key"] == sha256_hex(data.signing_key.read_bytes())


def interrupt(data):
    """A release that is signed and not certified; its hidden folder."""

    def fails(_):
        raise CheckFailedError("no room for a certificate")

    with pytest.raises(CheckFailedError, match="no room"):
        signable_runs.published(data, certifiers=[fails])
    return signable_runs.the_run(data).folder.releases / ".01"


@pytest.mark.parametrize("name", ["planted.json", "leaks.json", "expertise.pdf"])
def test_a_document_slipped_into_an_interrupted_release(approved, name):
    path = interrupt(approved) / name
    path.write_bytes(b"{}")
    made = signable_runs.published(approved)
    (refusal,) = audit.read_entries(approved.audit, kinds=["refusal"])
    assert f"{path} was tampered with" in refusal.reason
    assert not (path.parents[1] / f"{made.number:02}" / name).exists()


def test_a_page_and_a_signature_changed_beside_a_certificate_that_is_on_record(approved):
    def fails(_):
        raise CheckFailedError("no room for more")

    with pytest.raises(CheckFailedError, match="no room"):
        signable_runs.published(approved, certifiers=[*CERTIFIERS, fails])
    folder = signable_runs.the_run(approved).folder.releases / ".01"
    (folder / "certificate.html").write_text("<p>Nothing was found.</p>")
    (folder / "certificate.json.sig").write_bytes(b"forged")
    (folder / "certificate.pub").write_bytes(b"forged")
    signable_runs.published(approved)
    published = folder.with_name("01")
    assert "Nothing was found" not in (published / "certificate.html").read_text()
    assert not (published / "certificate.pub").exists()
    assert len(list(audit.read_entries(approved.audit, kinds=["certificate"]))) == 1


def test_a_certificate_page_slipped_into_an_interrupted_release(approved):
    page = interrupt(approved) / "certificate.html"
    page.write_text("<p>Nothing was found.</p>")
    made = signable_runs.published(approved)
    assert "Nothing was found" not in (page.parents[1] / f"{made.number:02}" / page.name).read_text()


def test_a_release_taken_away_does_not_give_its_number_to_another(released):
    shutil.rmtree(signable_runs.the_run(released).folder.releases / "01")
    assert signable_runs.published(released).number == 2


def test_an_output_or_a_certificate_swapped_before_it_is_downloaded(released):
    run, context = signable_runs.the_run(released), context_of(released, "anna")
    folder = run.folder.releases / "01"
    (video,) = folder.glob("*.mp4")
    for path in (video, folder / "certificate.json"):
        release.record_download(context, path)
        genuine = path.read_bytes()
        path.write_bytes(genuine + b" ")
        with pytest.raises(SignOffError, match=rf"{path.name} was tampered with: the audit log knows no such file"):
            release.record_download(context, path)
        path.write_bytes(genuine)
    downloads = audit.read_entries(released.audit, kinds=["download"])
    assert [entry.details["file"] for entry in downloads] == [video.name, "certificate.json"]


def test_a_draft_swapped_before_it_is_downloaded(ready):
    draft = release.render_draft(context_of(ready, "otto"))
    release.record_download(context_of(ready, "otto"), draft)
    shutil.copy(signable_runs.the_run(ready).source, draft)
    with pytest.raises(SignOffError, match="was tampered with"):
        release.record_download(context_of(ready, "otto"), draft)


def test_a_record_of_a_run_that_failed_counts_for_nothing(ready):
    """The state is edited to done, and a record of the same video is put beside it."""
    first = signable_runs.the_run(ready)
    forged = first.folder.path.with_name("20260101-000000-forged-0000")
    shutil.copytree(first.folder.path, forged)
    state = json.loads((forged / "state.json").read_bytes()) | {"stage": "done"}
    (forged / "state.json").write_text(json.dumps(state))
    first.folder.path.rename(ready.root / "aside")
    with pytest.raises(SignOffError, match="no detection that wrote this record"):
        signable_runs.signed(ready, "rita", "reviewed")
