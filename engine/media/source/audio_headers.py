"""Reads sample rate and channels from the headers that audio packets of some codecs begin with."""

from __future__ import annotations

from typing import Any

from av.packet import Packet

_HEADER_BYTES = 7


def read_audio_header(packet: Packet[Any]) -> bytes | None:
    """Return the bits of a packet's own header that state sample rate and channels; None if it has no such header."""
    head = bytes(memoryview(packet)[:_HEADER_BYTES])
    if len(head) < _HEADER_BYTES:
        return None
    context = packet.stream.codec_context
    match context.codec.canonical_name if context else None:
        case "aac" if head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
            # ADTS (ISO/IEC 13818-7, 6.2): profile, sampling frequency and channels.
            return bytes((head[2] & 0xFD, head[3] & 0xC0))
        case "mp1" | "mp2" | "mp3" if head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
            # ISO/IEC 11172-3, 2.4.1.3: version and layer, sampling frequency, and whether there is one channel.
            return bytes((head[1] & 0xFE, head[2] & 0x0C, head[3] & 0xC0 == 0xC0))
        case "ac3" if head[:2] == b"\x0b\x77":
            # ATSC A/52, 5.3: sampling frequency and arrangement of the channels.
            return bytes((head[4] & 0xC0, head[6] & 0xE0))
        case _:
            return None
