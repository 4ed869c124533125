"""Converts decoded frames to planar formats, and gives views of their samples."""

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
from engine.media.sample_formats import read_bit_depth, read_chroma_shift

_SUBSAMPLING_NAMES = {(1, 1): "420", (1, 0): "422"}


@lru_cache
def planar_format_from_name(pixel_format: str, *, full: bool) -> PixelFormat:
    """Return the planar format in which frames of a pixel format are masked and encoded.

    It is the frame's own if that is planar, otherwise the closest one that loses nothing: RGB and palettes become
    `gbrp`, semi-planar and packed YUV their planar counterpart, and chroma that no encoder takes is widened to 4:4:4.
    Alpha is left out.

    Args:
        pixel_format: FFmpeg's name of the pixel format.
        full: YUV samples use the full range.
    """
    source = VideoFormat(pixel_format)
    depth = _round_up_depth(read_bit_depth(source))
    suffix = "" if depth == 8 else f"{depth}le"
    if is_rgb(source):
        return PixelFormat(f"gbrp{suffix}", depth, (0, 0), "gbr", full_range=True)
    shift = read_chroma_shift(source)
    if shift is None:
        return PixelFormat(f"gray{suffix}", depth, (0, 0), "y", full)
    # Encoders take 4:2:0, 4:2:2 and 4:4:4; any other subsampling is widened, which repeats samples but loses none.
    kept = shift if shift in _SUBSAMPLING_NAMES else (0, 0)
    return PixelFormat(f"yuv{_SUBSAMPLING_NAMES.get(kept, '444')}p{suffix}", depth, kept, "yuv", full)


def planar_format_from_frame(frame: VideoFrame) -> PixelFormat:
    """Return the planar format in which a decoded frame is masked and encoded."""
    return planar_format_from_name(frame.format.name, full=is_full_range(frame))


def _round_up_depth(depth: int) -> int:
    return next(step for step in (8, 10, 12, 16) if depth <= step)


def to_planar(frame: VideoFrame, converter: VideoReformatter) -> VideoFrame:
    """Return the frame itself if it is planar already, otherwise a copy in its planar format and the same range."""
    wanted = planar_format_from_frame(frame)
    if frame.format.name == wanted.name:
        return frame
    target_range = ColorRange.JPEG if wanted.full_range else ColorRange.MPEG
    return converter.reformat(
        frame,
        format=wanted.name,
        src_color_range=ColorRange.JPEG if is_full_range(frame) else ColorRange.MPEG,
        dst_color_range=target_range,
        interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT,
    )


def picture_from_frame(frame: VideoFrame, *, read_only: bool) -> Picture:
    """Return views of the planes of a frame in planar format."""
    layout = planar_format_from_frame(frame)
    planes = tuple(_view_plane(plane, layout.dtype) for plane in frame.planes[: len(layout.planes)])
    # Numpy then refuses a write that would change the decoder's reference frames.
    for plane in planes:
        plane.flags.writeable = not read_only
    return Picture(layout, planes)


def view_rgb(frame: VideoFrame) -> Rgb:
    """Return a view, shape (height, width, 3), of a frame in `rgb24`."""
    plane = frame.planes[0]
    return _view_rows(plane, np.dtype(np.uint8))[:, : plane.width * 3].reshape(plane.height, plane.width, 3)


def view_grey(frame: VideoFrame) -> NDArray[np.uint8]:
    """Return a view, shape (height, width), of a frame in `gray`."""
    return _view_plane(frame.planes[0], np.dtype(np.uint8))


def _view_plane(plane: VideoPlane, dtype: np.dtype[Any]) -> NDArray[Any]:
    return _view_rows(plane, dtype)[:, : plane.width]


def _view_rows(plane: VideoPlane, dtype: np.dtype[Any]) -> NDArray[Any]:
    samples: Any = plane  # Python 3.11 has no type for objects with a buffer
    return np.frombuffer(samples, dtype=dtype).reshape(plane.height, plane.line_size // dtype.itemsize)


def make_grey_frame(size: Size, layout: PixelFormat) -> VideoFrame:
    """Make a frame of middle grey in a planar format."""
    grey = VideoFrame(size.width, size.height, layout.name)
    grey.color_range = ColorRange.JPEG if layout.full_range else ColorRange.MPEG
    for plane in picture_from_frame(grey, read_only=False).planes:
        plane[:] = 1 << layout.bit_depth - 1
    return grey
