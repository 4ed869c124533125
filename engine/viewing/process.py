"""The process that decodes for people who look at a source: stills, small pictures, looks, sound.

python -m engine.viewing.process LIFELINE

It has one source open, with the frames that were decoded last, and answers several calls at once.
"""

from __future__ import annotations

import resource
import sys
import threading
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import msgspec

from engine.audio.compare import StreamLocation
from engine.audio.excerpt import make_excerpt
from engine.audio.waveform import measure_waveform
from engine.core.progress import ProgressListener
from engine.errors import SourceError
from engine.isolation.messages import decode_value
from engine.isolation.serve import serve_calls
from engine.media.source.frame_cache import FrameCache
from engine.record import Record
from engine.rendering.portraits import cut_portrait, measure_samples
from engine.rendering.previews import PreviewReader
from engine.rendering.still import encode_jpeg, render_still
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

_THREADS = 8
"""Most calls at once; the server that calls has lower limits of its own."""
_MAX_BYTES = 12 << 30
"""Address space: several times what pictures of 8K need, so that a file cannot fill the memory."""

_PORTRAIT_SIDE_PX = 112
"""Side of a picture of a face; screens with two pixels for one show it at half the size."""
_THUMBNAIL_SIDE_PX = 192
"""Longer side of a small picture of a whole frame."""


class _Viewer:
    """The open source. One thread at a time converts a frame, while others decode."""

    def __init__(self) -> None:
        self._lock, self._convert_lock = threading.Lock(), threading.Lock()
        self._request: OpenRequest | None = None
        self._caches: dict[str, FrameCache] = {}
        self._previews: PreviewReader | None = None
        self._handlers: Mapping[str, tuple[type[Any], Callable[[Any], object]]] = {
            "open": (OpenRequest, self._open),
            "still": (StillRequest, self._make_still),
            "portrait": (PortraitRequest, self._make_portrait),
            "previews": (PreviewsRequest, self._read_previews),
            "looks": (LooksRequest, self._measure_looks),
            "waveform": (WaveformRequest, _measure_waveform),
            "excerpt": (ExcerptRequest, _make_excerpt),
        }

    def answer(self, name: str, body: msgspec.Raw, _listener: ProgressListener) -> object:
        """Answer a call."""
        request_type, handle = self._handlers[name]
        return handle(decode_value(body, request_type))

    def _open(self, request: OpenRequest) -> None:
        self._request = request
        self._get_cache("stills")

    def _make_still(self, request: StillRequest) -> bytes:
        frame = self._get_cache("stills").get_frame(request.index)
        # Threads may hold the same cached frame, and only one at a time may use it.
        with self._convert_lock:
            picture = render_still(frame, self._record.source.video, request.plan, request.options)
        return encode_jpeg(picture)

    def _make_portrait(self, request: PortraitRequest) -> bytes:
        frame = self._get_cache("portraits").get_frame(request.index)
        with self._convert_lock:
            picture = (
                frame.rgb(_THUMBNAIL_SIDE_PX)
                if request.box is None
                else cut_portrait(frame.rgb(), request.box, _PORTRAIT_SIDE_PX)
            )
        return encode_jpeg(picture)

    def _read_previews(self, request: PreviewsRequest) -> list[tuple[int, bytes]]:
        with self._lock:
            if self._previews is None:
                self._previews = PreviewReader(self._opened.path, self._record)
        return self._previews.read_previews(request.start, request.stop, request.step, request.lead)

    def _measure_looks(self, request: LooksRequest) -> tuple[Look, ...]:
        # A cache of its own: these frames are spread over the video, and the other two keep their places.
        with FrameCache(self._opened.path, self._record) as frames:
            return tuple(
                Look(
                    sample,
                    looks.head.tobytes(),
                    looks.shape.tobytes(),
                    None if looks.clothes is None else looks.clothes.tobytes(),
                )
                for sample, looks in measure_samples(frames, request.samples)
            )

    def _get_cache(self, purpose: str) -> FrameCache:
        """Return the frames for a purpose; each has its own decoders, so that one does not lose the place of another.

        Stills follow a reviewer from frame to frame, small pictures come from everywhere in the video.
        """
        with self._lock:
            if purpose not in self._caches:
                self._caches[purpose] = FrameCache(self._opened.path, self._record)
            return self._caches[purpose]

    @property
    def _opened(self) -> OpenRequest:
        if self._request is None:
            raise SourceError("No source is open.")
        return self._request

    @property
    def _record(self) -> Record:
        return self._opened.record


def _measure_waveform(request: WaveformRequest) -> tuple[float, ...]:
    return measure_waveform(request.source, request.count, request.duration_s)


def _make_excerpt(request: ExcerptRequest) -> bytes:
    stream = StreamLocation(request.source, request.index, Fraction(request.origin_s))
    return make_excerpt(stream, request.number, request.spans, *request.window_s)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_BYTES, _MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(serve_calls(int(sys.argv[1]), _Viewer().answer, threads=_THREADS))
