"""A live source that a process of its own reads: a crash or a hang of a decoder is an error of the source."""

from __future__ import annotations

import os
import selectors
import subprocess
import threading
from collections.abc import Iterator
from typing import IO, cast

from engine.core.addresses import strip_credentials
from engine.core.child_process import (
    find_last_line,
    read_available,
    send_message,
    spawn_server,
    take_message_bodies,
    wait_or_kill,
)
from engine.core.closeable import Closeable
from engine.core.python_process import build_child_environment
from engine.errors import SourceError
from engine.isolation.call import ProcessEndedError
from engine.isolation.guarded import explain_end
from engine.isolation.messages import FailureAnswer, decode_value, restore_error
from engine.media.stream.audio_parameters import AudioParameters, unpack_audio
from engine.media.stream.frame_slots import FrameSlot
from engine.media.stream.live_source import (
    AudioEvent,
    FormatChangeEvent,
    FrameEvent,
    InputDigest,
    InputEvent,
    InterruptionEvent,
)
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

_MODULE = "engine.media.stream.source_process"
_SLOTS = 2
"""Frames that are under way at once: one is decoded while the run takes in the one before."""
_POLL_INTERVAL_S = 0.25
"""Interval at which a waiting run checks whether it should stop."""
_EXIT_GRACE_S = 4.0
"""Time in which the process closes its connection and ends."""
_STDERR_TAIL_BYTES = 4096
_ADVICE = "Try another source, or send it in another codec or with other settings"


