"""Viewing processes as their users see them: one for each open source, a spare one that is started already."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from engine.audio.compare import StreamLocation
from engine.audio.spans import AudioSpan
from engine.core.closeable import Closeable
from engine.core.geometry import Box
from engine.errors import SourceError
from engine.isolation.call import CallProcess, ProcessEndedError
from engine.isolation.guarded import explain_end
from engine.record import Record
from engine.rendering.still import StillOptions
from engine.review.people import Appearance, FaceSample
from engine.review.plan import FramePlan
from engine.viewing.requests import (
    ExcerptRequest,
    Look,
    LooksRequest,
    OpenRequest,
    PortraitRequest,
    PreviewsRequest,
    StillRequest,
    WaveformRequest,
)

_Result = TypeVar("_Result")

_MODULE = "engine.viewing.process"
_MAX_OPEN_SOURCES = 3
"""Most sources that are open at once; each has a process with decoded frames."""


class _ViewingProcess(Closeable):
    """A process that is replaced at the next call when a file has ended it. It is thread-safe.

    Args:
        take_process: returns a new process.
        opening: the first call to each process; None: there is none.
    """

    def __init__(self, take_process: Callable[[], CallProcess], opening: OpenRequest | None = None) -> None:
        self._take_process, self._opening = take_process, opening
        self._lock, self._open_lock = threading.Lock(), threading.Lock()
        self._process: CallProcess | None = None
        self._calls, self._is_closing, self._is_killed = 0, False, False

    def call(self, name: str, request: object, result_type: type[_Result], source: Path) -> _Result:
        """Call, and return the result.

        Raises:
            SourceError: the source ended the process twice, or what the call raises.
        """
        with self._lock:
            self._calls += 1
        try:
            try:
                return self._get_process().call(name, request, result_type)
            except ProcessEndedError:
                # Perhaps it was another call, answered at the same time, that ended the process.
                return self._get_process().call(name, request, result_type)
        except ProcessEndedError as ended:
            raise explain_end(ended, str(source)) from None
        finally:
            with self._lock:
                self._calls -= 1
            self._close_if_idle()

    def close(self) -> None:
        """End the process as soon as no thread waits for an answer."""
        with self._lock:
            self._is_closing = True
        self._close_if_idle()

    def kill(self) -> None:
        """End the process at once; calls that are under way, and later ones, raise SourceError."""
        with self._lock:
            self._is_killed = True
            if self._process is not None:
                self._process.kill()
        self.close()

    def _close_if_idle(self) -> None:
        with self._lock:
            if not self._is_closing or self._calls:
                return
            process, self._process = self._process, None
        if process is not None:
            process.close()

    def _get_process(self) -> CallProcess:
        # A lock of its own: opening decodes, and a call that ends meanwhile must not wait for that.
        with self._open_lock:
            if self._is_killed:
                raise SourceError("The server is ending.")
            if self._process is not None and self._process.has_ended:
                self._process.close()
                self._process = None
            if self._process is None:
                process = self._take_process()
                try:
                    if self._opening is not None:
                        process.call("open", self._opening, type(None))
                except BaseException:
                    process.close()
                    raise
                self._process = process
            return self._process


class SourceViewer(Closeable):
    """One source, in a process of its own. It is thread-safe.

    Args:
        path: the source.
        record: its detection record.
        take_process: returns a new process.
    """

    def __init__(self, path: Path, record: Record, take_process: Callable[[], CallProcess]) -> None:
        self._path = path
        self._process = _ViewingProcess(take_process, OpenRequest.of(path, record))

    def make_still(self, index: int, plan: FramePlan, options: StillOptions) -> bytes:
        """Return a frame as a JPEG.

        Raises:
            SourceError: the source cannot be read, or is not the file that was detected.
            StyleError: the image of the style cannot be read.
        """
        return self._process.call("still", StillRequest(index, plan, options), bytes, self._path)

    def make_portrait(self, index: int, box: Box | None) -> bytes:
        """Return a small unmasked picture of a place in a frame as a JPEG; without a box, of the whole frame.

        Raises:
            SourceError: as `make_still`.
        """
        return self._process.call("portrait", PortraitRequest(index, box), bytes, self._path)

    def read_previews(self, start: int, stop: int, step: int = 1, lead: int = 0) -> list[tuple[int, bytes]]:
        """Return small pictures of frames in a row, each with its index; see `engine.rendering.previews`.

        Raises:
            SourceError: as `make_still`.
        """
        return self._process.call(
            "previews", PreviewsRequest(start, stop, step, lead), list[tuple[int, bytes]], self._path
        )

    def measure_looks(self, samples: Iterable[FaceSample]) -> dict[FaceSample, Appearance]:
        """Return the looks of faces; one that is too small to have any is left out.

        Raises:
            SourceError: as `make_still`.
        """
        looks = self._process.call("looks", LooksRequest(tuple(samples)), tuple[Look, ...], self._path)
        return {look.sample: _restore_appearance(look) for look in looks}

    def close(self) -> None:
        """End the process as soon as no thread waits for an answer."""
        self._process.close()

    def kill(self) -> None:
        """End the process at once; calls that are under way, and later ones, raise SourceError."""
        self._process.kill()


class Viewers(Closeable):
    """The viewing processes of one server. It is thread-safe.

    Args:
        max_sources: most sources that are open at once; the one that was used least recently is closed.
    """

    def __init__(self, max_sources: int = _MAX_OPEN_SOURCES) -> None:
        self._max_sources = max_sources
        self._lock = threading.Lock()
        self._opened: OrderedDict[tuple[str, str], SourceViewer] = OrderedDict()
        self._spare: CallProcess | None = None
        self._keeps_spare = False
        # One for all sound, however many files: it keeps nothing open.
        self._sound = _ViewingProcess(self._take_process)

    def keep_spare(self) -> None:
        """Start a process before it is needed, and again whenever it was taken: starting one takes half a second."""
        self._keeps_spare = True
        self._start_spare()

    def open_source(self, path: Path, record: Record, record_sha256: str) -> SourceViewer:
        """Return the viewer of a source, which is kept open for later calls."""
        key, evicted = (str(path), record_sha256), None
        with self._lock:
            if key not in self._opened:
                self._opened[key] = SourceViewer(path, record, self._take_process)
            self._opened.move_to_end(key)
            if len(self._opened) > self._max_sources:
                evicted = self._opened.popitem(last=False)[1]
            viewer = self._opened[key]
        # Outside the lock: it waits for the end of a process.
        if evicted is not None:
            evicted.close()
        return viewer

    def measure_waveform(self, source: Path, count: int, duration_s: float) -> tuple[float, ...]:
        """Measure the peaks of the first audio stream; see `engine.audio.waveform`.

        Raises:
            SourceError: the stream cannot be decoded.
        """
        return self._sound.call("waveform", WaveformRequest(source, count, duration_s), tuple[float, ...], source)

    def make_excerpt(
        self, stream: StreamLocation, number: int, spans: Sequence[AudioSpan], window_s: tuple[float, float]
    ) -> bytes:
        """Return an excerpt of an audio stream as a WAV file; see `engine.audio.excerpt`.

        Raises:
            InputError: the stream has no sound there, or the excerpt would be too long.
            SourceError: the stream cannot be decoded.
        """
        request = ExcerptRequest(stream.path, stream.index, str(stream.origin_s), number, tuple(spans), window_s)
        return self._sound.call("excerpt", request, bytes, stream.path)

    def close(self) -> None:
        """End all processes at once; calls that are under way raise SourceError.

        The server that calls this ends, and must not wait for a picture that nobody will see.
        """
        self._keeps_spare = False
        with self._lock:
            viewers, spare = list(self._opened.values()), self._spare
            self._opened.clear()
            self._spare = None
        self._sound.kill()
        for viewer in viewers:
            viewer.kill()
        if spare is not None:
            spare.close()

    def _take_process(self) -> CallProcess:
        with self._lock:
            process, self._spare = self._spare, None
        if self._keeps_spare:
            threading.Thread(target=self._start_spare, name="spare viewer", daemon=True).start()
        if process is not None and process.has_ended:
            process.close()
            process = None
        return process or CallProcess(_MODULE)

    def _start_spare(self) -> None:
        started: CallProcess | None = CallProcess(_MODULE)
        with self._lock:
            if self._spare is None and self._keeps_spare:
                self._spare, started = started, None
        if started is not None:
            started.close()


def _restore_appearance(look: Look) -> Appearance:
    head, shape = (np.frombuffer(part, np.float32) for part in (look.head, look.shape))
    return Appearance(head, shape, None if look.clothes is None else np.frombuffer(look.clothes, np.float32))
