"""Pictures as planes of samples, the form in which masks are drawn and frames are encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8] | NDArray[np.uint16]
Rgb = NDArray[np.uint8]
"""An upright picture, shape (height, width, 3), uint8, red first."""


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """Planar sample layout.

    Attributes:
        name: FFmpeg's name, such as `yuv420p10le`.
        bit_depth: significant bits a sample; 8 is stored as uint8, more as uint16 (low bits used).
        chroma_shift: log2 of the horizontal and vertical chroma subsampling; (1, 1) is 4:2:0, (0, 0) is 4:4:4.
        planes: the content of the planes, in order: "yuv", "y" or "gbr".
        full_range: samples use the whole range (JPEG range) rather than the video range.
    """

    name: str
    bit_depth: int
    chroma_shift: tuple[int, int]
    planes: str
    full_range: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the data type of a stored sample."""
        # Samples of 10 and 12 bits are not packed: each takes two bytes, as in FFmpeg.
        return np.dtype(np.uint8 if self.bit_depth == 8 else np.uint16)

    def plane_shift(self, plane: int) -> tuple[int, int]:
        """Return log2 of the horizontal and vertical subsampling of a plane."""
        return self.chroma_shift if self.planes[plane] in "uv" else (0, 0)


@dataclass(frozen=True, slots=True)
class Picture:
    """The planes of one frame in coded orientation, each an array of shape (rows, columns); rows may be padded."""

    format: PixelFormat
    planes: tuple[Plane, ...]
