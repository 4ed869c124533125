"""The process that reads the source of a live run: it opens, decodes and converts, and may be lost.

python -m engine.media.stream.source_process LIFELINE
"""

from __future__ import annotations

import os
import resource
import sys
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import BinaryIO

from engine.core.child_process import end_with_parent, frame_message, receive_message, take_over_pipes
from engine.core.step_limit import NATIVE_STEP
from engine.isolation.expendable import begin_expendable_process
from engine.isolation.messages import decode_value, describe_failure
from engine.media.stream.audio_parameters import pack_audio
from engine.media.stream.frame_slots import SlotWriter
from engine.media.stream.live_input import DecodedFrameEvent, LiveInput
from engine.media.stream.live_source import AudioEvent, InterruptionEvent
from engine.media.stream.normalise import FrameNormaliser
from engine.media.stream.source_messages import (
    AudioReport,
    EndReport,
    FrameReport,
    InterruptionReport,
    OpenedReport,
    ReadRequest,
    SlotRequest,
    SourceCounts,
    SourceReport,
)

_MAX_BYTES = 12 << 30
"""Address space: several times what pictures of 8K need, so that a source cannot fill the memory."""
_CLOSING_S = 1.0
"""Time to close the connection in order, so that a camera knows at once that nobody watches."""


class _SourceReader:
    """Reads one source in a thread of its own.

    Args:
        request: what to read.
        answers: where reports go.
    """

    def __init__(self, request: ReadRequest, answers: BinaryIO) -> None:
        self._request, self._answers = request, answers
        self._stop, self._slots = threading.Event(), SimpleQueue[int | None]()
        self._writers = [SlotWriter(descriptor) for descriptor in request.slots]
        self._normaliser, self._next_number = FrameNormaliser(), 0
        self._thread = threading.Thread(target=self._read_source, name="source", daemon=True)
        self._thread.start()

    def free_slot(self, slot: int) -> None:
        """Let the next frame go into a slot."""
        self._slots.put(slot)

    def stop(self) -> None:
        """End the reading, and wait for that, but not for long."""
        self._stop.set()
        self._slots.put(None)
        self._thread.join(_CLOSING_S)

    def _read_source(self) -> None:
        # The run may end at any time; then nobody reads the reports.
        with suppress(BrokenPipeError):
            self._report_source()

    def _report_source(self) -> None:
        try:
            with LiveInput(self._request.address, self._stop, self._request.reconnect_timeout_s) as source:
                self._send(_describe_source(source))
                self._send_events(source)
                self._send(EndReport(_count_input(source)))
        except BrokenPipeError:
            raise
        # Whatever it is, the run waits for a report; it raises the error there.
        except Exception as error:  # noqa: BLE001
            self._send(describe_failure(0, error))

    def _send_events(self, source: LiveInput) -> None:
        # Nothing is read ahead: what waits in this process would only be late. So there has to be a slot before the
        # source is read on, and what comes too fast waits, or is lost, where it does without this process too.
        events = source.events()
        while (slot := self._slots.get()) is not None:
            while (event := next(events, None)) is not None:
                match event:
                    case DecodedFrameEvent():
                        self._send(self._place_frame(event, slot, source))
                        break
                    case AudioEvent(track, packet):
                        self._send(AudioReport(track, pack_audio(packet), _count_input(source)))
                    case InterruptionEvent(reason):
                        self._send(InterruptionReport(reason, _count_input(source)))
            else:
                return

    def _place_frame(self, event: DecodedFrameEvent, slot: int, source: LiveInput) -> FrameReport:
        with NATIVE_STEP:
            frame = self._normaliser.normalise(event.frame, self._next_number, event.pts, event.aspect)
            picture = self._writers[slot].write_frame(frame.planar_frame)
        self._next_number += 1
        return FrameReport(
            slot=slot,
            picture=picture,
            pts=event.pts,
            arrival_s=event.arrival_s,
            damaged=frame.damaged,
            format_changes=self._normaliser.format_changes,
            counts=_count_input(source),
        )

    def _send(self, report: SourceReport) -> None:
        self._answers.write(frame_message(report))
        self._answers.flush()


def _describe_source(source: LiveInput) -> OpenedReport:
    return OpenedReport(
        is_file=source.is_file,
        time_base=source.time_base,
        rate=source.rate,
        codec=source.codec,
        container=source.container,
        video_index=source.video_index,
        pixel_format=source.pixel_format,
        streams=tuple(source.streams),
        audio_streams=source.audio_streams,
    )


def _count_input(source: LiveInput) -> SourceCounts:
    return SourceCounts(source.undecodable_packets, source.reconnects, *source.input_digest)


def _serve(lifeline: int) -> None:
    end_with_parent(lifeline)
    requests, answers = take_over_pipes()
    begin_expendable_process()
    body = receive_message(requests)
    if body is None:
        return
    reader = _SourceReader(decode_value(body, ReadRequest), answers)
    while (body := receive_message(requests)) is not None:
        reader.free_slot(decode_value(body, SlotRequest).slot)
    reader.stop()
    # Not sys.exit: a thread that is stuck would be waited for.
    os._exit(0)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_BYTES, _MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _serve(int(sys.argv[1]))
