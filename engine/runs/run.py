"""Runs: one detection of one source each, in a folder of its own, and the register of them all.

    <run>/request.json     what was asked for, by whom, when; written once
          state.json       how far it is; replaced as a whole by the process that works, and never evidence
          cancel           there while somebody wants it to stop
          detections.json  the record; everything else that belongs to the run lies in the same folder

Nothing here takes a lock: a file is complete or not there, so a reader never waits for a run nor a run for a reader.
"""

from __future__ import annotations

import os
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from engine.core.geometry import Size
from engine.errors import RunError, TargetError
from engine.record import (
    Count,
    DetectOptions,
    Document,
    Sha256,
    encode_document,
)
from engine.storage import files
from engine.storage.data_folder import DataFolder, RunFolder

RunStage = Literal["queued", "running", "done", "failed", "cancelled"]
RunStatus = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
"""What a person is told: a stage, or "interrupted" for a run that no living process works on."""

_RUN_ID_PATTERN = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9-]{1,40}-[0-9a-f]{4}")


class RunRequest(Document, frozen=True, kw_only=True):
    """What was asked for.

    Attributes:
        source: absolute path of the video.
        source_sha256: of the video when somebody looked at it before asking, else None; the record always has it.
        detection: with which options.
        account: of the person who asked.
        name: of that person, as printed.
        how: how it is known who it was, in the words of the audit log.
        at: when, RFC 3339 with zone.
    """

    schema: Literal["veil/run/1"] = "veil/run/1"
    source: str
    source_sha256: Sha256 | None = None
    detection: DetectOptions = DetectOptions()
    account: str
    name: str
    how: Literal["single-user", "account", "oidc"] = "single-user"
    at: str


class RunState(Document, frozen=True, kw_only=True):
    """How far a run is. A fact of the run, not evidence.

    Attributes:
        activity: what the process does now, as a listener hears it ("probe", "detect").
        done: frames that are finished; bytes read while the activity is "probe".
        total: of how many, None while that is unknown.
        faces: sightings of faces so far, in all frames together.
        rate: frames a second over the last while, None while nothing is known.
        display: width and height of a frame as it is seen, None before the first was.
        pid: of the process that works or worked, None before the first.
        born: start of that process in clock ticks since boot: tells it from a later one with the same pid.
        sentence: why it failed, or the latest thing that a person should read.
        started: when work began this time, RFC 3339 with zone.
        ended: when it ended.
        updated: when this state was written.
    """

    schema: Literal["veil/run-state/1"] = "veil/run-state/1"
    stage: RunStage
    activity: str | None = None
    done: Count = 0
    total: Count | None = None
    faces: Count = 0
    rate: float | None = None
    display: Size | None = None
    pid: int | None = None
    born: int | None = None
    sentence: str | None = None
    started: str | None = None
    ended: str | None = None
    updated: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it stands when it is read."""

    folder: RunFolder
    request: RunRequest
    state: RunState
    status: RunStatus

    @property
    def id(self) -> str:
        """The run's identifier."""
        return self.folder.id

    @property
    def source(self) -> Path:
        """The video; it may be gone."""
        return Path(self.request.source)

    @property
    def title(self) -> str:
        """What a person calls it: the name of the video's file."""
        return self.source.name

    @property
    def cancelling(self) -> bool:
        """Whether it works still although somebody wants it to stop."""
        return self.status == "running" and self.folder.cancel_marker.exists()

    @property
    def resumable(self) -> bool:
        """Whether it can be put into the queue again; a running picture is over when it is over."""
        return self.status in {"interrupted", "failed", "cancelled"} and self.state.activity != "live"


@dataclass(frozen=True, slots=True)
class DamagedRun:
    """A folder among the runs that cannot be read as one, and why in a sentence."""

    id: str
    message: str


@dataclass(frozen=True, slots=True)
class RunRegister:
    """All runs, newest first, and the folders that cannot be read."""

    runs: tuple[Run, ...]
    damaged: tuple[DamagedRun, ...]


