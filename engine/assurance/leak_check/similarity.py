"""Does the source show through where a mask should be? Told by fine detail, which no mask leaves in its place.

A blur takes fine detail away, a mosaic and opaque methods put other detail there; where the mask is missing, the detail
of output and source is the same but for encoding. So their correlation says whether a mask is there, whatever its
style, at a fraction of what a detector costs.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Orientation
from engine.core.picture import Picture

_CORE_SHARE = 0.6
"""Share of a face box's sides that is compared: its middle."""
_WANTED_CORE_SAMPLES = 14.0
"""Samples that are wanted on the shorter side of it: of a small face more than its middle is compared."""
_MAX_SIDE_SAMPLES = 48
"""Longest side at which it is compared, in samples."""
_MIN_SIDE_SAMPLES = 8
"""Shortest side of what can be told apart."""
_MIN_DETAIL_DEVIATION = 1.0
"""Least standard deviation of fine detail, in 8-bit steps, of a source in which anything can be told."""
_DETAIL_KERNEL_SAMPLES = 5
"""Detail is what is finer than this many samples."""

_CORRELATED_SAMPLES = 4
"""Samples of fine detail that say no more than one: neighbours are alike."""
_BOUND_DEVIATIONS = 2.0
"""Standard deviations from a correlation to the lower end of its interval."""
_MAX_CORRELATION = 0.9999

Detail = NDArray[np.float32]


def measure_likeness(source: Picture, output: Picture, box: Box, orientation: Orientation) -> float | None:
    """Correlation, at least, of fine detail about the middle of a face with the source's, -1 to 1.

    It is the lower end of the correlation's interval (Fisher, "On the probable error of a coefficient of correlation",
    1921): in a few samples likeness may be chance. None where the source has no detail, or too little is seen of it.

    Args:
        source: of the frame, as it was decoded.
        output: of the same frame.
        box: of the face in display pixels.
        orientation: how coded samples become display pixels.
    """
    whole = orientation.to_coded(box)
    share = min(1.0, max(_CORE_SHARE, _WANTED_CORE_SAMPLES / min(whole.width, whole.height)))
    area = whole.scale(share).clip(orientation.coded)
    if area is None:
        return None
    left, top, right, bottom = area.to_pixel_bounds()
    if min(right - left, bottom - top) < _MIN_SIDE_SAMPLES:
        return None
    ours, theirs = (_extract_detail(picture, slice(top, bottom), slice(left, right)) for picture in (source, output))
    spread = float(ours.std())
    if spread < _MIN_DETAIL_DEVIATION:
        return None
    other = float(theirs.std())
    correlation = float((ours * theirs).mean()) / (spread * other) if other > 0 else 0.0
    return _compute_lower_bound(correlation, ours.size / _CORRELATED_SAMPLES)


def _compute_lower_bound(correlation: float, sample_count: float) -> float:
    kept = min(max(correlation, -_MAX_CORRELATION), _MAX_CORRELATION)
    return math.tanh(math.atanh(kept) - _BOUND_DEVIATIONS / math.sqrt(sample_count - 3))


def _extract_detail(picture: Picture, rows: slice, columns: slice) -> Detail:
    """What is finer than `_FINE` samples in a part of the picture; what lies around it is looked at too, not returned.

    Without its surroundings the rim of a smooth slope would look like detail, in a mask as in the source.
    """
    plane = picture.planes[0]
    ratio = min(1.0, _MAX_SIDE_SAMPLES / max(rows.stop - rows.start, columns.stop - columns.start))
    rim = math.ceil(_DETAIL_KERNEL_SAMPLES // 2 / ratio)
    top, left = max(0, rows.start - rim), max(0, columns.start - rim)
    values = plane[top : rows.stop + rim, left : columns.stop + rim].astype(np.float32)
    values /= np.float32(1 << (picture.format.bit_depth - 8))
    height, width = values.shape
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    fine: Detail = small - cv2.blur(small, (_DETAIL_KERNEL_SAMPLES, _DETAIL_KERNEL_SAMPLES))
    down, across = round((rows.start - top) * ratio), round((columns.start - left) * ratio)
    inner: Detail = fine[
        down : down + max(1, round((rows.stop - rows.start) * ratio)),
        across : across + max(1, round((columns.stop - columns.start) * ratio)),
    ]
    inner -= inner.mean()
    return inner
