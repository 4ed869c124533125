"""Finds the closed groups of pictures of a source, whose packets can be copied without those around them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from av.packet import Packet
from av.video.stream import VideoStream

from engine.core.step_limit import limit_steps
from engine.media.containers import container_family
from engine.media.facts import MediaInfo
from engine.media.h264_units import (
    ParameterSets,
    StreamHeader,
    is_instant_refresh,
    parse_stream_header,
    select_parameter_sets,
    split_prefixed,
)
from engine.media.source.open_file import open_container


class NotCopyableError(Exception):
    """Packets of this source cannot be copied; the message says why, to follow "because"."""


@dataclass(frozen=True, slots=True)
class PictureGroups:
    """The closed groups of pictures of an H.264 stream.

    Attributes:
        path: the source.
        stream_index: index of the stream in it.
        header: the headers of the stream.
        groups: for each group the presentation times of its packets, in the order of decoding.
        delay: number of frames by which presentation follows decoding.
    """

    path: Path
    stream_index: int
    header: StreamHeader
    groups: tuple[tuple[int, ...], ...]
    delay: int

    def iterate_packets(self) -> Generator[tuple[Packet[VideoStream], list[bytes]]]:
        """Read the packets of the stream again, each with its units."""
        yield from _read_packets(self.path, self.stream_index, self.header.length_bytes)


def read_picture_groups(path: Path, info: MediaInfo) -> PictureGroups:
    """Read the packets of a source and find its closed groups; nothing is decoded.

    Raises:
        SourceError: the file cannot be read.
        NotCopyableError: the packets cannot be copied.
    """
    header = _check_stream(path, info)
    groups: list[list[int]] = []
    for packet, units in _read_packets(path, info.video.index, header.length_bytes):
        if packet.is_discard or packet.pts is None:
            raise NotCopyableError("an edit list hides some of its frames")
        _check_headers(header.sets, units)
        if is_instant_refresh(units):
            groups.append([])
        if not groups:
            raise NotCopyableError("it does not start with a picture that stands alone")
        groups[-1].append(packet.pts)
    closed = _join_overlapping(groups)
    if sum(map(len, closed)) != info.video.packets or closed[0][0] != info.video.first_pts:
        raise NotCopyableError("it does not have one packet for each frame")
    return PictureGroups(path, info.video.index, header, closed, _measure_delay(closed))


def _check_stream(path: Path, info: MediaInfo) -> StreamHeader:
    video = info.video
    reasons = {
        f"it is {video.codec.upper()}; only H.264 packets can stand beside encoded ones": video.codec != "h264",
        "it has more than 8 bits a sample, and is encoded as HEVC": video.bit_depth > 8,
        "its container is neither of the MP4 family nor Matroska": container_family(info.container).name
        not in {"mp4", "matroska"},
        "its container stores no presentation times": video.timing != "pts",
        "its container hides a part of the pictures": video.crop is not None,
        "its frames hold two fields": video.interlaced,
        "its brightness range is described in messages that are not copied": video.hdr.mastering_display is not None
        or video.hdr.max_content_light is not None,
        "it is incomplete": info.cut_short is not None,
    }
    for reason, applies in reasons.items():
        if applies:
            raise NotCopyableError(reason)
    with open_container(path) as container:
        header = parse_stream_header(container.streams[video.index].codec_context.extradata)
    if header is None:
        raise NotCopyableError("its headers are not where the container should have them")
    return header


def _check_headers(known: ParameterSets, units: Sequence[bytes]) -> None:
    found = select_parameter_sets(units)
    if not (set(found.sequence) <= set(known.sequence) and set(found.picture) <= set(known.picture)):
        raise NotCopyableError("its headers change on the way")


def _read_packets(
    path: Path, stream_index: int, length_bytes: int
) -> Iterator[tuple[Packet[VideoStream], list[bytes]]]:
    with open_container(path) as container:
        stream = container.streams[stream_index]
        for packet in limit_steps(container.demux(stream)):
            if packet.size:
                yield packet, split_prefixed(bytes(packet), length_bytes)  # type: ignore[misc]


def _join_overlapping(groups: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Join groups whose times overlap: none of them can be shown without the other."""
    joined: list[list[int]] = []
    latest = None
    for group in groups:
        if latest is not None and min(group) <= latest:
            joined[-1].extend(group)
        else:
            joined.append(list(group))
        latest = max(joined[-1])
    return tuple(map(tuple, joined))


def _measure_delay(groups: Sequence[Sequence[int]]) -> int:
    """Return the least number of frames by which presentation has to follow decoding."""
    delay = 0
    for group in groups:
        places = {pts: place for place, pts in enumerate(sorted(group))}
        delay = max(delay, *(number - places[pts] for number, pts in enumerate(group)))
    return delay
