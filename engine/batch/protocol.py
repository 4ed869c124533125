"""The messages between a batch and the processes that work on its files; `engine.core.child_process` sends them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.batch.job import BatchJob, FileReport
from engine.cluster.connection import ClusterAddress

_Message = TypeVar("_Message")


class StartMessage(msgspec.Struct, frozen=True):
    """The first message to a process: what the files of the batch have in common, as in `JobContext`.

    Attributes:
        folder: the output folder.
        data: the data folder.
        sources: the files of the whole batch.
        overwrite: replace outputs that the batch has not made itself.
        publish_url: address of a folder to which finished outputs are uploaded. None: they stay on this machine.
        processes: number of processes that share the cores.
        cluster: where the local detectors run. None: in the processes themselves.
    """

    folder: Path
    data: Path
    sources: tuple[Path, ...] = ()
    overwrite: bool = False
    publish_url: str | None = None
    processes: int = 1
    cluster: ClusterAddress | None = None


class TaskMessage(msgspec.Struct, frozen=True):
    """A file to work on, and the source of each output name that was chosen so far and could be chosen again."""

    job: BatchJob
    claimed_names: dict[str, Path]


class ProgressReport(msgspec.Struct, frozen=True, tag="progress"):
    """`done` of `total` steps of a stage are finished, as a progress listener gets it."""

    stage: str
    done: int
    total: int | None


class NoticeReport(msgspec.Struct, frozen=True, tag="notice"):
    """A sentence that a person should read."""

    message: str


class FinishedReport(msgspec.Struct, frozen=True, tag="finished"):
    """What became of the file, and the output names that were chosen."""

    report: FileReport
    claimed_names: dict[str, Path]


class FailureReport(msgspec.Struct, frozen=True, tag="failure"):
    """An error that would end every other file in the same way: missing models, or the user cancelled the batch."""

    message: str
    is_cancelled: bool


WorkerReport = ProgressReport | NoticeReport | FinishedReport | FailureReport


def decode_message(body: bytes, message_type: type[_Message]) -> _Message:
    """Decode a message to a process."""
    return msgspec.msgpack.decode(body, type=message_type, dec_hook=_decode_path)


def decode_report(body: bytes) -> WorkerReport:
    """Decode a message from a process."""
    report: WorkerReport = msgspec.msgpack.decode(body, type=WorkerReport, dec_hook=_decode_path)
    return report


def _decode_path(kind: type[Any], value: object) -> Any:
    return kind(value)
