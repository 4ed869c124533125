"""Decoded frames as planes: which planar format stands for a pixel format, and views on the samples."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.core.picture import Picture, PixelFormat, Rgb
from engine.media.colour import is_full_range, is_rgb

_SUBSAMPLING_NAMES = {(1, 1): "420", (1, 0): "422"}


@lru_cache
def planar_format_from_name(pixel_format: str, *, full: bool) -> PixelFormat:
    """The planar format in which frames of a pixel format are masked and encoded; `full` is their range.

    It is the frame's own wherever that is planar; else the closest one that loses nothing: RGB and palettes become
    `gbrp`, semi-planar and packed YUV their planar twin, and chroma that no encoder takes is widened to 4:4:4. Alpha is
    left out.
    """
    source = VideoFormat(pixel_format)
    depth = _round_up_depth(read_bit_depth(source))
    suffix = "" if depth == 8 else f"{depth}le"
    if is_rgb(source):
        return PixelFormat(f"gbrp{suffix}", depth, (0, 0), "gbr", full_range=True)
    shift = _read_chroma_shift(source)
    if shift is None:
        return PixelFormat(f"gray{suffix}", depth, (0, 0), "y", full)
    kept = shift if shift in _SUBSAMPLING_NAMES else (0, 0)
    return PixelFormat(f"yuv{_SUBSAMPLING_NAMES.get(kept, '444')}p{suffix}", depth, kept, "yuv", full)


def planar_format_from_frame(frame: VideoFrame) -> PixelFormat:
    """The planar format that stands for a decoded frame's own."""
    return planar_format_from_name(frame.format.name, full=is_full_range(frame))


def read_bit_depth(source: VideoFormat) -> int:
    """Significant bits of a sample."""
    return max(component.bits for component in source.components)


def has_alpha(source: VideoFormat) -> bool:
    """Whether there is an alpha channel."""
    return any(component.is_alpha for component in source.components)


def _round_up_depth(depth: int) -> int:
    return next(step for step in (8, 10, 12, 16) if depth <= step)


def _read_chroma_shift(source: VideoFormat) -> tuple[int, int] | None:
    """log2 of the chroma subsampling, None without chroma."""
    if len([component for component in source.components if not component.is_alpha]) < 3:
        return None
    probe = VideoFormat(source.name, 64, 64)
    return 6 - (probe.chroma_width().bit_length() - 1), 6 - (probe.chroma_height().bit_length() - 1)


def to_planar(frame: VideoFrame, converter: VideoReformatter) -> VideoFrame:
    """The frame in its planar format: itself when it is planar already, else a converted copy in the same range."""
    wanted = planar_format_from_frame(frame)
    if frame.format.name == wanted.name:
        return frame
    span = ColorRange.JPEG if wanted.full_range else ColorRange.MPEG
    return converter.reformat(
        frame,
        format=wanted.name,
        src_color_range=ColorRange.JPEG if is_full_range(frame) else ColorRange.MPEG,
        dst_color_range=span,
        interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT,
    )


def picture_from_frame(frame: VideoFrame, *, read_only: bool) -> Picture:
    """Views on the planes of a frame in planar format."""
    layout = planar_format_from_frame(frame)
    planes = tuple(_view_plane(plane, layout.dtype) for plane in frame.planes[: len(layout.planes)])
    for plane in planes:
        plane.flags.writeable = not read_only
    return Picture(layout, planes)


def view_rgb(frame: VideoFrame) -> Rgb:
    """A view, shape (height, width, 3), on a frame in `rgb24`."""
    plane = frame.planes[0]
    return _view_rows(plane, np.dtype(np.uint8))[:, : plane.width * 3].reshape(plane.height, plane.width, 3)


def view_grey(frame: VideoFrame) -> NDArray[np.uint8]:
    """A view, shape (height, width), on a frame in `gray`."""
    return _view_plane(frame.planes[0], np.dtype(np.uint8))


def _view_plane(plane: VideoPlane, dtype: np.dtype[Any]) -> NDArray[Any]:
    return _view_rows(plane, dtype)[:, : plane.width]


def _view_rows(plane: VideoPlane, dtype: np.dtype[Any]) -> NDArray[Any]:
    samples: Any = plane  # Python 3.11 has no type for "gives a buffer"
    return np.frombuffer(samples, dtype=dtype).reshape(plane.height, plane.line_size // dtype.itemsize)


def make_grey_frame(size: Size, layout: PixelFormat) -> VideoFrame:
    """A frame of middle grey in a planar format."""
    grey = VideoFrame(size.width, size.height, layout.name)
    grey.color_range = ColorRange.JPEG if layout.full_range else ColorRange.MPEG
    for plane in picture_from_frame(grey, read_only=False).planes:
        plane[:] = 1 << layout.bit_depth - 1
    return grey
