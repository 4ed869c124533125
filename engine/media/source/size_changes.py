"""Finds a change of the picture size in the headers of packets, without decoding the video."""

from __future__ import annotations

import re
from typing import Any

from av.codec.context import CodecContext
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from engine.core.geometry import Size

_VP8_HEADER = slice(3, 10)
"""RFC 6386, 9.1: start code, width and height of a keyframe."""
_VP9_HEADER = slice(0, 10)
_SEQUENCE_HEADERS = {
    "h264": re.compile(rb"\x00\x00\x01[\x07\x27\x47\x67](.{1,64})", re.DOTALL),
    "hevc": re.compile(rb"\x00\x00\x01\x42\x01(.{1,64})", re.DOTALL),
    "mpeg2video": re.compile(rb"\x00\x00\x01\xb3(.{8})", re.DOTALL),
    "mpeg1video": re.compile(rb"\x00\x00\x01\xb3(.{8})", re.DOTALL),
}
"""How the header that states the size begins in a stream that repeats it (Annex B)."""


class SizeWatch:
    """Watches the keyframes of a video for a picture size that differs from the first one's.

    Only a header that was not met before is decoded, with its keyframe, on a decoder of its own.

    Attributes:
        change: time stamp of the first keyframe of another size, and that size; None as long as there is none.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._codec = stream.codec_context.codec.canonical_name
        self._known_headers: set[bytes] = set()
        self._first: Size | None = None
        self.change: tuple[int | None, Size] | None = None

    @property
    def first(self) -> Size | None:
        """Return the size of the first keyframe; None if the codec's headers are not read."""
        return self._first

    def add_packet(self, packet: Packet[Any]) -> None:
        """Look at the next packet of the video."""
        if self.change is not None or not packet.is_keyframe:
            return
        header = self._read_header(packet)
        if header is None or header in self._known_headers:
            return
        self._known_headers.add(header)
        size = self._decode_size(packet)
        if size is None:
            return
        if self._first is None:
            self._first = size
        elif size != self._first:
            self.change = packet.pts, size

    def _read_header(self, packet: Packet[Any]) -> bytes | None:
        if self._codec in {"vp8", "vp9"}:
            return bytes(packet)[_VP8_HEADER if self._codec == "vp8" else _VP9_HEADER]
        pattern = _SEQUENCE_HEADERS.get(self._codec)
        found = pattern.search(bytes(packet)) if pattern else None
        return found[1] if found else None

    def _decode_size(self, packet: Packet[Any]) -> Size | None:
        decoder = CodecContext.create(self._stream.codec_context.name, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.thread_count = 1
        if self._stream.codec_context.extradata:
            decoder.extradata = self._stream.codec_context.extradata
        try:
            # A copy, because decoding may change the packet's side data.
            copied = Packet(bytes(packet))
            frames = [*decoder.decode(copied), *decoder.decode(None)]
        except FFmpegError:
            # Damage is reported with its frame number when the video is decoded.
            return None
        return Size(frames[0].width, frames[0].height) if frames else None
