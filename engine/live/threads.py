"""The two threads of a live run: one reads and decodes; the other hides faces, encodes and sends, in order.

    "live source"    source.events -> masker.submit ----+-> queue -> masker.collect -> output     calling thread
                                   audio packets -------+

The queue carries audio packets and, for each submitted frame, a token: the frame itself waits in the masker. Video and
audio therefore leave in the order in which they came.

A failure on either side ends both: the reading thread sends its error through the queue, and the sending thread sets
`stop`, which every wait of the reading thread checks at least each `_POLL_INTERVAL_S`.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from engine import runs
from engine.core.addresses import strip_credentials
from engine.core.geometry import Size
from engine.errors import SourceError
from engine.live.counters import LiveCounters
from engine.live.hooks import LiveHooks
from engine.live.log import LiveLog, Received
from engine.live.look_size import describe_look_change
from engine.live.masker import LiveMasker
from engine.media.stream.live_output import LiveOutput
from engine.media.stream.live_source import (
    AudioEvent,
    FormatChangeEvent,
    FrameEvent,
    InputEvent,
    InterruptionEvent,
    LiveSource,
)

_MAX_QUEUED_ITEMS = 2000
"""Audio packets and frame tokens between the threads. Frames are limited much earlier, by `JudgingSettings.backlog`;
this bounds the memory that audio takes while the output is slow."""
_POLL_INTERVAL_S = 0.25
"""Seconds between two checks of whether the run is to end."""
_FILE_WAIT_S = 0.005
"""Seconds between two checks of whether a frame of a file may be submitted; a small part of a frame's duration."""
_REPORT_INTERVAL_S = 1.0
"""Seconds between two reports of the counters."""


class OutputOpener(Protocol):
    """Opens the output and the log for frames of a size."""

    def __call__(self, size: Size, /) -> tuple[LiveOutput, LiveLog]:
        """Return the open output and log."""


@dataclass(frozen=True, slots=True)
class _FrameToken:
    """A frame was submitted to the masker."""


@dataclass(frozen=True, slots=True)
class _EndOfSource:
    """The source has ended; `error` is set if it failed."""

    error: BaseException | None = None


