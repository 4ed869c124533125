"""Parameters of an audio stream in a form that can leave its process, for an output that copies its packets."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import av
import msgspec
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import OutputContainer
from av.packet import Packet, PacketSideData, packet_sidedata_type_from_literal

_SIDE_DATA_TYPES = ("skip_samples",)
"""Side data that muxers write: the samples that a decoder has to leave out at the start and end."""


class AudioParameters(msgspec.Struct, frozen=True):
    """What a muxer has to know of an audio stream.

    Attributes:
        index: index of the stream in the source.
        codec: name of the codec.
        sample_rate: samples a second.
        layout: channel layout by FFmpeg's name.
        sample_format: by FFmpeg's name; None: unknown.
        profile: profile of the codec by FFmpeg's name; None: unknown.
        bit_rate: bits a second; 0: unknown.
        extradata: header of the codec; None: it is in the packets.
        time_base: seconds a unit of the packets' times lasts.
    """

    index: int
    codec: str
    sample_rate: int
    layout: str
    sample_format: str | None
    profile: str | None
    bit_rate: int
    extradata: bytes | None
    time_base: Fraction


class AudioPacket(msgspec.Struct, frozen=True):
    """An audio packet as it is, with its times in units of `time_base`."""

    data: bytes
    pts: int | None
    dts: int | None
    duration: int | None
    time_base: Fraction
    is_keyframe: bool
    side_data: tuple[tuple[str, bytes], ...]


def can_copy_audio(stream: AudioStream) -> bool:
    """Return whether the packets of a stream can be copied into an output of another process.

    PyAV makes a stream for packets only after that of an encoder, and a few codecs, such as DTS, have none here.
    """
    # The stub says that every stream has a decoder.
    context: CodecContext | None = stream.codec_context
    if context is None:
        return False
    try:
        av.Codec(context.codec.canonical_name, "w")
    except ValueError:
        return False
    return True


def read_audio_parameters(stream: AudioStream) -> AudioParameters:
    """Read the parameters of a stream for which `can_copy_audio` is true."""
    context = stream.codec_context
    # The stub says that there is always a format; a stream of which nothing was decoded has none.
    sample_format = cast("Any", context.format)
    return AudioParameters(
        index=stream.index,
        codec=context.codec.canonical_name,
        sample_rate=context.sample_rate,
        layout=context.layout.name,
        sample_format=sample_format.name if sample_format else None,
        profile=context.profile,
        bit_rate=context.bit_rate or 0,
        extradata=context.extradata,
        time_base=stream.time_base or Fraction(1, context.sample_rate),
    )


def add_audio_stream(container: OutputContainer, parameters: AudioParameters) -> AudioStream:
    """Add a stream for packets to an output whose header is not written.

    Raises:
        ValueError: the output cannot hold the codec.
        FFmpegError: the output refuses the parameters.
    """
    # PyAV opens an encoder for every stream that was not made after another one. This one, of an output that is
    # never written, is never opened.
    with av.open("unwritten", "w", format="null") as unwritten:
        template = unwritten.add_stream(cast("Any", parameters.codec), rate=parameters.sample_rate)
        stream = cast("AudioStream", container.add_stream_from_template(template))
    context = stream.codec_context
    context.sample_rate = parameters.sample_rate
    context.layout = parameters.layout
    if parameters.sample_format is not None:
        context.format = cast("Any", parameters.sample_format)
    if parameters.profile is not None:
        context.profile = parameters.profile
    context.bit_rate = parameters.bit_rate
    context.extradata = parameters.extradata
    stream.time_base = parameters.time_base
    return stream


def pack_audio(packet: Packet[Any]) -> AudioPacket:
    """Return a packet in a form that can leave its process."""
    side_data = tuple(
        (one.data_type, bytes(one)) for one in packet.iter_sidedata() if one.data_type in _SIDE_DATA_TYPES
    )
    return AudioPacket(
        bytes(packet), packet.pts, packet.dts, packet.duration, packet.time_base, packet.is_keyframe, side_data
    )


def unpack_audio(packed: AudioPacket) -> Packet[Any]:
    """Return the packet, without a stream."""
    packet = Packet(packed.data)
    packet.time_base = packed.time_base
    packet.pts, packet.dts, packet.duration = packed.pts, packed.dts, packed.duration
    packet.is_keyframe = packed.is_keyframe
    for kind, data in packed.side_data:
        side_data = cast("Any", PacketSideData)(packet_sidedata_type_from_literal(cast("Any", kind)), len(data))
        side_data.update(data)
        packet.set_sidedata(side_data)
    return packet
