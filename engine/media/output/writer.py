"""Writes rendered pictures to an intermediate MOV file with one video stream, encoding in a thread of its own.

The file is MOV because Matroska would round time stamps to milliseconds.
"""

from __future__ import annotations

import queue
import threading
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.core.picture import Picture, PixelFormat, Plane
from engine.errors import RenderError, TargetError, VeilError
from engine.media.output.encoder import (
    EMPTY_SIGNAL,
    EncoderSettings,
    Encoding,
    Signal,
    choose_encoder_rate,
    plan_encoding,
)
from engine.media.output.encoder_format import EncoderFormat, choose_encoder_format
from engine.media.output.mov import configure_encoder, error_from_ffmpeg, open_mov
from engine.media.output.passthrough import CopiedGroups, PassthroughSink
from engine.media.output.ticks import TickConverter
from engine.record import VideoFacts

_MAX_QUEUED_FRAMES = 4
"""Frames that wait for the encoder; more would only cost memory."""

_Y4M_CHROMA = {(1, 1): "420", (1, 0): "422", (0, 0): "444", (2, 0): "411"}


class VideoWriter:
    """Encodes pictures into a MOV file with one video stream whose first frame is at zero.

    Pictures are copied and encoded in a thread of the writer's own, so the caller can work on the next one meanwhile
    and may change the planes at once. Use it as a context manager: leaving the block finishes the file, an exception
    removes it.

    Attributes:
        encoding: the encoder and its options.
    """

    def __init__(  # noqa: PLR0913
        self,
        path: Path,
        video: VideoFacts,
        pixels: PixelFormat,
        settings: EncoderSettings,
        signal: Signal = EMPTY_SIGNAL,
        *,
        copies: CopiedGroups | None = None,
    ) -> None:
        """Open the file; frames of the groups of `copies` that are copied must not be written.

        Raises:
            TargetError: the file cannot be created.
            RenderError: no encoder takes such samples, or the encoder refuses to start.
        """
        self.encoding = plan_encoding(video, pixels, settings, signal)
        self._path = path
        self._pool = _FramePool(choose_encoder_format(pixels, video.coded))
        self._lent: tuple[Picture, VideoFrame] | None = None
        self._tick_converter = TickConverter(Fraction(video.time_base), Fraction(self.encoding.tick), path)
        self._duration_ticks = max(1, round(1 / (choose_encoder_rate(video) * self._tick_converter.tick)))
        self._sink = self._open_sink(video, copies)
        self._frames: queue.Queue[VideoFrame | None] = queue.Queue(_MAX_QUEUED_FRAMES)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._encode_queued, name="veil-encode", daemon=True)
        self._thread.start()

    def _open_sink(self, video: VideoFacts, copies: CopiedGroups | None) -> _EncoderSink | PassthroughSink:
        if copies is None:
            return _EncoderSink(self._path, self.encoding, video)
        self.encoding = copies.number_headers(self.encoding)
        converter = TickConverter(Fraction(video.time_base), self._tick_converter.tick, self._path)
        ticks = {pts: converter.to_ticks(pts) for pts in copies.all_pts}
        self._tick_converter.first_pts = converter.first_pts
        try:
            return PassthroughSink(self._path, self.encoding, video, copies, ticks=ticks, duration=self._duration_ticks)
        except av.error.FFmpegError as error:
            raise error_from_ffmpeg(error, self._path) from error

    def copy_picture(self, picture: Picture) -> Picture:
        """Return a copy to draw on, valid until the next call of `write`, which takes it without copying it again."""
        frame = self._pool.take_frame(picture)
        copy = self._pool.encoder_format.view_picture(frame, picture.format)
        if copy is None:
            self._pool.give_back(frame)
            return Picture(picture.format, tuple(plane.copy() for plane in picture.planes))
        self._lent = copy, frame
        return copy

    def write(self, picture: Picture, pts: int) -> None:
        """Queue the next frame for encoding; `pts` counts in the source's time base and must rise.

        Raises:
            TargetError: an earlier frame could not be stored.
            RenderError: an earlier frame could not be encoded, or the time stamp does not rise.
        """
        self._raise_failure()
        lent, self._lent = self._lent, None
        frame = lent[1] if lent is not None and lent[0] is picture else self._pool.take_frame(picture)
        frame.pts = self._tick_converter.to_ticks(pts)
        frame.time_base, frame.duration = self._tick_converter.tick, self._duration_ticks
        self._frames.put(frame)

    def close(self) -> None:
        """Encode the frames that wait, and finish the file.

        Raises:
            TargetError: the file could not be stored.
            RenderError: a frame could not be encoded, or there was none.
        """
        self._stop_thread()
        self._raise_failure()
        if self._tick_converter.first_pts is None:
            raise RenderError(f"{self._path} would have no frame; render at least one.")
        try:
            self._sink.finish()
        except av.error.FFmpegError as error:
            raise error_from_ffmpeg(error, self._path) from error

    def discard(self) -> None:
        """Stop encoding and remove the unfinished file."""
        self._stop_thread()
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
            # A file that could not be finished must not look like a result.
            self.discard()
            raise

    def _stop_thread(self) -> None:
        if self._thread.is_alive():
            self._frames.put(None)
            self._thread.join()

    def _encode_queued(self) -> None:
        """Encode queued frames until a None arrives."""
        while (frame := self._frames.get()) is not None:
            # After a failure the queue must still be emptied, or `write` would wait for room for ever.
            if self._failure is not None:
                continue
            try:
                self._sink.encode(frame)
                self._pool.give_back(frame)
            except Exception as error:  # noqa: BLE001  `_raise_failure` raises it in the caller's thread
                self._failure = error

    def _raise_failure(self) -> None:
        match self._failure:
            case None:
                return
            case av.error.FFmpegError() as failure:
                raise error_from_ffmpeg(failure, self._path) from failure
            case failure:
                raise failure


