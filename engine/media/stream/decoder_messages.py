"""The messages between a server and the process that decodes packets for it."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.media.stream.frame_slots import SlotPicture

VideoCodec = Literal["vp8", "h264"]


class DecodeRequest(msgspec.Struct, frozen=True):
    """Decode the next packet.

    Attributes:
        codec: codec of the video.
        slots: memory for frames, by descriptor; the same in each request.
        data: the packet.
    """

    codec: VideoCodec
    slots: tuple[int, ...]
    data: bytes


class DecodeResult(msgspec.Struct, frozen=True):
    """The frames that a packet has completed, in the first slots.

    Attributes:
        is_decodable: False if the packet could not be decoded.
    """

    pictures: tuple[SlotPicture, ...]
    is_decodable: bool = True
