"""Pictures for the tests of redaction."""

import numpy as np

from engine.core.geometry import Orientation
from engine.core.picture import Picture, PixelFormat

FORMATS = {
    "yuv420p": PixelFormat("yuv420p", 8, (1, 1), "yuv", full_range=False),
    "yuvj422p": PixelFormat("yuvj422p", 8, (1, 0), "yuv", full_range=True),
    "yuv444p": PixelFormat("yuv444p", 8, (0, 0), "yuv", full_range=False),
    "yuv410p": PixelFormat("yuv410p", 8, (2, 2), "yuv", full_range=False),
    "gray": PixelFormat("gray", 8, (0, 0), "y", full_range=False),
    "gbrp": PixelFormat("gbrp", 8, (0, 0), "gbr", full_range=True),
    "yuv420p10le": PixelFormat("yuv420p10le", 10, (1, 1), "yuv", full_range=False),
    "yuv422p12le": PixelFormat("yuv422p12le", 12, (1, 0), "yuv", full_range=False),
    "gray16le": PixelFormat("gray16le", 16, (0, 0), "y", full_range=True),
}


def plane_shape(pixel_format, plane, size):
    right, down = pixel_format.plane_shift(plane)
    return -(-size.height >> down), -(-size.width >> right)


def noise(pixel_format, size, seed=0):
    """A picture of noise whose rows are padded in memory, as a decoder's are."""
    rng, planes = np.random.default_rng(seed), []
    for plane in range(len(pixel_format.planes)):
        rows, columns = plane_shape(pixel_format, plane, size)
        padded = rng.integers(0, 1 << pixel_format.bit_depth, (rows, columns + 13), dtype=pixel_format.dtype)
        planes.append(padded[:, :columns])
    return Picture(pixel_format, tuple(planes))


def copy(picture):
    return Picture(picture.format, tuple(plane.copy() for plane in picture.planes))


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.planes, other.planes, strict=True))


def upright(size):
    return Orientation.upright(size)