class _FramePool:
    """Frames for an encoder that are used again and again.

    Fresh memory for each frame would cost more time than the copy of the samples, since the operating system clears
    every page it hands out.
    """

    def __init__(self, encoder_format: EncoderFormat) -> None:
        self.encoder_format = encoder_format
        self._free: queue.SimpleQueue[VideoFrame] = queue.SimpleQueue()

    def take_frame(self, picture: Picture) -> VideoFrame:
        """Return a frame with a copy of the picture's samples."""
        try:
            frame = self._free.get_nowait()
        except queue.Empty:
            frame = self.encoder_format.allocate_frame()
        # Encoders copy what they keep. Should one keep the frame itself, this gives it new memory.
        frame.make_writable()
        self.encoder_format.fill_frame(frame, picture)
        return frame

    def give_back(self, frame: VideoFrame) -> None:
        """Take back a frame that is no longer needed."""
        self._free.put(frame)


class _EncoderSink:
    """The open file and its encoder."""

    def __init__(self, path: Path, encoding: Encoding, video: VideoFacts) -> None:
        try:
            self._container = open_mov(path, encoding)
            self._stream = self._add_stream(encoding, video)
        except av.error.FFmpegError as error:
            raise error_from_ffmpeg(error, path) from error
        self._field_marker = _FieldMarker(self._stream, encoding.fields) if encoding.fields else None

    def _add_stream(self, encoding: Encoding, video: VideoFacts) -> VideoStream:
        stream = self._container.add_stream(encoding.encoder, rate=choose_encoder_rate(video), options=encoding.options)
        assert isinstance(stream, VideoStream)
        configure_encoder(stream.codec_context, encoding, video)
        stream.time_base = Fraction(encoding.tick)
        self._container.start_encoding()
        return stream

    def encode(self, frame: VideoFrame) -> None:
        marked = frame if self._field_marker is None else self._field_marker.mark(frame)
        self._container.mux(self._stream.encode(marked))

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()


