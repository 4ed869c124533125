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

_CORE = 0.6
"""Share of a face box's sides that is compared: its middle."""
_WIDE = 14.0
"""Samples that are wanted on the shorter side of it: of a small face more than its middle is compared."""
_SIDE = 48
"""Longest side at which it is compared, in samples."""
_LEAST_SIDE = 8
"""Shortest side of what can be told apart."""
_DETAIL = 1.0
"""Least standard deviation of fine detail, in 8-bit steps, of a source in which anything can be told."""
_FINE = 5
"""Detail is what is finer than this many samples."""

_ALIKE = 4
"""Samples of fine detail that say no more than one: neighbours are alike."""
_DEVIATIONS = 2.0
"""Standard deviations from a correlation to the lower end of its interval."""
_CLOSEST = 0.9999

Detail = NDArray[np.float32]


def likeness(source: Picture, output: Picture, box: Box, orientation: Orientation) -> float | None:
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
    share = min(1.0, max(_CORE, _WIDE / min(whole.width, whole.height)))
    area = whole.scaled(share).clipped(orientation.coded)
    if area is None:
        return None
    left, top, right, bottom = area.pixels()
    if min(right - left, bottom - top) < _LEAST_SIDE:
        return None
    ours, theirs = (_detail(picture, slice(top, bottom), slice(left, right)) for picture in (source, output))
    spread = float(ours.std())
    if spread < _DETAIL:
        return None
    other = float(theirs.std())
    correlation = float((ours * theirs).mean()) / (spread * other) if other > 0 else 0.0
    return _at_least(correlation, ours.size / _ALIKE)


def _at_least(correlation: float, samples: float) -> float:
    kept = min(max(correlation, -_CLOSEST), _CLOSEST)
    return math.tanh(math.atanh(kept) - _DEVIATIONS / math.sqrt(samples - 3))


def _detail(picture: Picture, rows: slice, columns: slice) -> Detail:
    """What is finer than `_FINE` samples in a part of the picture; what lies around it is looked at too, not returned.

    Without its surroundings the rim of a smooth slope would look like detail, in a mask as in the source.
    """
    plane = picture.planes[0]
    ratio = min(1.0, _SIDE / max(rows.stop - rows.start, columns.stop - columns.start))
    rim = math.ceil(_FINE // 2 / ratio)
    top, left = max(0, rows.start - rim), max(0, columns.start - rim)
    values = plane[top : rows.stop + rim, left : columns.stop + rim].astype(np.float32)
    values /= np.float32(1 << (picture.format.bit_depth - 8))
    height, width = values.shape
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    fine: Detail = small - cv2.blur(small, (_FINE, _FINE))
    down, across = round((rows.start - top) * ratio), round((columns.start - left) * ratio)
    inner: Detail = fine[
        down : down + max(1, round((rows.stop - rows.start) * ratio)),
        across : across + max(1, round((columns.stop - columns.start) * ratio)),
    ]
    inner -= inner.mean()
    return inner
