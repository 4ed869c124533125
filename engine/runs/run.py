"""Runs: each is the detection of one source in a folder of its own; and the register of all runs.

    <run>/request.json     source, options, person and time; written once
          state.json       progress; replaced as a whole by the process that works on the run, and never evidence
          cancel           exists while the cancellation of the run is requested
          detections.json  the record; all other files of the run are in the same folder

Nothing here takes a lock: a file is complete or does not exist, so readers and runs never wait for each other.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

import msgspec

from engine.core.geometry import Size
from engine.core.json_decoder import decode_json
from engine.core.machine import current_process, find_host_name, process_start_ticks
from engine.errors import RunError, TargetError
from engine.record import (
    Count,
    DetectOptions,
    Document,
    Sha256,
    encode_document,
)
from engine.record.schema_1 import upgrade_request
from engine.storage import files
from engine.storage.append_only import sync_folder
from engine.storage.data_folder import DataFolder, RunFolder
from engine.storage.scratch import own_scratch_folder

RunStage = Literal["queued", "running", "done", "failed", "cancelled"]
MAX_TITLE_LENGTH = 200
RunStatus = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
"""Status that a person sees: the stage, or "interrupted" if it is "running" and no living process works on it."""

_TIME_LENGTH = len("20260302-093000")
_MAX_SILENCE = timedelta(minutes=10)
"""Time without a new state after which a run on another machine counts as interrupted."""

# The second form is of earlier versions, which put the name of the source into it. New identifiers hold nothing of the
# source: they stand in addresses, logs, certificates and names of files, and a file is often named after a patient.
_RUN_ID_PATTERN = re.compile(r"[0-9]{8}-[0-9]{6}-(?:[0-9a-f]{8}|[a-z0-9-]{1,40}-[0-9a-f]{4})")


class RunRequest(Document, frozen=True, kw_only=True):
    """Request of a person for a run.

    Attributes:
        source: absolute path of the video, or the name of a live source.
        source_sha256: hash of the video if it was known at the time of the request, else None; the record has it.
        detection: options of the detection.
        account: account of the person who started the run.
        name: name of that person, as printed.
        how: how the person was identified, as the audit log states it.
        at: time of the request, RFC 3339 with zone.
        title: title for people, such as a case number; None: the name of the source. It is written nowhere else.
        group: identifier that runs which were started together share; None: it was started by itself.
        purged: time of the purge that took the source's path and the title out of the request; None before it.
    """

    schema: Literal["veil/run/1"] = "veil/run/1"
    source: str
    source_sha256: Sha256 | None = None
    detection: DetectOptions = DetectOptions()
    account: str
    name: str
    how: Literal["single-user", "account", "oidc"] = "single-user"
    at: str
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TITLE_LENGTH)] | None = None
    group: str | None = None
    purged: str | None = None


class RunState(Document, frozen=True, kw_only=True):
    """Progress of a run. It is never evidence.

    Attributes:
        activity: current stage of the work as a progress listener gets it ("probe", "detect", "live").
        done: number of finished frames; number of bytes read while the activity is "probe".
        total: final value of `done`; None while it is unknown.
        faces: number of faces so far, in all frames together.
        rate: recent frames per second; None while it is unknown.
        display: display size of a frame; None before the first frame.
        host: machine of the process that works or worked on the run; None before the first one, and in states that
            earlier versions have written, which knew one machine.
        pid: that process.
        born: start of that process in clock ticks since boot, which tells it from a later process with the same pid.
        sentence: reason of a failure, or the latest notice.
        started: time at which this attempt began, RFC 3339 with zone.
        ended: time at which the run ended.
        updated: time at which this state was written.
    """

    schema: Literal["veil/run-state/1"] = "veil/run-state/1"
    stage: RunStage
    activity: str | None = None
    done: Count = 0
    total: Count | None = None
    faces: Count = 0
    rate: float | None = None
    display: Size | None = None
    host: str | None = None
    pid: int | None = None
    born: int | None = None
    sentence: str | None = None
    started: str | None = None
    ended: str | None = None
    updated: str

    @classmethod
    def begin(cls) -> Self:
        """Return the state of a run that this process begins."""
        pid, born = current_process()
        now = format_utc_now()
        return cls(stage="running", host=find_host_name(), pid=pid, born=born, started=now, updated=now)


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was when it was read."""

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
        """Path of the video, which may have been removed."""
        return Path(self.request.source)

    @property
    def title(self) -> str:
        """Title for people: the one that was chosen, else the name of the video's file."""
        if self.request.purged is not None:
            return "Purged video"
        return self.request.title or self.source.name

    @property
    def cancelling(self) -> bool:
        """True while the run goes on although its cancellation is requested."""
        return self.status == "running" and self.folder.cancel_marker.exists()

    @property
    def resumable(self) -> bool:
        """True if the run can be put into the queue again. A live run cannot: its source is gone."""
        is_unfinished = self.status in {"interrupted", "failed", "cancelled"}
        return is_unfinished and self.state.activity != "live" and self.request.purged is None

    def explain_missing_source(self) -> str:
        """Explain in a sentence why the source is not there, and what to do."""
        if self.request.purged is not None:
            return f"The source of the run {self.id} was purged. Its record and its releases are kept."
        return f"The source {self.source} is missing. Put it back under this name."


