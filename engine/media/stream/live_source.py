"""The interface of a source for a live run, and what it delivers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

from av.packet import Packet
from av.video.frame import VideoFrame

from engine.media.stream.audio_parameters import AudioParameters


@dataclass(frozen=True, slots=True)
class FrameEvent:
    """A frame with square pixels.

    Attributes:
        frame: the frame; the receiver may draw on it.
        pts: presentation time in units of the source's `time_base`.
        arrival_s: when it arrived, on the monotonic clock.
        damaged: the decoder could not restore the picture completely.
    """

    frame: VideoFrame
    pts: int
    arrival_s: float
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class AudioEvent:
    """An audio packet of the audio stream number `track`, with its times on the common clock."""

    track: int
    packet: Packet[Any]


@dataclass(frozen=True, slots=True)
class InterruptionEvent:
    """The source was interrupted; the next frames do not continue the ones before."""

    reason: str


@dataclass(frozen=True, slots=True)
class FormatChangeEvent:
    """The source's pictures have another size, pixel format or orientation from the next frame on."""


InputEvent = FrameEvent | AudioEvent | InterruptionEvent | FormatChangeEvent


class InputDigest(NamedTuple):
    """Number of bytes read, and their SHA-256 in the order of arrival."""

    bytes: int
    sha256: str


class LiveSource(Protocol):
    """The interface of a source for a live run; `IsolatedInput` and `PushedInput` implement it.

    Attributes:
        address: path, address or name.
        is_file: the source is a local file, which can wait.
        time_base: seconds a unit of presentation times lasts.
        rate: approximate frame rate.
        codec: codec of the video.
        container: container format or protocol.
        video_index: index of the video stream.
        pixel_format: pixel format of the video.
        undecodable_packets: number of packets that could not be decoded.
        reconnects: number of interruptions.
    """

    address: str
    is_file: bool
    time_base: Fraction
    rate: Fraction
    codec: str
    container: str
    video_index: int
    pixel_format: str
    undecodable_packets: int
    reconnects: int

    @property
    def streams(self) -> Sequence[tuple[int, str, str]]:
        """Return index, kind and codec of every stream."""

    @property
    def audio_streams(self) -> Sequence[AudioParameters]:
        """Return the audio streams whose packets can be copied, by track."""

    @property
    def input_digest(self) -> InputDigest:
        """Return the digest of what was read so far."""

    def events(self) -> Iterator[InputEvent]:
        """Yield frames and packets until the source ends or the run should stop."""
