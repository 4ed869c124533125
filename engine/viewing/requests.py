"""What a viewing process is asked for."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.audio.spans import AudioSpan
from engine.core.geometry import Box
from engine.record import Frame, Record
from engine.rendering.still import StillOptions
from engine.review.people import FaceSample
from engine.review.plan import FramePlan


class OpenRequest(msgspec.Struct, frozen=True):
    """Open a source. All later requests for its frames are about this one.

    Attributes:
        path: the file.
        record: its detection record without faces, which may take hundreds of megabytes.
    """

    path: Path
    record: Record

    @classmethod
    def of(cls, path: Path, record: Record) -> OpenRequest:
        """Return the request for the source of a record."""
        frames = tuple(Frame(frame.index, frame.pts, ()) for frame in record.frames)
        return cls(path, msgspec.structs.replace(record, frames=frames))


class StillRequest(msgspec.Struct, frozen=True):
    """A frame, as it will be in the output or unmasked, as a JPEG."""

    index: int
    plan: FramePlan
    options: StillOptions


class PortraitRequest(msgspec.Struct, frozen=True):
    """A small picture of a place in a frame as a JPEG; without a box, of the whole frame."""

    index: int
    box: Box | None


class PreviewsRequest(msgspec.Struct, frozen=True):
    """Small pictures of frames in a row; see `engine.rendering.previews`."""

    start: int
    stop: int
    step: int
    lead: int


class LooksRequest(msgspec.Struct, frozen=True):
    """The looks of faces."""

    samples: tuple[FaceSample, ...]


class Look(msgspec.Struct, frozen=True):
    """The looks of one face, each array as its bytes of 32-bit floats."""

    sample: FaceSample
    head: bytes
    shape: bytes
    clothes: bytes | None


class WaveformRequest(msgspec.Struct, frozen=True):
    """The peaks of the first audio stream; see `engine.audio.waveform`."""

    source: Path
    count: int
    duration_s: float


class ExcerptRequest(msgspec.Struct, frozen=True):
    """An excerpt of an audio stream; see `engine.audio.excerpt`. `origin_s` is that of `StreamLocation`, as text."""

    source: Path
    index: int
    origin_s: str
    number: int
    spans: tuple[AudioSpan, ...]
    window_s: tuple[float, float]
