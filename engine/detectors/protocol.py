"""What a pool and its workers say to each other: MessagePack documents, each behind its length in four bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from engine.core.geometry import Size
from engine.detectors.base import Receipt
from engine.record import Detection

HEADER_BYTES = 4
"""Bytes that hold the length of the document after them, big-endian."""
STDERR_SEPARATOR = b"\x1e"
"""What a worker writes to its standard error before each report: words before it were not its last."""


class StartMessage(msgspec.Struct, frozen=True):
    """The first message to a worker.

    Attributes:
        detector: "module:class".
        settings: of the detector, in MessagePack.
        models: folder of the weights.
        slots: file descriptors of the shared memory.
        side_by_side: tasks that it is given at once, if it asks a service.
    """

    detector: str
    settings: msgspec.Raw
    models: str
    slots: tuple[int, ...]
    side_by_side: int = 1


class TaskMessage(msgspec.Struct, frozen=True):
    """Pictures to look at, by their sizes; they lie in the slot with index `slot`, which is `length` bytes long."""

    ticket: int
    slot: int
    length: int
    sizes: tuple[Size, ...]


class ReadyReport(msgspec.Struct, frozen=True, tag="ready"):
    """The detector is loaded."""


class AnswerReport(msgspec.Struct, frozen=True, tag="answer"):
    """What was seen in each picture of a task, and a receipt for each if they were sent away."""

    ticket: int
    detections: list[list[Detection]]
    receipts: list[Receipt] = []


class FailureReport(msgspec.Struct, frozen=True, tag="failure"):
    """The worker gives up: `kind` says which error to raise; `message` is a whole sentence unless `kind` is "other"."""

    kind: Literal["model", "input", "detector", "other"]
    message: str


WorkerReport = ReadyReport | AnswerReport | FailureReport


def frame_message(message: StartMessage | TaskMessage | WorkerReport) -> bytes:
    """A message as it travels."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(HEADER_BYTES, "big") + body


def take_message_bodies(buffer: bytearray) -> Iterator[bytes]:
    """Take the whole messages off the head of `buffer`, leaving the rest of it for when more has arrived."""
    while len(buffer) >= HEADER_BYTES:
        end = HEADER_BYTES + int.from_bytes(buffer[:HEADER_BYTES], "big")
        if len(buffer) < end:
            return
        body = bytes(buffer[HEADER_BYTES:end])
        del buffer[:end]
        yield body
