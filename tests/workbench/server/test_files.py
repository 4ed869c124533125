"""Files of a run for a browser: streamed to those who may, taken away on record, and no file beside them."""

import io
import zipfile

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine import access, audit
from engine.record import sha256_hex
from engine.storage.files import hash_file
from tests.workbench.run_makers import make_run
from workbench.server.files import FileRoutes


@pytest.fixture
def run(data):
    run = make_run(data)
    (run.folder.releases / "01").mkdir(parents=True)
    (run.folder.releases / "01" / "out.mp4").write_bytes(b"0123456789")
    (run.folder.path / "secret").write_bytes(b"no")
    # A download is of what the log knows; so are the contents of a draft and of a certificate below.
    subjects = {"output": sha256_hex(b"0123456789"), "certificate": sha256_hex(b"{}")}
    for kind in ("render", "certificate"):
        audit.append(data.audit, audit.Event(actor=audit.SYSTEM_ACTOR, kind=kind, run=run.id, subjects=subjects))
    return run


def client_of(person):
    return TestClient(Starlette(routes=list(FileRoutes(lambda _: person).build_routes())))


@pytest.mark.slow
def test_videos_are_streamed_in_parts(data, run):
    client = client_of(access.get_single_user(data))
    answer = client.get(f"/api/outputs/{run.id}/01/out.mp4", headers={"range": "bytes=2-4"})
    assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (206, b"234", "no-store")
    assert client.get(f"/api/sources/{run.id}").content == run.source.read_bytes()
    assert list(audit.read_entries(data.audit, run=run.id, kinds=["download"])) == []


def test_what_is_taken_away_goes_on_record(data, run):
    answer = client_of(access.get_single_user(data)).get(f"/api/outputs/{run.id}/01/out.mp4?keep=1")
    assert "attachment" in answer.headers["content-disposition"]
    (entry,) = audit.read_entries(data.audit, run=run.id, kinds=["download"])
    assert (entry.kind, entry.details["file"]) == ("download", "out.mp4")
    assert entry.subjects == {"output": hash_file(run.folder.releases / "01" / "out.mp4")}


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_origin_starts_no_download(data, run, site):
    client = client_of(access.get_single_user(data))
    answer = client.get(f"/api/outputs/{run.id}/01/out.mp4?keep=1", headers={"Sec-Fetch-Site": site})
    assert (answer.status_code, list(audit.read_entries(data.audit, run=run.id, kinds=["download"]))) == (403, [])


def test_drafts_and_copies_are_given_and_a_draft_that_is_kept_goes_on_record(data, run):
    for folder, name in ((run.folder.drafts, "a.draft.mp4"), (run.folder.browser_copies, "b.mp4")):
        folder.mkdir()
        (folder / name).write_bytes(b"0123456789")
    client = client_of(access.get_single_user(data))
    assert client.get(f"/api/drafts/{run.id}/a.draft.mp4").content == b"0123456789"
    assert client.get(f"/api/copies/{run.id}/b.mp4").content == b"0123456789"
    assert list(audit.read_entries(data.audit, run=run.id, kinds=["download"])) == []
    kept = client.get(f"/api/drafts/{run.id}/a.draft.mp4?keep=1")
    assert 'filename="a.draft.mp4"' in kept.headers["content-disposition"]
    assert [entry.details["file"] for entry in audit.read_entries(data.audit, run=run.id, kinds=["download"])] == [
        "a.draft.mp4"
    ]


@pytest.mark.parametrize("address", ["drafts/{}/..%2Fsecret", "copies/{}/secret", "live/{}/live.mkv", "live/{}/secret"])
def test_no_file_beside_drafts_copies_and_what_was_shown_live_is_given(data, run, address):
    assert client_of(access.get_single_user(data)).get(f"/api/{address.format(run.id)}").status_code == 404


@pytest.mark.parametrize("rest", ["01/secret", "01/..%2F..%2Fsecret", "..%2F/secret", "02/out.mp4", "x/out.mp4"])
def test_no_other_file_is_given(data, run, rest):
    assert client_of(access.get_single_user(data)).get(f"/api/outputs/{run.id}/{rest}").status_code == 404


def test_whoever_may_not_look_gets_nothing(run):
    client = client_of(access.Person("ann", "Ann", frozenset({"analyst"}), "account"))
    for address in (f"/api/outputs/{run.id}/01/out.mp4", f"/api/sources/{run.id}"):
        assert client.get(address).status_code == 403


def downloaded_files(data, run):
    """The files that the log says were taken."""
    entries = audit.read_entries(data.audit, run=run.id)
    return [entry.details["file"] for entry in entries if "file" in entry.details]


def test_a_release_is_one_zip_and_each_file_goes_on_record(data, run):
    (run.folder.releases / "01" / "certificate.json").write_bytes(b"{}")
    answer = client_of(access.get_single_user(data)).get(f"/api/archives/{run.id}/01")
    assert f'filename="{run.id}-release-01.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"{run.id}-release-01/certificate.json": b"{}", f"{run.id}-release-01/out.mp4": b"0123456789",
        }  # fmt: skip
    assert downloaded_files(data, run) == ["certificate.json", "out.mp4"]


@pytest.mark.parametrize("rest", ["02", "x", "..%2F"])
def test_no_other_folder_is_packed(data, run, rest):
    assert client_of(access.get_single_user(data)).get(f"/api/archives/{run.id}/{rest}").status_code == 404


def test_a_page_of_another_origin_packs_nothing(data, run):
    client = client_of(access.get_single_user(data))
    answer = client.get(f"/api/archives/{run.id}/01", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, downloaded_files(data, run)) == (403, [])
