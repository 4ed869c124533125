"""The two threads of a live run: one reads and decodes; the other hides faces, encodes and sends, in order."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.core.geometry import Size
from engine.core.progress import ProgressListener
from engine.errors import SourceError
from engine.live.counters import LiveCounters
from engine.live.log import LiveLog, Received
from engine.live.masker import LiveMasker
from engine.media.stream.live_input import AudioEvent, FrameEvent, InterruptionEvent, strip_credentials
from engine.media.stream.live_output import LiveOutput
from engine.media.stream.live_preview import LivePreview
from engine.media.stream.pushed_input import LiveSource

_MAX_QUEUED_ITEMS = 2000
"""Audio packets and frames between the threads; frames are limited much earlier."""
_POLL_INTERVAL_S = 0.25
"""Seconds between two looks at whether the run is to end."""


class OutputOpener(Protocol):
    """Opens the output and the log for pictures of a size."""

    def __call__(self, size: Size, /) -> tuple[LiveOutput, LiveLog]:
        """The open output and log."""


@dataclass(frozen=True, slots=True)
class _FrameDue:
    """The masker was given a frame."""


@dataclass(frozen=True, slots=True)
class _EndOfSource:
    """Nothing more will come; `error` says why when that is not in order."""

    error: BaseException | None = None


class LiveThreads:
    """Runs once, from the source's first frame to its last."""

    def __init__(  # noqa: PLR0913
        self,
        source: LiveSource,
        masker: LiveMasker,
        opener: OutputOpener,
        *,
        listener: ProgressListener,
        counter_observer: Callable[[LiveCounters], None],
        stop: threading.Event,
        preview: LivePreview | None = None,
    ) -> None:
        self._preview = preview
        self._source, self._masker, self._opener = source, masker, opener
        self._listener, self._counter_observer, self._stop = listener, counter_observer, stop
        self._queue: queue.Queue[_FrameDue | AudioEvent | _EndOfSource] = queue.Queue(_MAX_QUEUED_ITEMS)
        self._early_audio: list[AudioEvent] = []
        self._output: LiveOutput | None = None
        self._log: LiveLog | None = None
        self._last_report_s = time.monotonic()

    def run(self, *, audio: bool) -> None:
        """Run to the end.

        Raises:
            SourceError: no frame came.
            TargetError: the output or the log cannot be written.
            ModelError, InputError: a detector cannot be loaded.
        """
        reader = threading.Thread(target=self._read_source, kwargs={"audio": audio}, name="live source", daemon=True)
        reader.start()
        try:
            self._send_items()
        except BaseException:
            self._stop.set()
            reader.join()
            if self._output is not None:
                self._output.abandon()
            raise
        finally:
            self._stop.set()
            reader.join()
            if self._log is not None:
                self._write_received()
                self._log.close()
            self._masker.log_sink = None
        if self._output is None:
            raise SourceError(
                f"No frame came from the source ({strip_credentials(self._source.address)}). Check that something is "
                f"being sent."
            )
        self._output.close()

    # the reading thread

    def _read_source(self, *, audio: bool) -> None:
        try:
            for event in self._source.events():
                match event:
                    case FrameEvent():
                        self._submit_frame(event)
                    case AudioEvent():
                        if audio:
                            self._enqueue(event)
                    case InterruptionEvent():
                        self._masker.mark_interrupted()
                        self._listener.notice(
                            f"{event.reason}; frames are covered until every detector has looked again."
                        )
            self._enqueue(_EndOfSource())
        except BaseException as error:  # noqa: BLE001 - the sending thread raises it
            self._enqueue(_EndOfSource(error))

    def _submit_frame(self, event: FrameEvent) -> None:
        while self._masker.is_backlogged and self._source.is_file and not self._stop.is_set():
            time.sleep(0.005)  # a file waits
        if self._masker.is_backlogged:
            self._masker.count_dropped_frame()
            return
        if self._preview is not None:
            self._preview.add_input_frame(event.frame)
        seconds = event.pts * self._source.time_base
        self._masker.submit(event.frame, event.pts, seconds, aspect=event.aspect, arrived_s=event.arrival_s)
        self._enqueue(_FrameDue())

    def _enqueue(self, item: _FrameDue | AudioEvent | _EndOfSource) -> None:
        while True:
            try:
                self._queue.put(item, timeout=_POLL_INTERVAL_S)
            except queue.Full:
                if self._stop.is_set():
                    return
            else:
                return

    # the sending thread

    def _send_items(self) -> None:
        while True:
            match self._queue.get():
                case _FrameDue():
                    self._send_frame()
                case AudioEvent() as packet:
                    self._send_audio(packet)
                case _EndOfSource(error):
                    if error is not None:
                        raise error
                    return

    def _send_frame(self) -> None:
        if self._output is None:
            assert self._masker.normaliser.size is not None
            self._output, self._log = self._opener(self._masker.normaliser.size)
            for packet in self._early_audio:
                self._send_audio(packet)
            self._early_audio.clear()
        masked = self._masker.collect()
        self._output.write_video(masked.frame, masked.pts)
        self._masker.count_sent_frame(masked)
        if self._preview is not None:
            self._preview.add_output_frame(masked.frame)
        self._report_progress()

    def _send_audio(self, audio: AudioEvent) -> None:
        if self._output is None:
            self._early_audio.append(audio)
        else:
            self._output.write_audio(audio.track, audio.packet)

    def _report_progress(self) -> None:
        now = time.monotonic()
        if now - self._last_report_s < 1.0:
            return
        self._last_report_s = now
        self._masker.set_source_counts(self._source.undecodable_packets, self._source.reconnects)
        counters = self._masker.counters
        self._counter_observer(counters)
        self._listener.progress("live", counters.shown, None)
        self._write_received()

    def _write_received(self) -> None:
        if self._log is not None and not self._source.is_file:
            self._log.write(Received(*self._source.input_digest))
