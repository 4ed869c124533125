"""Detection of cuts in small luma thumbnails.

Two frames of one scene look alike if each block is compared with the nearby blocks of the frame before, so that a pan
or a gesture changes little, and their histograms are alike; two scenes differ in both. Brightness and contrast are
normalised first and overexposed blocks are skipped, so that a fade or a flash is not a cut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Thumbnail = NDArray[np.uint8]
"""Luma of a frame scaled down to about 64x36, shape (rows, columns), the same for all frames of a video."""


class CutSettings(Protocol):
    """The two settings that decide what a cut is."""

    @property
    def cut_threshold(self) -> float:
        """Change between successive frames, 0 to 1, from which there may be a cut."""

    @property
    def cut_prominence(self) -> float:
        """Least ratio of a cut's change to the usual change around it."""


_BLOCKS = (4, 8)
_SEARCH_SAMPLES = (4, 8)
"""Rows and columns by which a block may have moved since the frame before, tried in steps of `_SEARCH_STEP`."""
_SEARCH_STEP = 2
_MIN_CONTRAST = np.float32(10)
"""Standard deviation below which contrast is not stretched further, because it would be noise."""
_BLOWN_OUT_LUMA = 232
"""White in video range is 235."""
_MIN_BLOCKS = 8
_HISTOGRAM_BINS = 16
_CUT_HISTOGRAM_CHANGE = 0.12
"""Share of samples that change their histogram bin in every cut; pans and motion stay below it."""
_NEIGHBOUR_FRAMES = 4
_MAX_FLASH_FRAMES = 2
"""Frames a flash may last."""


def measure_change(before: Thumbnail, after: Thumbnail) -> float:
    """Measure the change between two successive frames, 0 to 1, on a grid of 1/10000; negative if it got darker.

    The sign tells a flash from two cuts: a flash gets brighter and then darker again.

    Raises:
        ValueError: the thumbnails have different shapes.
    """
    if before.shape != after.shape:
        raise ValueError(f"thumbnails of one video have one shape, got {before.shape} and {after.shape}")
    # The histogram is cheap: if it does not change at all, the costly search for moved blocks is skipped.
    weight = min(1.0, _measure_histogram_change(before, after) / _CUT_HISTOGRAM_CHANGE)
    if weight == 0.0:
        return 0.0
    amount = round(min(1.0, weight * _measure_structure_change(before, after)), 4)
    return amount if after.sum(dtype=np.int64) >= before.sum(dtype=np.int64) else -amount


def find_cuts(values: Sequence[float], settings: CutSettings) -> tuple[int, ...]:
    """Return the indices of the frames that begin a new scene.

    A cut reaches the threshold, stands out from the changes around it (fast motion does not), and is the greatest of
    directly successive changes, or the first of equals. A flash, which is brighter for a frame or two, is not a cut.

    Args:
        values: for each frame its change from the frame before (see `measure_change`); the first is ignored.
        settings: threshold and prominence.
    """
    # Whether a change is a cut depends on the changes after it, so this needs the whole video.
    bare = np.abs(_remove_flashes(np.array(values, dtype=np.float64), settings.cut_threshold))
    bare[:1] = 0.0
    cuts: list[int] = []
    for index in np.flatnonzero(bare >= settings.cut_threshold).tolist():
        around = [*bare[max(1, index - _NEIGHBOUR_FRAMES) : index], *bare[index + 1 : index + 1 + _NEIGHBOUR_FRAMES]]
        # A cut through a mixed frame makes two great changes in a row. Only one of them counts, or the mixed frame
        # would be a scene of its own.
        peak = bare[index] > bare[index - 1] and bare[index] >= max(bare[index + 1 : index + 2], default=0.0)
        if peak and _is_prominent(bare[index], around, settings):
            cuts.append(index)
    return tuple(cuts)


