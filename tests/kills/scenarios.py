"""Actions that write, as processes to be killed: how to start one, and what must be true of its files afterwards."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine import access, audit, runs
from engine.audit import Actor
from engine.record import encode_document, read_record, sha256_hex
from engine.release import open_snapshot
from engine.storage.data_folder import DataFolder
from tests import clips
from tests.record_makers import record_of, written

FACE = (30, 20, 90, 80)

_AMEND = """
import sys
from pathlib import Path
from engine import access, runs
from engine.access.run_context import RunContext
from engine.approval.reviewer_actions import ReviewerActions
from engine.core.geometry import Box
from engine.record import read_record, sha256_hex
from engine.review.amendments import Add, Keyframe
from engine.storage.data_folder import DataFolder
data = DataFolder(Path("data").absolute())
(run,) = runs.read_register(data).runs
record = read_record(run.folder.record)
actions = ReviewerActions(
    RunContext(data, run, access.get_single_user(data)), sha256_hex(run.folder.record.read_bytes())
)
for number in range(40):
    amendment = actions.amend(record, Add((Keyframe(0, Box(4, 4, 24, 24)),)), "missed")
    with open("acknowledged", "w") as file:
        file.write(str(amendment.number))
"""

_UPLOAD = """
import sys
from pathlib import Path
from engine import access
from engine.jobs.library import import_video
from engine.storage.data_folder import DataFolder
data = DataFolder(Path("data").absolute())
with open("upload.mp4", "rb") as file:
    import_video(data, access.get_single_user(data), "patient.mp4", file)
"""


@dataclass(frozen=True)
class Scenario:
    """One action.

    Attributes:
        name: what it is.
        command: arguments of Python; run in the folder of the attempt, with the data folder `data`.
        outputs: files that a whole action leaves, the same in each attempt.
        prepare: makes the inputs in an empty folder.
        check: raises AssertionError if the files of a folder contradict each other; also called right after a kill.
        uses_models: needs the model files.
        exit_codes: of a whole action; 3 where it may find that an earlier attempt has done everything.
    """

    name: str
    command: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    prepare: Callable[[Path], None] = lambda _folder: None
    check: Callable[[Path], None] = lambda _folder: None
    uses_models: bool = False
    exit_codes: tuple[int, ...] = (0,)


def veil(*words: str) -> tuple[str, ...]:
    """The arguments of Python that run a verb."""
    return ("-m", "engine", *words)


def make_place(folder: Path, models: Path | None) -> None:
    """Make what every action works on: a source with its record and output, and a data folder with a finished run."""
    source = clips.video(folder / "v.mp4", size=(128, 96), frames=50, audio=[clips.Audio()])
    written(record_of(source, lambda _: [FACE]), folder / "v.json")
    shutil.copy(source, folder / "upload.mp4")
    with (folder / "upload.mp4").open("ab") as file:
        file.write(os.urandom(1 << 16) + bytes(1 << 26))
    data = DataFolder(folder / "data")
    data.library.mkdir(parents=True)
    shutil.copy(source, data.library / "clip.mp4")
    if models is not None:
        data.models.symlink_to(models)
    _make_run(data)


def _make_run(data: DataFolder) -> None:
    person, source = access.get_single_user(data), data.library / "clip.mp4"
    record = record_of(source, lambda _: [FACE])
    request = runs.RunRequest(source=str(source), account=person.account, name=person.name, at=runs.format_utc_now())
    folder = runs.create_run(data, request)
    folder.record.write_bytes(encode_document(record))
    runs.write_state(folder, runs.RunState(stage="done", updated=runs.format_utc_now()))
    subjects = {"source": record.source.sha256, "record": sha256_hex(folder.record.read_bytes())}
    actor = Actor(person.account, person.name, "single-user")
    audit.append(data.audit, audit.Event(actor=actor, kind="run", run=folder.id, subjects=subjects))


def get_run(folder: Path) -> runs.Run:
    """The run of the data folder; its source follows when the folder was copied."""
    (run,) = runs.read_register(DataFolder(folder / "data")).runs
    return run


def check_evidence(folder: Path) -> None:
    """The log is whole, and the sign-off raises no alarm about the run."""
    data, run = DataFolder(folder / "data"), get_run(folder)
    snapshot = open_snapshot(data, run.id)
    report = audit.verify(data.audit)
    assert report.passed, report.findings
    logged = {entry.details["amendment"] for entry in audit.read_entries(data.audit, kinds=["amendment"])}
    stored = {amendment.number for amendment in snapshot.review.amendments}
    assert stored == logged, f"{len(stored)} amendments are stored and {len(logged)} logged"
    acknowledged = folder / "acknowledged"
    if acknowledged.exists() and acknowledged.read_text():
        assert int(acknowledged.read_text()) <= len(stored), "an acknowledged amendment was lost"


def check_library(folder: Path) -> None:
    """Every video of the library is whole."""
    whole = {(folder / name).read_bytes() for name in ("v.mp4", "upload.mp4")}
    for path in (folder / "data" / "footage").glob("*.mp4"):
        assert path.read_bytes() in whole, f"{path.name} is not whole"


def check_export(folder: Path) -> None:
    """An export that exists can be read."""
    if (folder / "export.json").exists():
        json.loads((folder / "export.json").read_bytes())


def check_record(folder: Path) -> None:
    """A record that exists is valid."""
    for path in (folder / "new.json", folder / "new.mp4.detections.json"):
        if path.exists():
            read_record(path)


_YOLO = ("--detectors", "yolov8-face", "--workers", "1", "--data", "data")

SCENARIOS = (
    Scenario("render", veil("render", "v.mp4", "v.json", "-o", "new.mp4"), ("new.mp4", "new.mp4.render.json")),
    Scenario(
        "render again",
        veil("render", "v.mp4", "v.json", "-o", "out.mp4", "--overwrite", "--y4m", "out.y4m"),
        ("out.mp4", "out.y4m"),
    ),
    Scenario(
        "verify", veil("verify", "v.mp4", "v.json", "out.mp4", "--report", "checks.json", "--overwrite"),
        ("checks.json",),
    ),
    Scenario("amend", ("-c", _AMEND), check=check_evidence),
    Scenario("upload", ("-c", _UPLOAD), ("data/footage/patient.mp4",), check=check_library),
    Scenario(
        "sign", veil("sign", "RUN", "--meaning", "reviewed", "--data", "data"), check=check_evidence, exit_codes=(0, 3)
    ),
    Scenario(
        "audit export", veil("audit", "export", "-o", "export.json", "--overwrite", "--data", "data"),
        check=check_export,
    ),
    Scenario("index", veil("index", "rebuild", "--data", "data")),
    Scenario("detect", veil("detect", "v.mp4", "-o", "new.json", *_YOLO), ("new.json",), check=check_record,
             uses_models=True),
    Scenario(
        "anonymise", veil("anonymise", "v.mp4", "-o", "new.mp4", *_YOLO),
        ("new.mp4", "new.mp4.render.json", "new.mp4.detections.json"), check=check_record, uses_models=True,
    ),
    Scenario("plant", veil("plant", "v.mp4", "v.json", "-o", "planted.json", "--overwrite", "--data", "data"),
             uses_models=True),
    Scenario("leaks", veil("leaks", "v.mp4", "v.json", "out.mp4", "-o", "leaks.json", "--overwrite", "--data", "data"),
             uses_models=True, exit_codes=(0, 3)),
)  # fmt: skip


def python_command(scenario: Scenario, run_id: str) -> list[str]:
    """The command line of a scenario."""
    return [sys.executable, *(run_id if word == "RUN" else word for word in scenario.command)]
