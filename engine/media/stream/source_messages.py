"""The messages between a live run and the process that reads its source."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from engine.isolation.messages import FailureAnswer
from engine.media.stream.audio_parameters import AudioPacket, AudioParameters
from engine.media.stream.frame_slots import SlotPicture


class ReadRequest(msgspec.Struct, frozen=True):
    """Open a source and read it.

    Attributes:
        address: path or address.
        reconnect_timeout_s: for how long an interrupted source is opened again and again.
        slots: memory for frames, by descriptor.
    """

    address: str
    reconnect_timeout_s: float
    slots: tuple[int, ...]


class SlotRequest(msgspec.Struct, frozen=True):
    """Read on, and put the next frame in the slot with this number."""

    slot: int


class SourceCounts(msgspec.Struct, frozen=True):
    """What was read so far; see `LiveSource`."""

    undecodable_packets: int
    reconnects: int
    bytes: int
    sha256: str


class OpenedReport(msgspec.Struct, frozen=True, tag="opened"):
    """The source is open; see `LiveSource`."""

    is_file: bool
    time_base: Fraction
    rate: Fraction
    codec: str
    container: str
    video_index: int
    pixel_format: str
    streams: tuple[tuple[int, str, str], ...]
    audio_streams: tuple[AudioParameters, ...]


class FrameReport(msgspec.Struct, frozen=True, tag="frame"):
    """A frame is in a slot.

    Attributes:
        format_changes: number of changes of the pictures' format so far.
    """

    slot: int
    picture: SlotPicture
    pts: int
    arrival_s: float
    damaged: bool
    format_changes: int
    counts: SourceCounts


class AudioReport(msgspec.Struct, frozen=True, tag="audio"):
    """An audio packet."""

    track: int
    packet: AudioPacket
    counts: SourceCounts


class InterruptionReport(msgspec.Struct, frozen=True, tag="interruption"):
    """The source was interrupted."""

    reason: str
    counts: SourceCounts


class EndReport(msgspec.Struct, frozen=True, tag="end"):
    """The source has ended."""

    counts: SourceCounts


SourceReport = OpenedReport | FrameReport | AudioReport | InterruptionReport | EndReport | FailureAnswer
