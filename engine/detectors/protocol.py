"""The messages between a pool and its workers; `engine.core.child_process` sends them."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.core.geometry import Size
from engine.detectors.base import Receipt
from engine.record import Detection

STDERR_SEPARATOR = b"\x1e"
"""Byte that a worker writes to its standard error before each report: text before it does not explain a crash."""


class StartMessage(msgspec.Struct, frozen=True):
    """The first message to a worker.

    Attributes:
        detector: "module:class".
        settings: settings of the detector, in MessagePack.
        models: folder of the weights.
        slots: file descriptors of the shared memory.
        side_by_side: number of tasks that a remote detector runs at once.
    """

    detector: str
    settings: msgspec.Raw
    models: str
    slots: tuple[int, ...]
    side_by_side: int = 1


class TaskMessage(msgspec.Struct, frozen=True):
    """A task: pictures of these sizes, in the slot with index `slot`, which is `length` bytes long.

    With `whole`, they are parts of pictures of that size.
    """

    ticket: int
    slot: int
    length: int
    sizes: tuple[Size, ...]
    whole: Size | None = None


class ReadyReport(msgspec.Struct, frozen=True, tag="ready"):
    """The detector is loaded."""


class AnswerReport(msgspec.Struct, frozen=True, tag="answer"):
    """The detections in each picture of a task and, from a remote detector, a receipt for each."""

    ticket: int
    detections: list[list[Detection]]
    receipts: list[Receipt] = []


class FailureReport(msgspec.Struct, frozen=True, tag="failure"):
    """The worker failed: `kind` is the error to raise; `message` is a whole sentence unless `kind` is "other"."""

    kind: Literal["model", "input", "detector", "other"]
    message: str


WorkerReport = ReadyReport | AnswerReport | FailureReport
