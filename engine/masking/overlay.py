"""Pictures from files that cover a face, and resizing that gives the same samples on every processor."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Orientation, Size
from engine.core.picture import Plane
from engine.errors import StyleError
from engine.record import sha256_hex

_MAX_IMAGE_SIDE_PX = 512
"""Longest side to which an image is reduced; a face is rarely larger and needs no more detail."""


def load_image(path: str, sha256: str, background: NDArray[np.int64], orientation: Orientation) -> NDArray[np.uint8]:
    """Load a picture on an opaque background, rotated as coded samples are; shape (rows, columns, 3), RGB.

    Args:
        path: path of the file.
        sha256: SHA-256 that its bytes must have. An approval is bound to the style, so the picture must not change.
        background: RGB colour that shows where the picture is transparent.
        orientation: how coded samples become display pixels.

    Raises:
        StyleError: the file cannot be read, has another hash, or is no picture.
    """
    # The file is read once: what is hashed and what is decoded are the same bytes.
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise StyleError(f"The image {path} cannot be read: {error.strerror}. Give the path of a picture.") from error
    if sha256_hex(data) != sha256:
        raise StyleError(f"The image {path} has the SHA-256 {sha256_hex(data)}, but the style requires {sha256}.")
    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if image is None or image.dtype not in {np.dtype(np.uint8), np.dtype(np.uint16)}:
        raise StyleError(f"The image {path} cannot be decoded. Use a PNG or JPEG file.")
    size = Size(image.shape[1], image.shape[0]).fit(_MAX_IMAGE_SIDE_PX)
    small = stretch_image(_flatten_alpha(image, background), (size.height, size.width))
    # Masks are painted into coded samples, so the picture is turned the way the camera recorded.
    rotated = np.rot90(small, orientation.rotation // 90)
    return np.ascontiguousarray(rotated[:, ::-1] if orientation.mirrored else rotated)


def stretch_image(image: Plane, shape: tuple[int, int]) -> Plane:
    """Resize an image or one plane of it to `shape` (rows, columns), with the same result on every processor.

    INTER_AREA shrinks and INTER_LINEAR_EXACT enlarges, because INTER_AREA enlarges by another, inexact interpolation.
    Columns are resized first and rows second, so that no step shrinks in one direction and enlarges in the other.
    """
    rows, columns = shape
    for size in ((columns, image.shape[0]), (columns, rows)):
        smaller = size[0] <= image.shape[1] and size[1] <= image.shape[0]
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR_EXACT)
    return image


def _flatten_alpha(image: NDArray[np.uint8] | NDArray[np.uint16], background: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the RGB of a decoded picture (grey, BGR or BGRA, 8 or 16 bits) on a background."""
    eight = image if image.dtype == np.uint8 else image >> 8
    if eight.ndim == 2:
        return np.repeat(eight[..., None], 3, axis=2).astype(np.uint8)
    rgb = eight[..., 2::-1].astype(np.int64)
    if eight.shape[2] == 4:
        alpha = eight[..., 3:].astype(np.int64)
        rgb = (rgb * alpha + background * (255 - alpha) + 127) // 255
    return rgb.astype(np.uint8)
