"""Joins the packets of several encoders to one stream: their decoding times, and the files of a divided video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from engine.errors import RenderError
from engine.media.local_file import open_local_file
from engine.media.output.encoder import Encoding, choose_encoder_rate
from engine.media.output.mov import error_from_ffmpeg, open_mov
from engine.media.output.ticks import TickConverter
from engine.record import VideoFacts


class JoinedPackets:
    """Writes packets of encoders that follow each other to one stream.

    Each encoder has a delay of its own between decoding and presentation. Decoding times that are presentation times
    moved by the longest delay rise across every join.

    Args:
        container: the file.
        stream: its stream.
        times: presentation times of all frames in ticks, rising.
        delay: longest delay in frames.
        duration: usual duration of a frame in ticks.
    """

    def __init__(
        self, container: OutputContainer, stream: VideoStream, times: Sequence[int], *, delay: int, duration: int
    ) -> None:
        self._container, self._stream, self._times = container, stream, times
        self._delay, self._duration = delay, duration
        self._tick = Fraction(stream.time_base or 1)
        self._written = 0

    def write(self, packet: Packet[Any], time: int) -> None:
        """Write the next packet in the order of decoding, with its presentation time in ticks.

        Raises:
            RenderError: it is decoded later than its frame is shown.
        """
        place = self._written - self._delay
        packet.pts = time
        packet.dts = self._times[place] if place >= 0 else self._times[0] + place * self._duration
        if packet.dts > time:
            raise RenderError(
                f"The packets around tick {time} of the video cannot be joined; render without --passthrough and "
                "--segments."
            )
        packet.duration, packet.time_base, packet.stream = self._duration, self._tick, self._stream
        self._written += 1
        self._container.mux(packet)


def join_files(parts: Sequence[Path], target: Path, encoding: Encoding, video: VideoFacts, pts: Sequence[int]) -> None:
    """Join files of `VideoWriter` that hold successive frames of one video; each is removed when it is joined.

    Args:
        parts: the files, in order.
        target: file to write.
        encoding: the encoder of all parts.
        video: facts of the source's video stream.
        pts: presentation times of all frames in the source's time base.

    Raises:
        TargetError: the target cannot be written.
        RenderError: the parts do not fit together.
    """
    converter = TickConverter(Fraction(video.time_base), Fraction(encoding.tick), target)
    times = [converter.to_ticks(time) for time in pts]
    duration = max(1, round(1 / (choose_encoder_rate(video) * converter.tick)))
    orders = [_read_order(part) for part in parts]
    if sum(map(len, orders)) != len(times):
        raise RenderError(f"The parts of {target.name} have {sum(map(len, orders))} frames instead of {len(times)}.")
    if len({_read_header(part) for part in parts}) > 1:
        raise RenderError(f"The parts of {target.name} have different headers.")
    delay = max(number - place for order in orders for number, place in enumerate(order))
    try:
        with open_mov(target, encoding) as container:
            stream = _add_stream_like(container, parts[0], encoding)
            joined = JoinedPackets(container, stream, times, delay=delay, duration=duration)
            first = 0
            for part, order in zip(parts, orders, strict=True):
                for packet, place in zip(_read_packets(part), order, strict=True):
                    joined.write(packet, times[first + place])
                first += len(order)
                # Long videos are large: the disk holds each packet twice at most for the part at hand.
                part.unlink()
    except FFmpegError as error:
        raise error_from_ffmpeg(error, target) from error


def _add_stream_like(container: OutputContainer, part: Path, encoding: Encoding) -> VideoStream:
    with open_local_file(part) as opened:
        stream = container.add_stream_from_template(opened.streams.video[0])
    stream.time_base = Fraction(encoding.tick)
    return stream


def _read_header(part: Path) -> bytes:
    with open_local_file(part) as opened:
        return opened.streams.video[0].codec_context.extradata or b""


def _read_order(part: Path) -> list[int]:
    """Return for each packet, in the order of decoding, the place of its frame in the order of presentation."""
    times = [packet.pts for packet in _read_packets(part)]
    places = {time: place for place, time in enumerate(sorted(time for time in times if time is not None))}
    return [places[time] for time in times if time is not None]


def _read_packets(part: Path) -> Iterator[Packet[VideoStream]]:
    with open_local_file(part) as container:
        yield from (packet for packet in container.demux(container.streams.video[0]) if packet.size)