class _FieldMarker:
    """Marks frames as interlaced with a filter, because PyAV cannot set the flag; no sample is copied."""

    def __init__(self, stream: VideoStream, fields: str) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(template=stream)
        setter = self._graph.add("setfield", fields)
        sink = self._graph.add("buffersink")
        source.link_to(setter)
        setter.link_to(sink)
        self._graph.configure()

    def mark(self, frame: VideoFrame) -> VideoFrame:
        self._graph.push(frame)
        marked = self._graph.pull()
        assert isinstance(marked, VideoFrame)
        return marked


class Y4mWriter:
    """Writes pictures to a YUV4MPEG2 file just as the encoder receives them, as evidence of what was encoded.

    Samples above 8 bits take two bytes, the low one first. Frames follow each other without time stamps.
    """

    def __init__(self, path: Path, video: VideoFacts, pixels: PixelFormat) -> None:
        """Open the file and write its header.

        Raises:
            TargetError: the file cannot be created, or YUV4MPEG2 has no name for such samples.
        """
        self._path, self._pixels, self._size = path, pixels, video.coded
        header = _build_y4m_header(path, video, pixels)
        try:
            self._file = path.open("wb")
            self._file.write(header)
        except OSError as error:
            raise TargetError(f"{path} cannot be created: {error.strerror}. Choose another place.") from error

    def write(self, picture: Picture) -> None:
        """Append a frame.

        Raises:
            TargetError: the file cannot be written.
        """
        try:
            self._file.write(b"FRAME\n")
            for index, samples in enumerate(picture.planes):
                self._file.write(np.ascontiguousarray(self._crop_padding(index, samples), self._stored_dtype).data)
        except OSError as error:
            raise TargetError(f"{self._path} cannot be written: {error.strerror}. Make room.") from error

    def close(self) -> None:
        """Finish the file.

        Raises:
            TargetError: the file cannot be written.
        """
        try:
            self._file.close()
        except OSError as error:
            raise TargetError(f"{self._path} cannot be written: {error.strerror}. Make room.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        finally:
            if error is not None:
                self._path.unlink(missing_ok=True)

    @property
    def _stored_dtype(self) -> str:
        return "u1" if self._pixels.bit_depth == 8 else "<u2"

    def _crop_padding(self, index: int, samples: Plane) -> Plane:
        """Return a plane without the columns and rows that only pad it."""
        across, down = self._pixels.plane_shift(index)
        return samples[: -(-self._size.height >> down), : -(-self._size.width >> across)]


def _build_y4m_header(path: Path, video: VideoFacts, pixels: PixelFormat) -> bytes:
    chroma = "mono" if pixels.planes == "y" else _Y4M_CHROMA.get(pixels.chroma_shift)
    if chroma is None or pixels.planes == "gbr":
        raise TargetError(
            f"{path} cannot hold {pixels.name} pictures, because YUV4MPEG2 has no name for them; leave it out."
        )
    depth = "" if pixels.bit_depth == 8 else f"{'' if chroma == 'mono' else 'p'}{pixels.bit_depth}"
    # YUV4MPEG2 names 8-bit 4:2:0 by the position of its chroma samples, and other depths by the depth alone.
    siting = "jpeg" if chroma == "420" and not depth else ""
    rate, aspect = choose_encoder_rate(video), Fraction(video.sample_aspect_ratio)
    fields = [
        f"W{video.coded.width} H{video.coded.height} F{rate.numerator}:{rate.denominator} Ip",
        f"A{aspect.numerator}:{aspect.denominator} C{chroma}{siting}{depth}",
        f"XCOLORRANGE={'FULL' if pixels.full_range else 'LIMITED'}",
    ]
    return f"YUV4MPEG2 {' '.join(fields)}\n".encode()
