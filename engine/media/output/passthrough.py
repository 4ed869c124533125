"""Writes a video in which some groups of pictures are the source's own packets and all other frames are encoded."""

from __future__ import annotations

from contextlib import ExitStack, closing
from fractions import Fraction
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

import msgspec
from av.codec.context import CodecContext, Flags
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.errors import RenderError
from engine.media.h264_units import choose_free_id, join_units, keep_pictures, select_parameter_sets, split_annex_b
from engine.media.output.encoder import Encoding, choose_encoder_rate
from engine.media.output.joined_packets import JoinedPackets
from engine.media.output.mov import configure_encoder, open_mov
from engine.media.source.picture_groups import PictureGroups
from engine.record import VideoFacts

_MAX_ENCODER_DELAY = 2
"""Frames by which libx264 lets presentation follow decoding: with a pyramid of B-frames, two."""


class CopiedGroups(NamedTuple):
    """The groups of a source, and for each whether it is copied."""

    groups: PictureGroups
    copied: tuple[bool, ...]

    @property
    def copied_pts(self) -> frozenset[int]:
        """The presentation times of the frames that are copied."""
        pairs = zip(self.groups.groups, self.copied, strict=True)
        return frozenset(pts for group, copied in pairs if copied for pts in group)

    @property
    def all_pts(self) -> list[int]:
        """The presentation times of all frames, rising."""
        return sorted(pts for group in self.groups.groups for pts in group)

    @property
    def stretches(self) -> list[tuple[bool, frozenset[int]]]:
        """The groups joined to stretches that are copied or encoded as a whole, with the times of their frames."""
        pairs = zip(self.copied, self.groups.groups, strict=True)
        return [
            (copied, frozenset(pts for _, group in part for pts in group))
            for copied, part in groupby(pairs, key=lambda pair: pair[0])
        ]

    def number_headers(self, encoding: Encoding) -> Encoding:
        """Let the encoder number its headers otherwise than the source, so that both can stand in one file."""
        number = choose_free_id(self.groups.header.sets)
        if number is None:
            raise RenderError(f"All numbers of headers are taken in {self.groups.path}; render without --passthrough.")
        parameters = f"{encoding.options['x264-params']}:sps-id={number}"
        return msgspec.structs.replace(encoding, options=encoding.options | {"x264-params": parameters})


class PassthroughSink:
    """The open file, the packets of the source, and the encoder of the stretch at hand.

    Each stretch that is encoded has an encoder of its own, so it begins with a picture that stands alone.

    Args:
        path: the file to write.
        encoding: the encoder and its options, with `CopiedGroups.number_headers`.
        video: facts of the source's video stream.
        copies: the groups, and which of them are copied.
        ticks: for the presentation time of each frame its time in the file.
        duration: usual duration of a frame in ticks.
    """

    def __init__(  # noqa: PLR0913
        self,
        path: Path,
        encoding: Encoding,
        video: VideoFacts,
        copies: CopiedGroups,
        *,
        ticks: dict[int, int],
        duration: int,
    ) -> None:
        self._path, self._encoding, self._video, self._ticks = path, encoding, video, ticks
        self._resources = ExitStack()
        self._packets = self._resources.enter_context(closing(copies.groups.iterate_packets()))
        self._stretches = iter(copies.stretches)
        self._container = open_mov(path, encoding)
        delay = max(copies.groups.delay, _MAX_ENCODER_DELAY)
        self._joined = JoinedPackets(
            self._container, self._add_stream(copies), sorted(ticks.values()), delay=delay, duration=duration
        )
        self._encoder: VideoCodecContext | None = None
        self._stretch_ticks: frozenset[int] = frozenset()
        self._stretch: tuple[bool, frozenset[int]] | None = None
        self._begin_stretch()

    def encode(self, frame: VideoFrame) -> None:
        """Encode the next frame that is not copied."""
        while frame.pts not in self._stretch_ticks or self._encoder is None:
            if self._stretch is None:
                raise RenderError(f"{self._path} was given a frame that is copied.")
            self._end_stretch()
        self._write_encoded(self._encoder.encode(frame))

    def finish(self) -> None:
        """Write what is left, and close the file."""
        while self._stretch is not None:
            self._end_stretch()
        self._container.close()
        self._resources.close()

    def _add_stream(self, copies: CopiedGroups) -> VideoStream:
        rate = choose_encoder_rate(self._video)
        stream = self._container.add_stream(self._encoding.encoder, rate=rate, options=self._encoding.options)
        assert isinstance(stream, VideoStream)
        configure_encoder(stream.codec_context, self._encoding, self._video)
        stream.time_base = Fraction(self._encoding.tick)
        # The encoder of the stream itself encodes nothing: it says what the headers of all encoders will be.
        stream.codec_context.open()
        encoded = select_parameter_sets(split_annex_b(stream.codec_context.extradata or b""))
        stream.codec_context.extradata = copies.groups.header.sets.join(encoded)
        self._container.start_encoding()
        return stream

    def _begin_stretch(self) -> None:
        self._stretch = next(self._stretches, None)
        if self._stretch is None:
            self._encoder, self._stretch_ticks = None, frozenset()
            return
        copied, times = self._stretch
        self._stretch_ticks = frozenset(self._ticks[pts] for pts in times)
        self._encoder = None if copied else self._open_encoder()

    def _end_stretch(self) -> None:
        assert self._stretch is not None
        copied, times = self._stretch
        if self._encoder is not None:
            self._write_encoded(self._encoder.encode(None))
        for packet, units in islice(self._packets, len(times)):
            if copied and packet.pts is not None:
                self._write_packet(units, self._ticks[packet.pts], is_keyframe=packet.is_keyframe)
        self._begin_stretch()

    def _open_encoder(self) -> VideoCodecContext:
        context = CodecContext.create(self._encoding.encoder, "w")
        assert isinstance(context, VideoCodecContext)
        configure_encoder(context, self._encoding, self._video)
        context.framerate = choose_encoder_rate(self._video)
        context.options = dict(self._encoding.options)
        context.flags |= Flags.global_header
        return context

    def _write_encoded(self, packets: list[Packet[VideoStream]]) -> None:
        for packet in packets:
            assert packet.pts is not None
            self._write_packet(split_annex_b(bytes(packet)), packet.pts, is_keyframe=packet.is_keyframe)

    def _write_packet(self, units: list[bytes], time: int, *, is_keyframe: bool) -> None:
        packet = Packet(join_units(keep_pictures(units)))
        packet.is_keyframe = is_keyframe
        self._joined.write(packet, time)
