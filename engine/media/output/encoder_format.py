"""Chooses the sample layout of an encoder's input, and copies planes into it without changing a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from av.video.frame import VideoFrame

from engine.core.geometry import Size
from engine.core.picture import Picture, PixelFormat, Plane
from engine.errors import RenderError

_SUBSAMPLING = {(1, 1): "420", (1, 0): "422", (0, 0): "444"}
_BIT_DEPTHS = (8, 10, 12)
MAX_BIT_DEPTH = max(_BIT_DEPTHS)


@dataclass(frozen=True, slots=True)
class EncoderFormat:
    """The layout in which an encoder takes a source's samples.

    It is the source's own if an encoder has it. Otherwise chroma samples are repeated: a 4:2:0 picture of odd width is
    encoded as 4:4:4, and 4:1:1 as 4:2:2.

    Attributes:
        codec: "h264" or "hevc".
        encoder: FFmpeg's name.
        pixel_format: FFmpeg's name of the pixel format.
        size: coded size.
        repeat: for each plane, the number of repetitions of a sample down and across.
    """

    codec: str
    encoder: str
    pixel_format: str
    size: Size
    repeat: tuple[tuple[int, int], ...]

    def allocate_frame(self) -> VideoFrame:
        """Return a frame for the encoder with undefined samples."""
        return VideoFrame(self.size.width, self.size.height, self.pixel_format)

    def fill_frame(self, frame: VideoFrame, picture: Picture) -> None:
        """Copy the picture's samples into a frame for the encoder."""
        # Copied plane by plane without a scaler, so that each sample reaches the encoder as it is.
        for target, source, (down, across) in zip(self._view_planes(frame), picture.planes, self.repeat, strict=True):
            rows, columns = target.shape
            samples = source if down == across == 1 else source.repeat(down, axis=0).repeat(across, axis=1)
            target[...] = samples[:rows, :columns]

    def view_picture(self, frame: VideoFrame, pixels: PixelFormat) -> Picture | None:
        """Return the samples of a frame as a picture to draw on; None if the encoder takes another layout."""
        if self.pixel_format != pixels.name:
            return None
        return Picture(pixels, tuple(self._view_planes(frame)))

    def _view_planes(self, frame: VideoFrame) -> list[Plane]:
        if self.pixel_format == "rgb24":
            return _view_rgb_channels(frame)
        dtype = np.dtype(np.uint16 if self.pixel_format.endswith("le") else np.uint8)
        return [
            np.ndarray((plane.height, plane.width), dtype, plane, 0, (plane.line_size, dtype.itemsize))  # type: ignore[arg-type]
            for plane in frame.planes
        ]


def choose_encoder_format(pixels: PixelFormat, size: Size) -> EncoderFormat:
    """Choose the layout for pictures of one format and coded size.

    Raises:
        RenderError: no encoder takes samples of this depth.
    """
    if pixels.bit_depth not in _BIT_DEPTHS:
        raise RenderError(
            f"The video has {pixels.bit_depth} bits a sample ({pixels.name}), but encoders take 8, 10 or 12; "
            "convert it to 12 bits first."
        )
    encoder, name, shift = _choose_layout(pixels, size)
    repeat = tuple(
        _count_repeats(pixels.plane_shift(plane), shift if kind in "uv" else (0, 0))
        for plane, kind in enumerate(pixels.planes)
    )
    return EncoderFormat("h264" if pixels.bit_depth == 8 else "hevc", encoder, name, size, repeat)


def _choose_layout(pixels: PixelFormat, size: Size) -> tuple[str, str, tuple[int, int]]:
    """Return encoder, pixel format and chroma shift."""
    depth = pixels.bit_depth
    encoder = "libx264" if depth == 8 else "libx265"
    suffix = "" if depth == 8 else f"{depth}le"
    match pixels.planes:
        case "y":
            return encoder, f"gray{suffix}", (0, 0)
        case "gbr":
            return ("libx264rgb", "rgb24", (0, 0)) if depth == 8 else (encoder, f"gbrp{suffix}", (0, 0))
        case _:
            shift = _choose_chroma_shift(pixels.chroma_shift, size)
            return encoder, f"yuv{_SUBSAMPLING[shift]}p{suffix}", shift


def _choose_chroma_shift(shift: tuple[int, int], size: Size) -> tuple[int, int]:
    """Return the coarsest subsampling that loses no sample."""
    # Encoders crop by whole chroma samples, so a picture of odd width or height needs chroma at full resolution.
    across = min(shift[0], 1, 1 - size.width % 2)
    down = min(shift[1], across, 1 - size.height % 2)
    return across, down


def _count_repeats(source: tuple[int, int], target: tuple[int, int]) -> tuple[int, int]:
    return 1 << source[1] - target[1], 1 << source[0] - target[0]


def _view_rgb_channels(frame: VideoFrame) -> list[Plane]:
    """Return views of the green, blue and red samples of a packed frame."""
    plane = frame.planes[0]
    return [
        np.ndarray((plane.height, plane.width), np.uint8, plane, channel, (plane.line_size, 3))  # type: ignore[arg-type]
        for channel in (1, 2, 0)
    ]