class CutDetector:
    """Finds cuts while frames arrive. Unlike `find_cuts` it cannot look ahead, so it may take a flash for a cut."""

    def __init__(self, settings: CutSettings) -> None:
        self._settings = settings
        self._previous_thumbnail: Thumbnail | None = None
        self._recent_changes: deque[float] = deque(maxlen=_NEIGHBOUR_FRAMES)

    def is_cut(self, thumbnail: Thumbnail) -> bool:
        """Return True if the frame of this thumbnail begins a new scene; the first frame never does."""
        before, self._previous_thumbnail = self._previous_thumbnail, thumbnail
        if before is None:
            return False
        value = abs(measure_change(before, thumbnail))
        found = value >= self._settings.cut_threshold and _is_prominent(value, self._recent_changes, self._settings)
        self._recent_changes.append(value)
        return found


def _remove_flashes(values: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Set the changes into a flash and out of it to zero, in place."""
    # Half the threshold, because one of the two changes of a flash may stay below it; the other one would then count as
    # a cut.
    for index in np.flatnonzero(values >= threshold / 2).tolist():
        for back in range(index + 1, min(index + 1 + _MAX_FLASH_FRAMES, len(values))):
            into, out_of = values[index], -values[back]
            # A flash gets brighter and then darker by about as much; two cuts in a row rarely do.
            if max(into, out_of) >= threshold and min(into, out_of) >= max(into, out_of) / 2:
                values[[index, back]] = 0.0
    return values


def _is_prominent(value: float, around: Sequence[float] | deque[float], settings: CutSettings) -> bool:
    # The median and not the mean: another great change nearby must not raise the bar for this one.
    return not around or value >= settings.cut_prominence * float(np.median(around))


def _measure_histogram_change(before: Thumbnail, after: Thumbnail) -> float:
    counts = [
        np.bincount((thumb // (256 // _HISTOGRAM_BINS)).ravel(), minlength=_HISTOGRAM_BINS) for thumb in (before, after)
    ]
    return float(np.abs(counts[0] - counts[1]).sum()) / (2 * before.size)


def _measure_structure_change(before: Thumbnail, after: Thumbnail) -> float:
    """Return the mean difference of each block to the most similar nearby block before, in standard deviations."""
    rows, columns = (min(side, blocks) for side, blocks in zip(after.shape, _BLOCKS, strict=True))
    moved = np.lib.stride_tricks.sliding_window_view(
        np.pad(_standardise(before), [(reach, reach) for reach in _SEARCH_SAMPLES], mode="edge"), after.shape
    )[::_SEARCH_STEP, ::_SEARCH_STEP]
    apart = np.abs(moved - _standardise(after))
    best = (_block_sums(apart, rows, columns) / _block_sums(np.ones_like(apart[0, 0]), rows, columns)).min(axis=(0, 1))
    blown = np.maximum(_block_means(before, rows, columns), _block_means(after, rows, columns)) >= _BLOWN_OUT_LUMA
    # Divided by no fewer than `_MIN_BLOCKS`, so that in a nearly white frame one or two blocks do not make a cut.
    return float(best[~blown].sum()) / max(_MIN_BLOCKS, int((~blown).sum()))


def _standardise(thumbnail: Thumbnail) -> NDArray[np.float32]:
    """Blur slightly and normalise to mean zero and, unless nearly flat, standard deviation one."""
    # The 3x3 mean suppresses noise, and movement by a fraction of a sample, which a search by whole samples misses.
    rows, columns = thumbnail.shape
    padded = np.pad(thumbnail.astype(np.float32), 1, mode="edge")
    soft = np.zeros((rows, columns), dtype=np.float32)
    for down in range(3):
        for right in range(3):
            soft += padded[down : down + rows, right : right + columns]
    soft /= 9
    centred: NDArray[np.float32] = (soft - soft.mean()) / np.maximum(soft.std(), _MIN_CONTRAST)
    return centred


def _block_means(thumbnail: Thumbnail, rows: int, columns: int) -> NDArray[np.float32]:
    values = thumbnail.astype(np.float32)
    return _block_sums(values, rows, columns) / _block_sums(np.ones_like(values), rows, columns)


def _block_sums(values: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    """Return the sums over a grid of blocks of the last two axes."""
    height, width = values.shape[-2:]
    tall = np.add.reduceat(values, np.arange(rows) * height // rows, axis=-2)
    sums: NDArray[np.float32] = np.add.reduceat(tall, np.arange(columns) * width // columns, axis=-1)
    return sums
