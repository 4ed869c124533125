"""Intervals of a share that was counted in independent trials."""

from __future__ import annotations

import math

from engine.core.face_sizes import Interval


def wilson_interval(share: float, trials: int, confidence: float = 0.95) -> Interval | None:
    """Compute the score interval (Wilson, "Probable inference", 1927) of a share seen in `trials` independent trials.

    Returns:
        Both ends, or None without a trial.
    """
    if not trials:
        return None
    from scipy.special import ndtri  # noqa: PLC0415 - scipy is slow to import, and most verbs do not need it

    z = float(ndtri(0.5 + confidence / 2))
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def clopper_pearson_interval(count: int, trials: int, confidence: float = 0.95) -> Interval | None:
    """Compute the exact interval (Clopper and Pearson, "The use of confidence or fiducial limits", 1934) of a share.

    The share is `count` of `trials` independent trials. The interval is never too narrow, whatever the true share.

    Returns:
        Both ends, or None without a trial.
    """
    if not trials:
        return None
    tail = (1 - confidence) / 2
    return (
        0.0 if count == 0 else _beta_quantile(count, trials - count + 1, tail),
        1.0 if count == trials else _beta_quantile(count + 1, trials - count, 1 - tail),
    )


def binomial_upper_bound(count: int, trials: int, confidence: float = 0.95) -> float | None:
    """Compute the upper bound of a share that was seen `count` times in `trials` independent trials.

    It is the exact one-sided bound. For a count of 0 it is about 3 / trials, the rule of three (Hanley and
    Lippman-Hand, "If nothing goes wrong, is everything all right?", 1983).

    Returns:
        The bound, or None without a trial.
    """
    if not trials:
        return None
    return 1.0 if count >= trials else _beta_quantile(count + 1, trials - count, confidence)


def _beta_quantile(alpha: float, beta: float, probability: float) -> float:
    from scipy.special import betaincinv  # noqa: PLC0415 - scipy is slow to import, and most verbs do not need it

    return float(betaincinv(alpha, beta, probability))
