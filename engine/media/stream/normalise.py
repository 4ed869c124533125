"""Converts the frames of a live source to one format: upright, square pixels, one size, 8-bit 4:2:0.

The first frame decides the size. Most frames have the right format already and pass through unchanged; the others are
rotated and scaled into the middle of a black picture.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import Type
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from engine.core.geometry import Orientation, Size
from engine.core.picture import Rgb
from engine.media.colour import is_full_range
from engine.media.frame import FrameConverters, SourceFrame
from engine.media.orientation import decode_display_matrix
from engine.media.side_data import read_side_data

_PIXEL_FORMAT = "yuv420p"
_ROTATION_FILTERS = {90: ["transpose=clock"], 180: ["hflip", "vflip"], 270: ["transpose=cclock"]}


class _FrameFormat(NamedTuple):
    """The properties that decide how a frame must be converted."""

    orientation: Orientation
    pixel_format: str
    full: bool


class _FormatKey(NamedTuple):
    """The properties by which a change of the format is noticed.

    Side data is not among them: PyAV's object for it holds its frame in a reference cycle, so frames would pile up in
    memory until the garbage collector runs.
    """

    size: Size
    pixel_format: str
    colour_range: int
    rotation: int
    aspect: Fraction


class FrameNormaliser:
    """Converts frames to the format of the output. For use by one thread.

    Attributes:
        size: size of the output in display pixels, even as 4:2:0 needs it; None until the first frame.
        format_changes: number of changes of the frames' format.
    """

    def __init__(self) -> None:
        self.size: Size | None = None
        self.format_changes = 0
        self._format_key: _FormatKey | None = None
        self._graph: _FilterGraph | None = None
        self._converters = FrameConverters()

    def normalise(
        self, decoded: VideoFrame, index: int, pts: int, aspect: Fraction = Fraction(1), *, damaged: bool = False
    ) -> SourceFrame:
        """Convert a decoded frame.

        Args:
            decoded: the frame; it is not changed.
            index: its index.
            pts: its presentation time.
            aspect: its sample aspect ratio.
            damaged: it is known to be damaged, although the frame does not say so.
        """
        format_key = _make_format_key(decoded, aspect)
        if self.size is None or format_key != self._format_key:
            self.format_changes += self._format_key is not None
            self._format_key, form = format_key, _read_format(decoded, aspect)
            self.size = self.size or form.orientation.display_size.round_to_even()
            self._graph = None if _is_normalised(form, self.size) else _FilterGraph(form, self.size)
        placed = decoded if self._graph is None else self._graph.filter_frame(decoded)
        damaged = damaged or decoded.is_corrupt
        return SourceFrame(index, pts, placed, Orientation.upright(self.size), self._converters, damaged=damaged)


def frame_from_rgb(picture: Rgb) -> VideoFrame:
    """Make a frame for `FrameNormaliser.normalise` from an RGB picture, shape (height, width, 3)."""
    return VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")


def rgb_from_frame(frame: VideoFrame) -> Rgb:
    """Convert a frame to an RGB picture, shape (height, width, 3)."""
    return np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)


class _FilterGraph:
    """FFmpeg's filters that rotate, scale, pad and convert frames of one format."""

    def __init__(self, form: _FrameFormat, size: Size) -> None:
        coded = form.orientation.coded
        self._graph = Graph()
        # One thread: filter threads would compete with the detectors for the cores of a live run.
        self._graph.threads = 1
        nodes = [
            self._graph.add_buffer(
                width=coded.width,
                height=coded.height,
                format=VideoFormat(form.pixel_format),
                time_base=Fraction(1, 1000),
            ),
            *(self._graph.add(*step.split("=", 1)) for step in _list_filters(form, size)),
            self._graph.add("buffersink"),
        ]
        self._graph.link_nodes(*nodes).configure()

    def filter_frame(self, frame: VideoFrame) -> VideoFrame:
        self._graph.vpush(frame)
        filtered = self._graph.vpull()
        assert isinstance(filtered, VideoFrame)
        return filtered


def _list_filters(form: _FrameFormat, size: Size) -> list[str]:
    display = form.orientation.display_size
    ratio = min(Fraction(size.width, display.width), Fraction(size.height, display.height))
    # Sides and offsets are even, because 4:2:0 has one chroma sample for two pixels each way.
    width, height = (max(2, round(side * ratio) // 2 * 2) for side in (display.width, display.height))
    left, top = (size.width - width) // 2 // 2 * 2, (size.height - height) // 2 // 2 * 2
    return [
        *(["hflip"] if form.orientation.mirrored else []),
        *_ROTATION_FILTERS.get(form.orientation.rotation, []),
        f"scale={width}:{height}:out_range=tv",
        f"format={_PIXEL_FORMAT}",
        f"pad={size.width}:{size.height}:{left}:{top}:black",
        "setsar=1",
    ]


def _make_format_key(frame: VideoFrame, aspect: Fraction) -> _FormatKey:
    return _FormatKey(Size(frame.width, frame.height), frame.format.name, frame.color_range, frame.rotation, aspect)


def _read_format(frame: VideoFrame, aspect: Fraction) -> _FrameFormat:
    matrix = read_side_data(frame).get(Type.DISPLAYMATRIX)
    degrees, mirrored = (0.0, False) if matrix is None else decode_display_matrix(matrix)
    # A live source cannot be refused in mid-stream, so another angle is rounded to a quarter turn.
    rotation = round(degrees / 90) % 4 * 90
    size = Size(frame.width, frame.height)
    return _FrameFormat(
        Orientation(size, aspect if aspect > 0 else Fraction(1), rotation, mirrored),
        frame.format.name,
        is_full_range(frame),
    )


def _is_normalised(form: _FrameFormat, size: Size) -> bool:
    return form == _FrameFormat(Orientation.upright(size), _PIXEL_FORMAT, full=False)
