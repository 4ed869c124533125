"""The certificate of a release: what it says, and that every change to what it stands for is found and named."""

import json
import shutil
import subprocess
from datetime import UTC, datetime

import msgspec
import pytest

from engine import access, release
from engine.access.run_context import RunContext
from engine.certificate.document import Certificate
from engine.certificate.issue import check_certificate, read_certificate
from engine.certificate.signing_key import create_signing_key, is_signature_valid, sign_bytes
from engine.cli import main
from engine.errors import InputError, SignOffError, TargetError
from engine.record import encode_document
from engine.release import SignRequest
from engine.storage.data_folder import DataFolder
from tests.engine.release import signable_runs


def folder_of(data):
    return signable_runs.the_run(data).folder.releases / "01"


def failed(report):
    return {check.name: check.finding for check in report.checks if not check.passed}


def test_it_says_who_signed_what_and_how_anybody_can_check(released):
    made = read_certificate(folder_of(released))
    assert [one.meaning for one in made.statements] == ["reviewed", "approved", "released"]
    assert made.output.facts.frames == made.source.frames == 8
    assert made.render.audio == "Kept bit for bit: 1 stream."
    assert all(check.passed for check in made.checks)
    assert "detections.json" in made.documents
    assert any("sha256sum" in one.command for one in made.commands)
    assert str(released.root) not in encode_document(made).decode()
    assert "clip.mp4" not in encode_document(made).decode()


def test_its_page_says_the_same_and_shows_no_picture(released):
    page = (folder_of(released) / "certificate.html").read_text()
    made = read_certificate(folder_of(released))
    for needed in (made.output.facts.sha256, made.source.sha256, "Anna", "Rita", "as agreed"):
        assert needed in page
    assert "<img" not in page
    assert "<script" not in page
    assert "http" not in page


def test_an_untouched_release_passes_with_source_and_log(released):
    source = signable_runs.the_run(released).source
    report = check_certificate(folder_of(released), source_path=source, log_folder=released.audit)
    assert report.passed, failed(report)
    assert {"video", "page", "signatures", "source", "audit log", "issue"} <= {check.name for check in report.checks}


@pytest.mark.parametrize("name", ["detections.json", "certificate.html"])
def test_a_changed_file_is_named(released, name):
    path = folder_of(released) / name
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    report = check_certificate(folder_of(released))
    assert not report.passed
    assert name in " ".join(failed(report).values())


def test_a_changed_video_is_named(released):
    (video,) = folder_of(released).glob("*.mp4")
    video.write_bytes(video.read_bytes() + b"x")
    assert set(failed(check_certificate(folder_of(released)))) == {"video"}


def test_a_changed_certificate_is_found_by_the_log(released):
    path = folder_of(released) / "certificate.json"
    made = read_certificate(path)
    statements = (msgspec.structs.replace(made.statements[0], name="Somebody Else"), *made.statements[1:])
    path.write_bytes(encode_document(msgspec.structs.replace(made, statements=statements)))
    found = failed(check_certificate(folder_of(released), log_folder=released.audit))
    assert set(found) == {"page", "issue"}


def test_a_log_cut_off_before_the_release_is_found(released):
    log = released.audit / "log.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:3]))
    assert "audit log" in failed(check_certificate(folder_of(released), log_folder=released.audit))


@pytest.mark.slow
def test_the_organisations_key_signs_and_openssl_agrees(approved, tmp_path):
    public = tmp_path / "public.pem"
    approved.access.mkdir(exist_ok=True)
    public.write_text(create_signing_key(approved.access / "key.pem"))
    signable_runs.published(approved)
    folder = folder_of(approved)
    assert check_certificate(folder, public_key_path=public).passed
    openssl = shutil.which("openssl", path="/usr/bin:/bin")
    if openssl:
        command = ["-verify", "-pubin", "-inkey", public, "-rawin", "-in", "certificate.json", "-sigfile"]
        subprocess.run([openssl, "pkeyutl", *command, "certificate.json.sig"], cwd=folder, check=True)
    (folder / "certificate.json").write_bytes((folder / "certificate.json").read_bytes().replace(b"Anna", b"Anne"))
    assert "key" in failed(check_certificate(folder, public_key_path=public))


