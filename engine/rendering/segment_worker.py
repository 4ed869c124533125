"""A process that encodes segments, one after another. Only `engine.rendering.segment_processes` starts it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO, Literal

import msgspec

from engine.core.child_process import end_with_parent, frame_message, receive_message, take_over_pipes
from engine.errors import RenderError, SourceError, TargetError
from engine.rendering.segment_task import EncodedSegment, SegmentTask, encode_segment

_PROGRESS_INTERVAL_S = 0.2


class FramesDone(msgspec.Struct, frozen=True, tag="progress"):
    """The number of frames of the segment that are encoded."""

    frames: int


class SegmentFailure(msgspec.Struct, frozen=True, tag="failure"):
    """An error that another attempt would meet again."""

    kind: Literal["source", "target", "render"]
    message: str

    @property
    def error(self) -> SourceError | TargetError | RenderError:
        """The error."""
        match self.kind:
            case "source":
                return SourceError(self.message)
            case "target":
                return TargetError(self.message)
            case "render":
                return RenderError(self.message)


SegmentReport = FramesDone | EncodedSegment | SegmentFailure


def decode_report(body: bytes) -> SegmentReport:
    """Decode a message from a process."""
    report: SegmentReport = msgspec.msgpack.decode(body, type=SegmentReport, dec_hook=_decode_path)
    return report


def main(lifeline: int) -> None:
    """Encode segments until the process that started this one closes its end."""
    end_with_parent(lifeline)
    tasks, reports = take_over_pipes()
    while (body := receive_message(tasks)) is not None:
        task = msgspec.msgpack.decode(body, type=SegmentTask, dec_hook=_decode_path)
        _send(reports, _encode(task, _make_reporter(reports)))


def _encode(task: SegmentTask, report_frames: Callable[[int], None]) -> EncodedSegment | SegmentFailure:
    try:
        return encode_segment(task, report_frames)
    except SourceError as error:
        return SegmentFailure("source", str(error))
    except TargetError as error:
        return SegmentFailure("target", str(error))
    except RenderError as error:
        return SegmentFailure("render", str(error))


def _make_reporter(reports: BinaryIO) -> Callable[[int], None]:
    sent_at = float("-inf")

    def report(frames: int) -> None:
        nonlocal sent_at
        if monotonic() - sent_at >= _PROGRESS_INTERVAL_S:
            sent_at = monotonic()
            _send(reports, FramesDone(frames))

    return report


def _send(reports: BinaryIO, report: SegmentReport) -> None:
    reports.write(frame_message(report))
    reports.flush()


def _decode_path(kind: type[Any], value: object) -> Any:
    assert kind is Path
    return kind(value)


if __name__ == "__main__":
    main(int(sys.argv[1]))
    sys.stderr.flush()
    os._exit(0)
