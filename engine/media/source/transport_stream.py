"""Tells whether a packet of a transport stream is whole although the counter of its stream jumps behind it.

FFmpeg calls a packet corrupt if the counter jumps before the next one begins. That is so where bytes were lost, and
also where two recordings were joined, whose packets are whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from av.packet import Packet
from av.video.stream import VideoStream

_SYNC_BYTE = 0x47
_PACKET_BYTES = 188
_LAYOUTS = ((0, 188), (0, 192), (4, 192), (0, 204))
"""Bytes in front of the first packet and from one to the next: plain packets, packets with a time stamp (M2TS), and
packets with error correction."""
_PES_HEAD_BYTES = 6
_OPTIONAL_FIELDS = ((0x10, 6), (0x08, 6), (0x04, 1))
"""Flag and size of the clock, the original clock and the splice countdown in an adaptation field (ISO/IEC 13818-1,
2.4.3.4)."""


def look_ahead(
    packets: Iterator[Packet[VideoStream]],
) -> Iterator[tuple[Packet[VideoStream], list[Packet[VideoStream]]]]:
    """Yield each packet with the two that follow it, or as many as there are."""
    window = list(islice(packets, 3))
    while window:
        packet = window.pop(0)
        yield packet, list(window)
        window.extend(islice(packets, 1))


def ends_recording(path: Path, packet: Packet[VideoStream], following: list[Packet[VideoStream]]) -> bool:
    """Return whether a packet is flagged corrupt only because another recording was joined to it.

    FFmpeg puts the flag on the packet before the jump or on the one before that. Both have to be whole, and the next
    one independent of what may be missing between them.

    Args:
        path: the file.
        packet: the packet with the flag.
        following: the packets that follow it; see `look_ahead`.
    """
    before = next((place for place, later in enumerate(following) if later.is_keyframe), None)
    return before is not None and all(is_pes_packet_whole(path, part.pos) for part in [packet, *following[:before]])


def is_pes_packet_whole(path: Path, position: int | None) -> bool:
    """Return whether a packet that begins at a position of the file is there to its last byte.

    It is if it has as many bytes as it states, or if its last part is filled up to the size of a transport packet,
    which is done at the end of a packet alone.
    """
    if position is None:
        return False
    with path.open("rb") as file:
        file.seek(position)
        parts = _read_parts(file)
    if not parts:
        return False
    payload = b"".join(_read_payload(part) for part in parts)
    stated = int.from_bytes(payload[4:_PES_HEAD_BYTES], "big")
    return len(payload) >= _PES_HEAD_BYTES + stated if stated else _is_filled_up(parts[-1])


def _read_parts(file: BinaryIO) -> list[bytes]:
    """Return the transport packets of the PES packet that begins here, up to where their counter jumps."""
    parts: list[bytes] = []
    for part in _iterate_transport_packets(file):
        if not parts:
            if not _is_start(part):
                return []
        elif _read_identifier(part) != _read_identifier(parts[0]) or not part[3] & 0x10:
            # Another stream, or no payload: then the counter stays.
            continue
        elif _is_start(part) or part[3] & 0x0F != (parts[-1][3] + 1) & 0x0F:
            break
        parts.append(part)
    return parts


def _iterate_transport_packets(file: BinaryIO) -> Iterator[bytes]:
    begin = file.tell()
    head = file.read(3 * 204)
    layout = next((pair for pair in _LAYOUTS if _fits_layout(head, *pair)), None)
    if layout is None:
        return
    lead, stride = layout
    file.seek(begin + lead)
    while len(block := file.read(stride)) >= _PACKET_BYTES and block[0] == _SYNC_BYTE:
        yield block[:_PACKET_BYTES]


def _fits_layout(head: bytes, lead: int, stride: int) -> bool:
    return all(head[place : place + 1] == bytes([_SYNC_BYTE]) for place in (lead, lead + stride))


def _is_start(part: bytes) -> bool:
    return bool(part[1] & 0x40)


def _read_identifier(part: bytes) -> int:
    return int.from_bytes(part[1:3], "big") & 0x1FFF


def _read_payload(part: bytes) -> bytes:
    has_adaptation_field = part[3] & 0x20
    return part[5 + part[4] :] if has_adaptation_field else part[4:]


def _is_filled_up(part: bytes) -> bool:
    """Return whether the adaptation field of a transport packet is longer than its content."""
    if not part[3] & 0x20:
        return False
    length, flags = part[4], part[5]
    if length == 0:
        return True
    if flags & 0x03:
        # Private data or an extension, whose length is not worth reading: encoders put them at the start of a packet.
        return False
    needed = 1 + sum(size for flag, size in _OPTIONAL_FIELDS if flags & flag)
    return length > needed or flags == 0
