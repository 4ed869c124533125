"""Writing rendered pictures: one video stream in an intermediate MOV file, encoded while the next picture is made."""

from __future__ import annotations

import queue
import threading
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.errors import RenderError, TargetError, VeilError
from engine.media.carrier import choose_carrier
from engine.media.encode import EncoderSettings, Encoding, Signal, encoder_rate, plan_encoding
from engine.picture import Picture, PixelFormat
from engine.record import VideoFacts

_WAITING = 4
"""Frames between the caller and the encoder; more only cost memory."""


class VideoWriter:
    """Encodes pictures into a MOV file with one video stream whose first frame is at zero.

    Pictures are copied when they are handed over and encoded by a thread of the writer's own, so that the caller
    can work on the next one meanwhile and may change the planes at once. Use it as a context manager: leaving it
    regularly finishes the file, leaving it by an exception removes it.

    Attributes:
        encoding: the encoder and its options.
    """

    def __init__(
        self,
        path: Path,
        video: VideoFacts,
        pixels: PixelFormat,
        settings: EncoderSettings,
        signal: Signal = Signal(),
    ) -> None:
        """Open the file.

        Raises:
            TargetError: the file cannot be made.
            RenderError: no encoder holds such samples, or the encoder refuses to start.
        """
        self.encoding = plan_encoding(video, pixels, settings, signal)
        self._path = path
        self._carrier = choose_carrier(pixels, video.coded)
        self._clock = _Clock(Fraction(video.time_base), Fraction(self.encoding.tick), path)
        self._sink = _Sink(path, self.encoding, video, signal)
        self._frames: queue.Queue[VideoFrame | None] = queue.Queue(_WAITING)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._encode, name="veil-encode", daemon=True)
        self._thread.start()

    def write(self, picture: Picture, pts: int) -> None:
        """Hand over the next frame; `pts` counts in the source's time base and must rise.

        Raises:
            TargetError: an earlier frame could not be stored.
            RenderError: an earlier frame could not be encoded, or the time stamp does not rise.
        """
        self._complain()
        frame = self._carrier.load(picture)
        frame.pts = self._clock.ticks(pts)
        frame.time_base = self._clock.tick
        self._frames.put(frame)

    def close(self) -> None:
        """Encode what is still under way and finish the file.

        Raises:
            TargetError: the file could not be stored.
            RenderError: a frame could not be encoded, or there was none.
        """
        self._stop()
        self._complain()
        if self._clock.first is None:
            raise RenderError(f"{self._path} would have no frame; render at least one.")
        try:
            self._sink.finish()
        except av.error.FFmpegError as error:
            raise _translated(error, self._path) from error

    def discard(self) -> None:
        """Stop and remove the file; it is of no use unfinished."""
        self._stop()
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.discard()
            return
        try:
            self.close()
        except VeilError:
            self.discard()
            raise

    def _stop(self) -> None:
        if self._thread.is_alive():
            self._frames.put(None)
            self._thread.join()

    def _encode(self) -> None:
        """Encode until told to stop; after a failure frames are taken and dropped, so that nobody waits for ever."""
        while (frame := self._frames.get()) is not None:
            if self._failure is not None:
                continue
            try:
                self._sink.encode(frame)
            except Exception as error:  # noqa: BLE001  `_complain` raises it where somebody listens
                self._failure = error

    def _complain(self) -> None:
        match self._failure:
            case None:
                return
            case av.error.FFmpegError() as failure:
                raise _translated(failure, self._path) from failure
            case failure:
                raise failure


def _translated(error: av.error.FFmpegError, path: Path) -> VeilError:
    if isinstance(error, OSError):
        return TargetError(f"{path} cannot be written: {error.strerror}. Make room or choose another place.")
    return RenderError(f"{path} could not be encoded: {error.strerror}.")


class _Clock:
    """Time stamps of the source as ticks of the intermediate file: from zero, and rising."""

    def __init__(self, time_base: Fraction, tick: Fraction, path: Path) -> None:
        self.tick = tick
        self.first: int | None = None
        self._factor = time_base / tick
        self._last = -1
        self._path = path

    def ticks(self, pts: int) -> int:
        if self.first is None:
            self.first = pts
        ticks = round((pts - self.first) * self._factor)
        if ticks <= self._last:
            raise RenderError(f"The frame with pts {pts} does not come after the one before it in {self._path}.")
        if ticks - self._last >= 2**31:
            raise RenderError(f"The frame with pts {pts} comes too long after the one before it for {self._path}.")
        self._last = ticks
        return ticks


class _Sink:
    """The open file with its encoder."""

    def __init__(self, path: Path, encoding: Encoding, video: VideoFacts, signal: Signal) -> None:
        options = {"fflags": "+bitexact", "video_track_timescale": str(Fraction(encoding.tick).denominator)}
        try:
            self._container = av.open(str(path), "w", format="mov", options=options)
            self._stream = self._open(encoding, video)
        except av.error.FFmpegError as error:
            raise _translated(error, path) from error
        self._fields = _FieldMarker(self._stream, signal.field_order) if signal.interlaced else None

    def _open(self, encoding: Encoding, video: VideoFacts) -> VideoStream:
        stream = self._container.add_stream(encoding.encoder, rate=encoder_rate(video), options=encoding.options)
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.width, context.height = video.coded.width, video.coded.height
        context.pix_fmt = encoding.pixel_format
        context.sample_aspect_ratio = Fraction(video.sample_aspect_ratio)
        stream.time_base = context.time_base = Fraction(encoding.tick)
        self._container.start_encoding()
        return stream

    def encode(self, frame: VideoFrame) -> None:
        marked = frame if self._fields is None else self._fields.mark(frame)
        self._container.mux(self._stream.encode(marked))

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()


class _FieldMarker:
    """Marks frames as interlaced; PyAV cannot set the flag, a filter that copies nothing can."""

    def __init__(self, stream: VideoStream, order: str | None) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(template=stream)
        setter = self._graph.add("setfield", "tff" if order in {"tt", "tb"} else "bff")
        sink = self._graph.add("buffersink")
        source.link_to(setter)
        setter.link_to(sink)
        self._graph.configure()

    def mark(self, frame: VideoFrame) -> VideoFrame:
        self._graph.push(frame)
        marked = self._graph.pull()
        assert isinstance(marked, VideoFrame)
        return marked
