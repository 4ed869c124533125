"""Finds a change of the picture's size, format or aspect ratio in the headers of packets, without decoding them all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.codec.context import CodecContext
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from engine.core.geometry import Size
from engine.core.step_limit import NATIVE_STEP

_FIXED_HEADERS = {
    "vp8": slice(3, 10),  # RFC 6386, 9.1: start code, width and height of a keyframe
    "vp9": slice(0, 10),
    "prores": slice(16, 20),  # SMPTE RDD 36, 5.1: width and height
}
_SEARCHED_HEADERS = {
    "mpeg1video": re.compile(rb"\x00\x00\x01\xb3(.{8})", re.DOTALL),
    "mpeg2video": re.compile(rb"\x00\x00\x01\xb3(.{8})", re.DOTALL),
    "mjpeg": re.compile(rb"\xff[\xc0-\xc2]..\x08(.{4})", re.DOTALL),
}
"""How the header that states the size begins in a stream that repeats it."""

_START_CODE = re.compile(rb"\x00\x00\x01")
_MAX_PARAMETER_BYTES = 64
_MAX_HEAD_BYTES = 1 << 16
"""Headers come first in a packet; the pictures of some codecs take megabytes, each of them a keyframe."""
_OBU_SEQUENCE_HEADER = 1
_MP4_HEADER_VERSION = 1
"""First byte of the header by which MP4 and Matroska store H.264 and HEVC (ISO/IEC 14496-15)."""


@dataclass(frozen=True, slots=True)
class PictureShape:
    """Width and height, FFmpeg's name of the pixel format, and the aspect ratio that the codec's own header states."""

    size: Size
    pixel_format: str
    sample_aspect_ratio: Fraction


class SizeWatch:
    """Watches the keyframes of a video for a picture of another shape than the first one's.

    Only a header that was not met before is decoded, with its keyframe, on a decoder of its own.

    Attributes:
        change: time stamp of the first keyframe of another shape, and that shape; None as long as there is none.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._read_header = _choose_header_reader(stream)
        self._known_headers: set[bytes] = set()
        self._first: PictureShape | None = None
        self.change: tuple[int | None, PictureShape] | None = None

    def add_packet(self, packet: Packet[Any]) -> None:
        """Look at the next packet of the video."""
        if self.change is not None or not packet.is_keyframe:
            return
        # A file with several sample descriptions hands out the header of the next one beside the packet.
        replaced = _read_new_header(packet)
        # The first keyframe is decoded whatever it carries: a later one is compared with it.
        head: Any = packet  # Python 3.11 has no type for objects with a buffer
        header = replaced or self._read_header(bytes(memoryview(head)[:_MAX_HEAD_BYTES])) or b""
        if header in self._known_headers or (not header and self._first is not None):
            return
        self._known_headers.add(header)
        shape = self._decode_shape(packet, replaced)
        if shape is None:
            return
        if self._first is None:
            self._first = shape
        elif shape != self._first:
            self.change = packet.pts, shape

    def _decode_shape(self, packet: Packet[Any], replaced: bytes) -> PictureShape | None:
        decoder = CodecContext.create(self._stream.codec_context.name, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.thread_count = 1
        if extradata := replaced or self._stream.codec_context.extradata:
            decoder.extradata = extradata
        try:
            # A copy, because decoding may change the packet's side data.
            copied = Packet(bytes(packet))
            with NATIVE_STEP:
                frames = [*decoder.decode(copied), *decoder.decode(None)]
        except FFmpegError:
            # Damage is reported with its frame number when the video is decoded.
            return None
        if not frames:
            return None
        # FFmpeg's 0 means that the header states no ratio: then samples are square.
        ratio = Fraction(decoder.sample_aspect_ratio or 1)
        size = Size(frames[0].width, frames[0].height)
        return PictureShape(size, frames[0].format.name, ratio if ratio > 0 else Fraction(1))


def _read_new_header(packet: Packet[Any]) -> bytes:
    return bytes(packet.get_sidedata("new_extradata")) if packet.has_sidedata("new_extradata") else b""


def _choose_header_reader(stream: VideoStream) -> Callable[[bytes], bytes | None]:
    """Return the function that finds, in a packet, the header that states the size; it returns None for none."""
    codec = stream.codec_context.codec.canonical_name
    if codec in _FIXED_HEADERS:
        return lambda data: data[_FIXED_HEADERS[codec]]
    if codec in _SEARCHED_HEADERS:
        return lambda data: found[1] if (found := _SEARCHED_HEADERS[codec].search(data)) else None
    if codec in {"h264", "hevc"}:
        length_bytes = _read_length_bytes(codec, stream.codec_context.extradata or b"")
        return lambda data: _find_parameter_set(codec, _iterate_units(data, length_bytes))
    return _find_sequence_header if codec == "av1" else lambda _: None


def _read_length_bytes(codec: str, extradata: bytes) -> int:
    """Return how many bytes state the length of a unit of H.264 or HEVC; 0 if start codes separate the units."""
    place = 4 if codec == "h264" else 21
    stores_lengths = len(extradata) > place and extradata[0] == _MP4_HEADER_VERSION
    return (extradata[place] & 3) + 1 if stores_lengths else 0


def _iterate_units(data: bytes, length_bytes: int) -> Iterator[bytes]:
    """Yield the beginnings of the units of a packet of H.264 or HEVC."""
    if not length_bytes:
        yield from (data[found.end() : found.end() + _MAX_PARAMETER_BYTES] for found in _START_CODE.finditer(data))
        return
    position = 0
    while position + length_bytes < len(data):
        length = int.from_bytes(data[position : position + length_bytes], "big")
        position += length_bytes
        yield data[position : position + min(length, _MAX_PARAMETER_BYTES)]
        position += length


def _find_parameter_set(codec: str, units: Iterator[bytes]) -> bytes | None:
    """Return the first sequence parameter set (H.264: type 7; HEVC: type 33)."""
    if codec == "h264":
        return next((unit for unit in units if unit and unit[0] & 0x1F == 7), None)
    return next((unit for unit in units if unit and unit[0] >> 1 & 0x3F == 33), None)


def _find_sequence_header(data: bytes) -> bytes | None:
    """Return the sequence header of a packet of AV1 (AV1 bitstream specification, 5.3)."""
    position = 0
    while position < len(data):
        head = data[position]
        position += 1 + (head >> 2 & 1)
        size = len(data) - position
        if head & 2:
            size, position = _read_leb128(data, position)
        if head >> 3 & 0xF == _OBU_SEQUENCE_HEADER:
            return data[position : position + size]
        position += size
    return None


def _read_leb128(data: bytes, position: int) -> tuple[int, int]:
    """Return a number of variable length and the position behind it."""
    value = shift = 0
    while position < len(data):
        value |= (data[position] & 0x7F) << shift
        shift += 7
        position += 1
        if not data[position - 1] & 0x80:
            break
    return value, position
