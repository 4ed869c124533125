"""The two threads of a live run: one reads and decodes; the other hides faces, encodes and sends, in order."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.core.geometry import Size
from engine.core.progress import Listener
from engine.errors import SourceError
from engine.live.counters import LiveCounters
from engine.live.log import LiveLog, Received
from engine.live.masker import LiveMasker
from engine.media.stream.live_input import AudioIn, BreakIn, FrameIn, told
from engine.media.stream.live_output import LiveOutput
from engine.media.stream.live_preview import Preview
from engine.media.stream.pushed_input import RunningSource

_QUEUE = 2000
"""Audio packets and frames between the threads; frames are limited much earlier."""
_PATIENCE = 0.25
"""Seconds between two looks at whether the run is to end."""


class Opener(Protocol):
    """Opens the output and the log for pictures of a size."""

    def __call__(self, size: Size, /) -> tuple[LiveOutput, LiveLog]:
        """The open output and log."""


@dataclass(frozen=True, slots=True)
class _FrameDue:
    """The masker was given a frame."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """Nothing more will come; `error` says why when that is not in order."""

    error: BaseException | None = None


class Stage:
    """Runs once, from the source's first frame to its last."""

    def __init__(  # noqa: PLR0913
        self,
        source: RunningSource,
        masker: LiveMasker,
        opener: Opener,
        *,
        listener: Listener,
        watcher: Callable[[LiveCounters], None],
        stop: threading.Event,
        preview: Preview | None = None,
    ) -> None:
        self._preview = preview
        self._source, self._masker, self._opener = source, masker, opener
        self._listener, self._watcher, self._stop = listener, watcher, stop
        self._due: queue.Queue[_FrameDue | AudioIn | _Ended] = queue.Queue(_QUEUE)
        self._early: list[AudioIn] = []
        self._output: LiveOutput | None = None
        self._log: LiveLog | None = None
        self._told = time.monotonic()

    def run(self, *, audio: bool) -> None:
        """Run to the end.

        Raises:
            SourceError: no frame came.
            TargetError: the output or the log cannot be written.
            ModelError, InputError: a detector cannot be loaded.
        """
        reader = threading.Thread(target=self._read, kwargs={"audio": audio}, name="live source", daemon=True)
        reader.start()
        try:
            self._send()
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
            self._masker.witness = None
        if self._output is None:
            raise SourceError(
                f"No frame came from the source ({told(self._source.address)}). Check that something is being sent."
            )
        self._output.close()

    # the reading thread

    def _read(self, *, audio: bool) -> None:
        try:
            for event in self._source.events():
                match event:
                    case FrameIn():
                        self._frame(event)
                    case AudioIn():
                        if audio:
                            self._put(event)
                    case BreakIn():
                        self._masker.interrupted()
                        self._listener.notice(
                            f"{event.reason}; frames are covered until every detector has looked again."
                        )
            self._put(_Ended())
        except BaseException as error:  # noqa: BLE001 - the sending thread raises it
            self._put(_Ended(error))

    def _frame(self, event: FrameIn) -> None:
        while self._masker.backlogged and self._source.is_file and not self._stop.is_set():
            time.sleep(0.005)  # a file waits
        if self._masker.backlogged:
            self._masker.drop()
            return
        if self._preview is not None:
            self._preview.came(event.frame)
        seconds = event.pts * self._source.time_base
        self._masker.submit(event.frame, event.pts, seconds, aspect=event.aspect, arrived=event.arrived)
        self._put(_FrameDue())

    def _put(self, item: _FrameDue | AudioIn | _Ended) -> None:
        while True:
            try:
                self._due.put(item, timeout=_PATIENCE)
            except queue.Full:
                if self._stop.is_set():
                    return
            else:
                return

    # the sending thread

    def _send(self) -> None:
        while True:
            match self._due.get():
                case _FrameDue():
                    self._send_frame()
                case AudioIn() as packet:
                    self._send_audio(packet)
                case _Ended(error):
                    if error is not None:
                        raise error
                    return

    def _send_frame(self) -> None:
        if self._output is None:
            assert self._masker.canvas.size is not None
            self._output, self._log = self._opener(self._masker.canvas.size)
            for packet in self._early:
                self._send_audio(packet)
            self._early.clear()
        masked = self._masker.collect()
        self._output.video(masked.frame, masked.pts)
        self._masker.sent(masked)
        if self._preview is not None:
            self._preview.went(masked.frame)
        self._tell()

    def _send_audio(self, audio: AudioIn) -> None:
        if self._output is None:
            self._early.append(audio)
        else:
            self._output.audio(audio.track, audio.packet)

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told < 1.0:
            return
        self._told = now
        self._masker.count_source(self._source.undecodable, self._source.reconnects)
        counters = self._masker.counters
        self._watcher(counters)
        self._listener.progress("live", counters.shown, None)
        self._write_received()

    def _write_received(self) -> None:
        if self._log is not None and not self._source.is_file:
            self._log.write(Received(*self._source.received))
