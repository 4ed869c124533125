"""Rates over images or tracks, and how far they might be off because others could have been looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]
"""What was counted in each unit (row) for each rate (column)."""

_MAX_RESAMPLED_VALUES = 4_000_000
"""Numbers held in memory while resampling."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` out of `total`; the value is None for nothing out of nothing, the interval where none can be had."""

    count: int
    total: int
    value: float | None
    interval: tuple[float, float] | None


def compute_share(count: float, total: float) -> float | None:
    """`count` / `total`, None of nothing."""
    return float(count / total) if total else None


def compute_rates(counts: Counts, totals: Counts, *, confidence: float, resamples: int, seed: int) -> list[Rate]:
    """The rate of each column; arguments are those of `intervals`."""
    ends = bootstrap_intervals(counts, totals, confidence=confidence, resamples=resamples, seed=seed)
    return [
        Rate(int(count), int(total), compute_share(count, total), None if np.isnan(low) else (float(low), float(high)))
        for count, total, (low, high) in zip(counts.sum(axis=0), totals.sum(axis=0), ends, strict=True)
    ]


def bootstrap_intervals(counts: Counts, totals: Counts, *, confidence: float, resamples: int, seed: int) -> Counts:
    """Percentile bootstrap intervals of rates (Efron and Tibshirani, "An introduction to the bootstrap", 1993, ch. 13).

    A rate is the sum of its counts over the sum of its totals. Units are drawn with replacement, each with all it
    holds: faces of one image, or frames of one track, are not independent. The same arguments give the same intervals.

    Args:
        counts: numerators, shape (units, rates).
        totals: denominators, the same shape.
        confidence: of the intervals, as 0.95.
        resamples: how often the units are drawn again.
        seed: of the generator.

    Returns:
        Shape (rates, 2): both ends; NaN where fewer than two units hold anything, which leaves nothing to draw from.
    """
    ends = np.full((totals.shape[1], 2), np.nan)
    able = (totals > 0).sum(axis=0) >= 2
    if able.any():
        resampled = _resample_rates(counts[:, able], totals[:, able], resamples, np.random.default_rng(seed))
        tail = (1.0 - confidence) / 2
        ends[able] = np.nanquantile(resampled, [tail, 1.0 - tail], axis=0).T
    return ends


def _resample_rates(counts: Counts, totals: Counts, resamples: int, generator: np.random.Generator) -> Counts:
    """Rates of each resample, shape (resamples, rates); NaN where a resample drew nothing that a rate counts."""
    units = len(totals)
    drawn = np.empty((resamples, totals.shape[1]))
    step = max(1, _MAX_RESAMPLED_VALUES // units)
    for start in range(0, resamples, step):
        part = drawn[start : start + step]
        times = generator.multinomial(units, np.full(units, 1.0 / units), size=len(part)).astype(np.float64)
        denominators = times @ totals
        part[:] = np.divide(times @ counts, denominators, out=np.full_like(part, np.nan), where=denominators > 0)
    return drawn