class LiveThreads:
    """Runs once, from the source's first frame to its last.

    Args:
        source: the open source.
        masker: the masker, with its detectors loaded.
        opener: opens the output when the size of the frames is known.
        hooks: controls, stop, progress, counters and preview of the caller.
        audio: copy the audio.

    Attributes:
        source_error: why the source ended, if it failed after its first frame.
    """

    def __init__(
        self, source: LiveSource, masker: LiveMasker, opener: OutputOpener, hooks: LiveHooks, *, audio: bool
    ) -> None:
        self._source, self._masker, self._opener, self._hooks = source, masker, opener, hooks
        self._copies_audio = audio
        self.source_error: SourceError | None = None
        self._queue: queue.Queue[_FrameToken | AudioEvent | _EndOfSource] = queue.Queue(_MAX_QUEUED_ITEMS)
        self._early_audio: list[AudioEvent] = []
        self._output: LiveOutput | None = None
        self._log: LiveLog | None = None
        self._last_report_s = time.monotonic()

    def run(self) -> None:
        """Run until the source ends or `hooks.stop` is set.

        Raises:
            SourceError: no frame came. A source that fails later ends the run in order; see `source_error`.
            TargetError: the output or the log cannot be written.
            ModelError, InputError: a detector cannot be loaded.
        """
        reader = threading.Thread(target=self._read_source, name="live source", daemon=True)
        reader.start()
        try:
            self._send_items()
        except BaseException:
            # The reader must not submit to a masker or write to a log that is being closed: join it first.
            self._hooks.stop.set()
            reader.join()
            if self._output is not None:
                self._output.abandon()
            raise
        finally:
            self._hooks.stop.set()
            reader.join()
            if self._log is not None:
                self._write_received()
                self._log.close()
            # Detectors may still answer until the masker is closed; those answers must not reach a closed log.
            self._masker.state.log_sink = None
            if self._output is not None:
                # The last report may be a second old, and a caller counts what was shown until the end.
                self._hooks.counter_observer(self._read_counters())
        if self._output is None:
            raise SourceError(
                f"No frame came from the source ({strip_credentials(self._source.address)}). Check that something is "
                f"being sent."
            )
        self._output.close()

    # ---- the reading thread ----

    def _read_source(self) -> None:
        try:
            for event in self._iterate_events():
                match event:
                    case FrameEvent():
                        self._submit_frame(event)
                    case AudioEvent():
                        if self._copies_audio:
                            self._enqueue(event)
                    case FormatChangeEvent():
                        self._masker.mark_format_change()
                    case InterruptionEvent():
                        self._masker.mark_interrupted()
                        self._hooks.listener.notice(
                            f"{event.reason}; frames are covered until every detector has looked again."
                        )
            self._enqueue(_EndOfSource())
        except BaseException as error:  # noqa: BLE001 - the sending thread raises it
            self._enqueue(_EndOfSource(error))

    def _iterate_events(self) -> Iterator[InputEvent]:
        # A file can wait, so a slow machine takes longer and drops nothing. It waits before a frame is read: one that
        # was read and waits would only be late.
        events = self._source.events()
        while True:
            while self._source.is_file and self._masker.state.is_backlogged and not self._hooks.stop.is_set():
                time.sleep(_FILE_WAIT_S)
            event = next(events, None)
            if event is None:
                return
            yield event

    def _submit_frame(self, event: FrameEvent) -> None:
        # A running source cannot wait: its next frame is already on the way, and a frame that waited would add its
        # delay to all that follow.
        if self._masker.state.is_backlogged and not self._source.is_file:
            self._masker.state.count_dropped_frame()
            return
        if self._hooks.preview is not None:
            self._hooks.preview.add_input_frame(event.frame)
        seconds = event.pts * self._source.time_base
        self._masker.submit(event.frame, event.pts, seconds, arrived_s=event.arrival_s, damaged=event.damaged)
        self._enqueue(_FrameToken())

    def _enqueue(self, item: _FrameToken | AudioEvent | _EndOfSource) -> None:
        # A plain `put` would block for ever if the sending thread ended while the queue was full.
        while True:
            try:
                self._queue.put(item, timeout=_POLL_INTERVAL_S)
            except queue.Full:
                if self._hooks.stop.is_set():
                    return
            else:
                return

    # ---- the sending thread ----

    def _send_items(self) -> None:
        while True:
            match self._queue.get():
                case _FrameToken():
                    self._send_frame()
                case AudioEvent() as audio:
                    self._send_audio(audio)
                case _EndOfSource(error):
                    self._end(error)
                    return

    def _end(self, error: BaseException | None) -> None:
        """Note that the source has ended. An error of its own ends the run in order if a frame was shown."""
        if isinstance(error, SourceError) and self._log is not None:
            self.source_error = error
            # The log outlives the source, so it does not name a file.
            self._log.write_event(runs.omit_source_name(self._source.address, str(error)))
        elif error is not None:
            raise error

    def _send_frame(self) -> None:
        if self._output is None:
            # The output opens with the first frame, because only then is the size known. Audio that came earlier waits.
            assert self._masker.size is not None
            self._output, self._log = self._opener(self._masker.size)
            for audio in self._early_audio:
                self._send_audio(audio)
            self._early_audio.clear()
        masked = self._masker.collect()
        self._output.write_video(masked.frame, masked.pts)
        self._masker.state.count_sent_frame(masked)
        if self._hooks.preview is not None:
            self._hooks.preview.add_output_frame(masked.frame, masked.verdict.reason)
        self._report_progress()

    def _send_audio(self, audio: AudioEvent) -> None:
        if self._output is None:
            self._early_audio.append(audio)
        else:
            self._output.write_audio(audio.track, audio.packet)

    def _report_progress(self) -> None:
        now = time.monotonic()
        if now - self._last_report_s < _REPORT_INTERVAL_S:
            return
        self._last_report_s = now
        assert self._masker.size is not None
        for change in self._masker.state.take_look_changes():
            self._hooks.listener.notice(describe_look_change(change, self._masker.size))
        counters = self._read_counters()
        self._hooks.counter_observer(counters)
        self._hooks.listener.progress("live", counters.shown, None)
        self._write_received()

    def _read_counters(self) -> LiveCounters:
        self._masker.state.set_source_counts(self._source.undecodable_packets, self._source.reconnects)
        return self._masker.counters

    def _write_received(self) -> None:
        # Once a second, so that after a crash the log still says what was received up to then. The hash of a file is
        # known from the start.
        if self._log is not None and not self._source.is_file:
            self._log.write(Received(*self._source.input_digest))