def test_a_key_is_never_replaced_and_another_one_does_not_fit(tmp_path):
    mine, other = tmp_path / "mine.pem", tmp_path / "other.pem"
    public = create_signing_key(mine).encode()
    with pytest.raises(TargetError, match="never replaced"):
        create_signing_key(mine)
    signature, told = sign_bytes(b"data", mine)
    assert told == public
    assert is_signature_valid(b"data", signature, public)
    assert not is_signature_valid(b"date", signature, public)
    assert not is_signature_valid(b"data", signature, create_signing_key(other).encode())
    with pytest.raises(InputError, match="public key"):
        is_signature_valid(b"data", signature, b"nothing")


def test_unknown_fields_are_refused(released):
    path = folder_of(released) / "certificate.json"
    stored = json.loads(path.read_bytes())
    with pytest.raises(msgspec.ValidationError, match="unknown"):
        msgspec.json.decode(json.dumps(stored | {"anonymous": True}).encode(), type=Certificate)


def test_a_leak_holds_a_release_up_until_it_is_judged(own_data, talk, tmp_path):
    data = DataFolder(tmp_path / "data")
    data.root.mkdir()
    data.models.symlink_to(own_data / "models")
    alone = access.get_single_user(data)
    run = signable_runs.run_of(data, alone.account, talk, lambda _: [])
    now = datetime.now(UTC)
    session = access.Session(alone, now, now)
    for meaning in ("reviewed", "approved"):
        _, session = release.sign(data, run.id, session, None, SignRequest(meaning, "a test", below_policy=True))
    with pytest.raises(SignOffError, match="may still show a face"):
        release.release(data, run.id, session, None)
    assert not list(run.folder.releases.glob("[0-9]*"))
    report = release.read_newest_leak_report(data, run)
    assert report.leaks
    with pytest.raises(InputError, match="no finding"):
        release.judge_leak(RunContext.open(data, run.id, alone), "nothing", "no face", "a lamp")
    for leak in report.leaks:
        release.judge_leak(RunContext.open(data, run.id, alone), leak.key, "allowed", "he has agreed to be seen")
    assert release.list_open_leaks(data, run, report) == ()
    release.save_frame_audit(RunContext.open(data, run.id, alone), 5, ())
    release.release(data, run.id, session, None)
    made = read_certificate(run.folder.releases / "01")
    assert made.leaks.findings == len(made.leaks.judgements) == len(report.leaks)
    assert made.leaks.open == ()
    assert {one.name for one in made.risk if one.measured} >= {"leak check", "audit of frames"}
    assert "he has agreed to be seen" in (run.folder.releases / "01" / "certificate.html").read_text()
    judged = run.folder.judgements
    judged.write_bytes(judged.read_bytes().replace(b"agreed", b"denied"))
    with pytest.raises(SignOffError, match="tampered"):
        release.read_judgements(data, run)


def test_the_verbs(released, capsys):
    folder = str(folder_of(released))
    assert main(["certificate", "verify", folder, "--data", str(released.root)]) == 0
    assert "The release is what was certified." in capsys.readouterr().out
    (folder_of(released) / "detections.json").write_text("{}")
    assert main(["certificate", "verify", folder, "--no-log"]) == 3
    assert "FAIL  detections.json" in capsys.readouterr().out
    assert main(["judge", signable_runs.the_run(released).id, "--data", str(released.root)]) == 0
    assert "The leak check has not run" in capsys.readouterr().out


def test_the_audit_log_as_a_page(released, tmp_path, capsys):
    page = tmp_path / "log.html"
    assert main(["audit", "export", "-o", str(page), "--data", str(released.root)]) == 0
    text = page.read_text()
    for needed in ("The whole log holds", "Rita", "approval", "as agreed", "certificate"):
        assert needed in text
    log = released.audit / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"as agreed", b"as argued"))
    assert main(["audit", "export", "-o", str(page), "--overwrite", "--data", str(released.root)]) == 0
    assert "The log was tampered with" in page.read_text()
    capsys.readouterr()