class IsolatedInput(Closeable):
    """An open live source, read by a process of its own; a context manager. Only one thread may use `events`.

    Args:
        address: path of a file or of a camera (/dev/video0), or an address; see `LiveInput`.
        stop: ends the events when it is set.
        reconnect_timeout_s: for how long an interrupted source is opened again and again before it counts as ended.

    Attributes: see `LiveSource`.

    Raises:
        SourceError: the source cannot be opened, has no video, or ended the process that opened it.
    """

    def __init__(self, address: str, stop: threading.Event, reconnect_timeout_s: float = 30.0) -> None:
        self.address, self._stop = address, stop
        self.undecodable_packets, self.reconnects = 0, 0
        self._digest = InputDigest(0, "")
        self._slots = [FrameSlot() for _ in range(_SLOTS)]
        self._reports, self._complaint = bytearray(), bytearray()
        self._has_more_reports, self._format_changes = True, 0
        try:
            self._process, self._lifeline = _spawn_process([slot.descriptor for slot in self._slots])
        except SourceError:
            self._close_slots()
            raise
        self._selector = selectors.DefaultSelector()
        for stream in (self._stdout, self._stderr):
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ)
        try:
            self._describe(self._open(reconnect_timeout_s))
        except BaseException:
            self.close()
            raise

    @property
    def audio_streams(self) -> tuple[AudioParameters, ...]:
        """Return the audio streams whose packets can be copied, by track."""
        return self._audio_streams

    @property
    def input_digest(self) -> InputDigest:
        """Return the digest of the video and audio read so far."""
        return self._digest

    def events(self) -> Iterator[InputEvent]:
        """Yield frames and packets until the source ends or `stop` is set.

        Raises:
            SourceError: the process that reads the source has ended.
        """
        # A file is read on when the run asks for more, which is when it has room. A running source is read on at once.
        for slot in range(1 if self.is_file else _SLOTS):
            self._request_frame(slot)
        while (report := self._receive_report()) is not None:
            match report:
                case FrameReport():
                    yield from self._take_frame(report)
                case AudioReport(track, packet, counts):
                    self._update_counts(counts)
                    yield AudioEvent(track, unpack_audio(packet))
                case InterruptionReport(reason, counts):
                    self._update_counts(counts)
                    yield InterruptionEvent(reason)
                case EndReport(counts):
                    self._update_counts(counts)
                    return

    def close(self) -> None:
        """End the process."""
        # Its end lets the process close the connection in order.
        cast("IO[bytes]", self._process.stdin).close()
        self._selector.close()
        self._stdout.close()
        wait_or_kill(self._process, _EXIT_GRACE_S)
        self._stderr.close()
        self._lifeline.close()
        self._close_slots()

    def _open(self, reconnect_timeout_s: float) -> OpenedReport:
        request = ReadRequest(self.address, reconnect_timeout_s, tuple(slot.descriptor for slot in self._slots))
        send_message(cast("IO[bytes]", self._process.stdin), request)
        report = self._receive_report()
        if report is None:
            raise SourceError(f"The run was stopped before {strip_credentials(self.address)} was open.")
        assert isinstance(report, OpenedReport)
        return report

    def _describe(self, opened: OpenedReport) -> None:
        self.is_file, self.time_base, self.rate = opened.is_file, opened.time_base, opened.rate
        self.codec, self.container = opened.codec, opened.container
        self.video_index, self.pixel_format = opened.video_index, opened.pixel_format
        self.streams, self._audio_streams = opened.streams, opened.audio_streams

    def _take_frame(self, report: FrameReport) -> Iterator[InputEvent]:
        self._update_counts(report.counts)
        frame = self._slots[report.slot].read_frame(report.picture)
        if not self.is_file:
            self._request_frame(report.slot)
        if report.format_changes != self._format_changes:
            self._format_changes = report.format_changes
            yield FormatChangeEvent()
        yield FrameEvent(frame, report.pts, report.arrival_s, report.damaged)
        if self.is_file:
            self._request_frame(report.slot)

    def _request_frame(self, slot: int) -> None:
        send_message(cast("IO[bytes]", self._process.stdin), SlotRequest(slot))

    def _update_counts(self, counts: SourceCounts) -> None:
        self.undecodable_packets, self.reconnects = counts.undecodable_packets, counts.reconnects
        self._digest = InputDigest(counts.bytes, counts.sha256)

    def _receive_report(self) -> SourceReport | None:
        """Wait for the next report; return None when the run should stop.

        Raises:
            VeilError: what the process raised, or a sentence about its end.
        """
        while not self._stop.is_set():
            for body in take_message_bodies(self._reports):
                report: SourceReport = decode_value(body, SourceReport)  # type: ignore[arg-type]  # a union
                if isinstance(report, FailureAnswer):
                    raise restore_error(report)
                return report
            # Its last report and its end may have come at once, so the end is kept until that report was taken.
            if not self._has_more_reports:
                raise self._explain_end()
            for key, _ in self._selector.select(_POLL_INTERVAL_S):
                is_report = key.fileobj is self._stdout
                if not read_available(cast("IO[bytes]", key.fileobj), self._reports if is_report else self._complaint):
                    self._selector.unregister(key.fileobj)
                    self._has_more_reports = self._has_more_reports and not is_report
            # A full pipe would stop the process; the end is enough to explain a crash.
            del self._complaint[:-_STDERR_TAIL_BYTES]
        return None

    def _explain_end(self) -> SourceError:
        code = self._process.wait()
        read_available(self._stderr, self._complaint)
        ended = ProcessEndedError(code, find_last_line(self._complaint))
        return explain_end(ended, strip_credentials(self.address), advice=_ADVICE)

    def _close_slots(self) -> None:
        for slot in self._slots:
            slot.close()

    @property
    def _stdout(self) -> IO[bytes]:
        return cast("IO[bytes]", self._process.stdout)

    @property
    def _stderr(self) -> IO[bytes]:
        return cast("IO[bytes]", self._process.stderr)


def _spawn_process(descriptors: list[int]) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    try:
        return spawn_server(_MODULE, build_child_environment(), descriptors)
    except OSError as error:
        raise SourceError(
            f"The process that reads the source cannot be started ({error.strerror}). Close other programs."
        ) from error