@dataclass(frozen=True, slots=True)
class DamagedRun:
    """A folder among the runs that cannot be read as a run, and the reason in a sentence."""

    id: str
    message: str


@dataclass(frozen=True, slots=True)
class RunRegister:
    """All runs, newest first, and the folders that cannot be read."""

    runs: tuple[Run, ...]
    damaged: tuple[DamagedRun, ...]


def format_utc_now() -> str:
    """Return the current time as documents of runs state it: RFC 3339 with zone."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def create_run(data: DataFolder, request: RunRequest, state: RunState | None = None) -> RunFolder:
    """Create the folder of a new run.

    Args:
        data: the data folder.
        request: the request.
        state: first state; None: the run waits in the queue.

    Raises:
        TargetError: the folder cannot be created.
    """
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    # The folder gets its final name when it is complete, so no reader and no worker finds half a run. The random part
    # of the name keeps two runs of one second apart.
    final = RunFolder(data.runs / name)
    try:
        files.mkdir_private(data.runs)
        with own_scratch_folder(data.runs) as scratch:
            unfinished = RunFolder(scratch / name)
            unfinished.path.mkdir(mode=0o700)
            files.write_file(unfinished.request, encode_document(request))
            write_state(unfinished, state or RunState(stage="queued", updated=format_utc_now()))
            unfinished.path.rename(final.path)
        sync_folder(data.runs)
    except OSError as error:
        raise TargetError(
            f"The run {final.path} cannot be created ({error.strerror}). Choose a data folder that you may write to."
        ) from error
    return final


def find_run_folder(data: DataFolder, run_id: str) -> RunFolder:
    """Return the folder of a run.

    Raises:
        RunError: the run does not exist.
    """
    # The identifier may come from a URL: the pattern refuses anything that could lead out of the folder of runs.
    if not _RUN_ID_PATTERN.fullmatch(run_id) or not (data.runs / run_id).is_dir():
        raise RunError(f"There is no run {run_id!r} in {data.runs}; it may have been removed, or the link is wrong.")
    return RunFolder(data.runs / run_id)


def load_run(data: DataFolder, run_id: str) -> Run:
    """Read a run as it is now.

    Raises:
        RunError: the run does not exist, or its folder is damaged.
    """
    return _read_run(find_run_folder(data, run_id))


def read_register(data: DataFolder) -> RunRegister:
    """Read all runs as they are now. A folder that cannot be read is reported and does not hide the others."""
    runs, damaged = [], []
    folders = sorted(data.runs.iterdir(), reverse=True) if data.runs.is_dir() else []
    for folder in folders:
        # Names with a dot: runs that are being created, and the files of the worker.
        if not folder.is_dir() or folder.name.startswith("."):
            continue
        try:
            runs.append(_read_run(RunFolder(folder)))
        except RunError as error:
            damaged.append(DamagedRun(folder.name, str(error)))
    # Identifiers have the second and a random part; within a second, the requests say what is newer.
    runs.sort(key=lambda run: (run.id[:_TIME_LENGTH], run.request.at), reverse=True)
    return RunRegister(tuple(runs), tuple(damaged))


def write_state(folder: RunFolder, state: RunState) -> None:
    """Replace the state of a run.

    Raises:
        TargetError: the state cannot be written.
    """
    files.write_file(folder.state, encode_document(state))


def request_cancellation(run: Run) -> None:
    """Request cancellation. A running worker stops at its next check; a queued run never starts.

    Raises:
        RunError: the run has ended.
    """
    if run.status not in {"queued", "running"}:
        raise RunError(f"The run {run.id} is {run.status}. Only a queued or running run can be cancelled.")
    files.write_file(run.folder.cancel_marker, b"")


def requeue_run(run: Run) -> None:
    """Put an unfinished run into the queue; its finished frames are kept.

    Raises:
        RunError: the run is done, or already waits or runs.
    """
    if not run.resumable:
        raise RunError(f"The run {run.id} is {run.status}. Only a failed, cancelled or interrupted run can be resumed.")
    run.folder.cancel_marker.unlink(missing_ok=True)
    write_state(run.folder, RunState(stage="queued", updated=format_utc_now()))


def forget_source(run: Run) -> None:
    """Take the path of the source and the title out of the request, and out of the message of the state.

    Raises:
        TargetError: a file cannot be written.
    """
    sentence = run.state.sentence and omit_source_name(run.request.source, run.state.sentence)
    write_state(run.folder, msgspec.structs.replace(run.state, sentence=sentence))
    # The suffix stays: it tells nothing, and the terms of an output take their container from it. The source of a live
    # run is no absolute path, and pages tell by that what can be shown of a run.
    root = "/" if run.source.is_absolute() else ""
    source = f"{root}purged{run.source.suffix if root else ''}"
    request = msgspec.structs.replace(run.request, source=source, title=None, purged=format_utc_now())
    files.write_file(run.folder.request, encode_document(request))


def omit_source_name(source: str, text: str) -> str:
    """Return a message for people without the path and the name of the source that it is about.

    States and logs outlive the source; the request has its path.
    """
    path = Path(source)
    for name in (source, str(path.absolute())):
        text = text.replace(name, "the source") if path.name else text
    # A name without a suffix, as of a folder of stills, may be a word of the message.
    if path.suffix:
        text = re.sub(rf"(?<!\w){re.escape(path.name)}", "the source", text)
    return text[:1].upper() + text[1:]


_DocumentT = TypeVar("_DocumentT", bound=Document)


def _read_run(folder: RunFolder) -> Run:
    request, state = _read_document(folder.request, RunRequest), _read_document(folder.state, RunState)
    return Run(folder, request, state, _derive_status(folder, state))


def _derive_status(folder: RunFolder, state: RunState) -> RunStatus:
    # No process has to write these two: a marker is enough for a queued run, and a killed process can write nothing.
    if state.stage == "queued" and folder.cancel_marker.exists():
        return "cancelled"
    if state.stage == "running" and not _is_worked_on(state):
        return "interrupted"
    return state.stage


def _is_worked_on(state: RunState) -> bool:
    """Return whether the process that works on a run lives, as far as this machine can tell."""
    if state.host is None or state.host == find_host_name():
        return state.pid is not None and process_start_ticks(state.pid) == state.born
    # Processes of another machine cannot be seen; they write the state while the run goes on.
    return datetime.now(UTC) - datetime.fromisoformat(state.updated) < _MAX_SILENCE


def _read_document(path: Path, document_type: type[_DocumentT]) -> _DocumentT:
    try:
        # Requests of earlier versions count durations in frames.
        return msgspec.convert(upgrade_request(decode_json(path.read_bytes(), type=dict)), document_type)
    except OSError as error:
        raise RunError(
            f"The run {path.parent.name} is damaged: its {path.name} cannot be read ({error.strerror}). Its folder is "
            f"{path.parent}; restore it from a copy, or move it away."
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        reason = str(error).replace("`", "")
        raise RunError(
            f"The run {path.parent.name} is damaged, or of another version of Veil: {path.name} has unexpected "
            f"content ({reason}). Its folder is {path.parent}; restore it from a copy, or move it away."
        ) from error