def format_utc_now() -> str:
    """The time as run documents state it: RFC 3339 with zone."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def create_run(data: DataFolder, request: RunRequest, state: RunState | None = None) -> RunFolder:
    """Make the folder of a new run; it waits in the queue unless another `state` is given.

    Raises:
        TargetError: it cannot be made.
    """
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{_slugify(Path(request.source).stem)}-{secrets.token_hex(2)}"
    made, unfinished = RunFolder(data.runs / name), RunFolder(data.runs / f".{name}")
    try:
        unfinished.path.mkdir(parents=True)
        files.write_file(unfinished.request, encode_document(request))
        write_state(unfinished, state or RunState(stage="queued", updated=format_utc_now()))
        unfinished.path.rename(made.path)
    except OSError as error:
        raise TargetError(
            f"The run {made.path} cannot be made ({error.strerror}): choose a data folder that you may write."
        ) from error
    return made


def find_run_folder(data: DataFolder, run_id: str) -> RunFolder:
    """The paths of a run that must exist.

    Raises:
        RunError: there is none.
    """
    if not _RUN_ID_PATTERN.fullmatch(run_id) or not (data.runs / run_id).is_dir():
        raise RunError(f"There is no run {run_id!r} in {data.runs}; it may have been removed, or the link is wrong.")
    return RunFolder(data.runs / run_id)


def load_run(data: DataFolder, run_id: str) -> Run:
    """A run as it stands now.

    Raises:
        RunError: there is none, or its folder is damaged.
    """
    return _read_run(find_run_folder(data, run_id))


def read_register(data: DataFolder) -> RunRegister:
    """All runs as they stand now. A folder that cannot be read is reported, and hides no other."""
    runs, damaged = [], []
    places = sorted(data.runs.iterdir(), reverse=True) if data.runs.is_dir() else []
    for place in places:
        if not place.is_dir() or place.name.startswith("."):
            continue
        try:
            runs.append(_read_run(RunFolder(place)))
        except RunError as error:
            damaged.append(DamagedRun(place.name, str(error)))
    return RunRegister(tuple(runs), tuple(damaged))


def write_state(folder: RunFolder, state: RunState) -> None:
    """Replace the state of a run.

    Raises:
        TargetError: it cannot be written.
    """
    files.write_file(folder.state, encode_document(state))


def request_cancellation(run: Run) -> None:
    """Want a run to stop; the process that works on it ends soon, and a queued one never begins.

    Raises:
        RunError: it is over.
    """
    if run.status not in {"queued", "running"}:
        raise RunError(f"The run {run.id} is {run.status}; only one that waits or runs can be cancelled.")
    files.write_file(run.folder.cancel_marker, b"")


def requeue_run(run: Run) -> None:
    """Put a run that came to no end into the queue; what it had finished is kept.

    Raises:
        RunError: it is done, or waits or runs already.
    """
    if not run.resumable:
        raise RunError(f"The run {run.id} is {run.status}; only one that came to no end can be resumed.")
    run.folder.cancel_marker.unlink(missing_ok=True)
    write_state(run.folder, RunState(stage="queued", updated=format_utc_now()))


def process_start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def current_process() -> tuple[int, int | None]:
    """Pid and start of this process."""
    return os.getpid(), process_start_ticks(os.getpid())


_DocumentT = TypeVar("_DocumentT", bound=Document)


def _read_run(folder: RunFolder) -> Run:
    request, state = _read_document(folder.request, RunRequest), _read_document(folder.state, RunState)
    return Run(folder, request, state, _derive_status(folder, state))


def _derive_status(folder: RunFolder, state: RunState) -> RunStatus:
    if state.stage == "queued" and folder.cancel_marker.exists():
        return "cancelled"
    if state.stage == "running" and (state.pid is None or process_start_ticks(state.pid) != state.born):
        return "interrupted"
    return state.stage


def _read_document(path: Path, document_type: type[_DocumentT]) -> _DocumentT:
    try:
        return msgspec.json.decode(path.read_bytes(), type=document_type)
    except OSError as error:
        raise RunError(
            f"The run {path.parent.name} is damaged: its {path.name} cannot be read ({error.strerror}). Its folder is "
            f"{path.parent}; restore it from a copy, or move it away."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        why = str(error).replace("`", "")
        raise RunError(
            f"The run {path.parent.name} is damaged, or of another version of Veil: {path.name} says something "
            f"unexpected ({why}). Its folder is {path.parent}; restore it from a copy, or move it away."
        ) from error


def _slugify(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "video"
