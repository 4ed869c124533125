"""Cuts away what a container hides: the cropping of Matroska (PixelCrop) and of MP4 and QuickTime (clap).

Players that follow the container never show these samples, so they must not appear in an output.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.core.geometry import Crop, Size
from engine.media.ffmpeg import run_ffmpeg
from engine.media.sample_formats import read_chroma_shift

_STREAM_LINE = re.compile(r"^ *Stream #0:(\d+)[\[(:]")
_CROP_LINE = re.compile(r"^ *Frame Cropping: (\d+)/(\d+)/(\d+)/(\d+)$")

_BOXES_WITHOUT_HEADERS = frozenset({b"mdat", b"free", b"skip", b"wide"})
_MAX_SEARCHED_BYTES = 1 << 26


def read_crop(path: Path, stream_index: int) -> Crop | None:
    """Read how many samples a container hides at each side of a video's pictures; None if it hides nothing."""
    # To start FFmpeg costs more than everything else that a probe of a short clip does.
    if has_no_crop_box(path):
        return None
    # PyAV does not show the side data of a stream, and the command line of FFmpeg prints it.
    current = None
    for line in run_ffmpeg(["-protocol_whitelist", "file", "-i", path], log_level="info").stderr.splitlines():
        if found := _STREAM_LINE.match(line):
            current = int(found[1])
        elif (found := _CROP_LINE.match(line)) and current == stream_index:
            left, right, top, bottom = map(int, found.groups())
            return Crop(left, top, right, bottom) if any(found.groups()) else None
    return None


def has_no_crop_box(path: Path) -> bool:
    """Return whether a file certainly hides nothing: a file of the MP4 family without a clean aperture box.

    False for a file that cannot be judged by its outermost boxes (ISO/IEC 14496-12, 4.2).
    """
    found_movie = False
    size = path.stat().st_size
    with path.open("rb") as file:
        start = 0
        while start < size:
            file.seek(start)
            head = file.read(16)
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if length == 1:  # a 64-bit size follows the type
                length = int.from_bytes(head[8:16], "big")
            if length < 8 or start + length > size or (start == 0 and kind != b"ftyp"):
                return False
            if kind not in _BOXES_WITHOUT_HEADERS:
                if length > _MAX_SEARCHED_BYTES:
                    return False
                file.seek(start)
                box = file.read(length)
                # A compressed header (cmov) could hold one.
                if b"clap" in box or b"cmov" in box:
                    return False
                found_movie |= kind == b"moov"
            start += length
    return found_movie


def align_crop(crop: Crop, stored: Size, pixel_format: str, *, interlaced: bool) -> Crop | None:
    """Return the crop whose left and top edges lie between chroma samples; None if nothing would be left.

    Edges move inwards, by less than a chroma sample, so that no hidden sample remains. In interlaced pictures the top
    edge keeps the order of the fields.
    """
    across, down = read_chroma_shift(VideoFormat(pixel_format)) or (0, 0)
    columns, rows = 1 << across, (2 << down if interlaced else 1 << down)
    left, top = -(-crop.left // columns) * columns, -(-crop.top // rows) * rows
    if left + crop.right >= stored.width or top + crop.bottom >= stored.height:
        return None
    return msgspec.structs.replace(crop, left=left, top=top)


class FrameCropper:
    """Cuts frames of one video down to what its container shows; no sample is copied.

    Args:
        stream: the video.
        crop: the samples to leave out; None: none.
    """

    def __init__(self, stream: VideoStream, crop: Crop | None) -> None:
        self._stream, self._crop = stream, crop
        self._graph: Graph | None = None

    def crop_frame(self, frame: VideoFrame) -> VideoFrame:
        """Return the visible part of a frame: the frame itself if nothing is hidden."""
        if self._crop is None:
            return frame
        self._graph = self._graph or self._build_graph(self._crop, frame)
        self._graph.push(frame)
        cropped = self._graph.pull()
        assert isinstance(cropped, VideoFrame)
        # The filter's clock is the stream's, but a frame without a time would get one.
        cropped.pts, cropped.dts = frame.pts, frame.dts
        return cropped

    def _build_graph(self, crop: Crop, frame: VideoFrame) -> Graph:
        graph = Graph()
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=self._stream.time_base
        )
        width, height = frame.width - crop.left - crop.right, frame.height - crop.top - crop.bottom
        # Without "exact" the filter would round the edges outwards and show a hidden column.
        setter = graph.add("crop", f"w={width}:h={height}:x={crop.left}:y={crop.top}:exact=1")
        sink = graph.add("buffersink")
        source.link_to(setter)
        setter.link_to(sink)
        graph.configure()
        return graph
