"""Rates over images or tracks, with bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]
"""Counts of each unit (row) for each rate (column)."""

_MAX_RESAMPLED_VALUES = 4_000_000
"""Largest number of values in memory while resampling."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate of `count` out of `total`; the value is None for a total of 0, the interval for fewer than two units."""

    count: int
    total: int
    value: float | None
    interval: tuple[float, float] | None


def compute_share(count: float, total: float) -> float | None:
    """Return `count` / `total`, None for a total of 0."""
    return float(count / total) if total else None


def compute_rates(counts: Counts, totals: Counts, *, confidence: float, resamples: int, seed: int) -> list[Rate]:
    """Compute the rate of each column; the arguments are those of `bootstrap_intervals`."""
    ends = bootstrap_intervals(counts, totals, confidence=confidence, resamples=resamples, seed=seed)
    return [
        Rate(int(count), int(total), compute_share(count, total), None if np.isnan(low) else (float(low), float(high)))
        for count, total, (low, high) in zip(counts.sum(axis=0), totals.sum(axis=0), ends, strict=True)
    ]


def bootstrap_intervals(counts: Counts, totals: Counts, *, confidence: float, resamples: int, seed: int) -> Counts:
    """Compute percentile bootstrap intervals of rates.

    The method is that of Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13. A rate is the sum
    of its counts over the sum of its totals. Whole units are drawn with replacement, because the faces of one image,
    and the frames of one track, are not independent. The same arguments give the same intervals.

    Args:
        counts: Numerators, shape (units, rates).
        totals: Denominators, the same shape.
        confidence: Confidence level, such as 0.95.
        resamples: Number of resamples.
        seed: Seed of the generator.

    Returns:
        Both ends of each interval, shape (rates, 2). NaN for a rate with fewer than two units that count.
    """
    ends = np.full((totals.shape[1], 2), np.nan)
    # A rate of a single unit is the same in every resample, so its interval would claim a certainty that is not there.
    able = (totals > 0).sum(axis=0) >= 2
    if able.any():
        resampled = _resample_rates(counts[:, able], totals[:, able], resamples, np.random.default_rng(seed))
        tail = (1.0 - confidence) / 2
        ends[able] = np.nanquantile(resampled, [tail, 1.0 - tail], axis=0).T
    return ends


def _resample_rates(counts: Counts, totals: Counts, resamples: int, generator: np.random.Generator) -> Counts:
    """Compute the rates of each resample, shape (resamples, rates); NaN where a resample has a total of 0."""
    units = len(totals)
    drawn = np.empty((resamples, totals.shape[1]))
    # Drawing units with replacement is the same as drawing how often each is used. That is one matrix product for many
    # resamples, done in parts that fit in memory.
    step = max(1, _MAX_RESAMPLED_VALUES // units)
    for start in range(0, resamples, step):
        part = drawn[start : start + step]
        times = generator.multinomial(units, np.full(units, 1.0 / units), size=len(part)).astype(np.float64)
        denominators = times @ totals
        part[:] = np.divide(times @ counts, denominators, out=np.full_like(part, np.nan), where=denominators > 0)
    return drawn
