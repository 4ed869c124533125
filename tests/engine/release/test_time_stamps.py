"""Time stamps of releases and of anchors: had when an authority is named, checked offline, never in the way."""

import io
import json
import shutil
import socket
import sys
from pathlib import Path

import pytest

from engine import audit
from engine.certificate.issue import AuthorityCertificates, check_certificate
from engine.certificate.time_stamp import set_authority
from engine.release.certify import CERTIFIERS
from engine.storage.data_folder import CERTIFICATE_TIME_STAMP_NAME, DataFolder
from tests.engine.release import signable_runs
from tests.people_makers import PASSWORD, ada
from tests.time_stamp_stand_in import OPENSSL, Authority, serving

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed; it makes the time stamps")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority") / "keys")


def found(report):
    return {check.name: check for check in report.checks}


@pytest.mark.slow
def test_a_release_gets_one_and_a_recipient_checks_it_offline(approved, authority, veil, tmp_path):
    with serving(authority) as url:
        set_authority(approved, ada(approved), url, authority.root.read_bytes())
        made = signable_runs.published(approved, certifiers=CERTIFIERS)
    folder = shutil.copytree(made.folder, tmp_path / "received")
    check = ("certificate", "verify", folder, "--data", tmp_path / "nothing")
    code, report = veil(*check, "--authority-certificates", authority.root)
    assert code == 0
    (stamp,) = (one for one in report["checks"] if one["name"] == "time stamp")
    assert "signed by CN=Stand-in stamps" in stamp["finding"]
    code, report = veil(*check)
    assert code == 0
    assert "give the authority's certificates" in json.dumps(report)
    assert veil("certificate", "verify", made.folder, "--data", approved.root)[0] == 0
    last = list(audit.read_entries(approved.audit))[-1]
    assert (last.kind, last.details["authority"]) == ("certificate", url)

    other = Authority(tmp_path / "other")
    code, report = veil(*check, "--authority-certificates", other.root)
    assert code == 3
    (folder / CERTIFICATE_TIME_STAMP_NAME).unlink()
    code, report = veil(*check, "--authority-certificates", authority.root)
    assert code == 3
    assert "cannot be read" in json.dumps(report)


@pytest.mark.slow
def test_the_stamp_of_another_certificate_is_found(approved, authority):
    with serving(authority) as url:
        set_authority(approved, ada(approved), url, authority.root.read_bytes())
        first = signable_runs.published(approved, certifiers=CERTIFIERS)
        second = signable_runs.published(approved, "paul", certifiers=CERTIFIERS)
    name = CERTIFICATE_TIME_STAMP_NAME
    shutil.copy(Path(first.folder) / name, Path(second.folder) / name)
    trusted = AuthorityCertificates(authority.root.read_bytes())
    assert not found(check_certificate(Path(second.folder), authority=trusted))["time stamp"].passed
    assert not found(check_certificate(Path(second.folder)))["time stamp"].passed
    assert found(check_certificate(Path(first.folder), authority=trusted))["time stamp"].passed


@pytest.mark.slow
def test_an_authority_that_is_silent_holds_no_release_up(approved, authority, veil, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        set_authority(approved, ada(approved), url, authority.root.read_bytes())
        made = signable_runs.published(approved, certifiers=CERTIFIERS)
    assert not list(signable_runs.the_run(approved).folder.releases.glob(f"01/{CERTIFICATE_TIME_STAMP_NAME}"))
    assert "gave no time stamp" in list(audit.read_entries(approved.audit, kinds=["refusal"]))[-1].reason
    report = check_certificate(signable_runs.the_run(approved).folder.releases / "01", log_folder=approved.audit)
    assert report.passed
    at = ("--as", "anna", "--data", approved.root)
    with serving(authority) as url:
        set_authority(approved, ada(approved), url, authority.root.read_bytes())
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
        assert veil("certificate", "stamp", made.folder, *at)[0] == 0
    code, refused = veil("certificate", "stamp", made.folder, *at)
    assert (code, refused["kind"]) == (2, "InputError")
    assert veil("certificate", "verify", made.folder, "--data", approved.root)[0] == 0


@pytest.mark.slow
def test_nobody_is_asked_unless_an_authority_was_named(released, authority, veil):
    before = len(authority.asked)
    with serving(authority):
        folder = signable_runs.the_run(released).folder.releases / "01"
        assert veil("certificate", "authority", "--data", released.root) == (0, {"authority": None})
        assert veil("audit", "anchor", "-o", released.root / "anchor.json", "--data", released.root)[0] == 0
    assert len(authority.asked) == before
    assert not (folder / CERTIFICATE_TIME_STAMP_NAME).exists()
    assert not (released.root / "anchor.json.tsr").exists()


@pytest.mark.slow
def test_the_head_of_the_log_is_kept_outside_with_a_stamp(released, authority, veil, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    anchor, at = outside / "anchor.json", ("--data", released.root)
    with serving(authority) as url:
        set_authority(released, ada(released), url, authority.root.read_bytes())
        code, made = veil("audit", "anchor", "-o", anchor, *at)
    assert (code, made["time_stamp"]["authority"]) == (0, "CN=Stand-in stamps")
    assert veil("audit", "verify", "--anchor", anchor, *at)[0] == 0

    # The end of the log is cut off, with the statements and releases that would show it.
    lines = released.audit_log.read_bytes().splitlines(keepends=True)
    released.audit_log.write_bytes(b"".join(lines[:3]))
    shutil.rmtree(released.runs)
    assert veil("audit", "verify", *at)[0] == 0
    code, report = veil("audit", "verify", "--anchor", anchor, *at)
    assert (code, report["passed"]) == (3, False)

    # An anchor that was made up afterwards has no stamp of that time.
    head = audit.read_head(DataFolder(released.root).audit)
    anchor.write_bytes(json.dumps({"number": head.number, "sha256": head.sha256}).encode())
    code, refused = veil("audit", "verify", "--anchor", anchor, *at)
    assert (code, refused["kind"]) == (3, "TimeStampError")
