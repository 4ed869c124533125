"""Intervals of a share that was counted, each with what it needs to be right."""

from __future__ import annotations

import math

from engine.core.face_sizes import Interval


def wilson_interval(share: float, trials: int, confidence: float = 0.95) -> Interval | None:
    """Wilson's score interval (Wilson, "Probable inference", 1927) of a share seen in `trials` independent trials.

    Returns:
        Both ends; None of no trial.
    """
    if not trials:
        return None
    from scipy.special import ndtri  # noqa: PLC0415 - other verbs do not wait for scipy

    z = float(ndtri(0.5 + confidence / 2))
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def clopper_pearson_interval(count: int, trials: int, confidence: float = 0.95) -> Interval | None:
    """The exact interval of a share (Clopper and Pearson, "The use of confidence or fiducial limits", 1934).

    Of `count` in `trials` independent trials. It holds at least what `confidence` says, whatever the share.

    Returns:
        Both ends; None of no trial.
    """
    if not trials:
        return None
    tail = (1 - confidence) / 2
    return (
        0.0 if count == 0 else _beta_quantile(count, trials - count + 1, tail),
        1.0 if count == trials else _beta_quantile(count + 1, trials - count, 1 - tail),
    )


def binomial_upper_bound(count: int, trials: int, confidence: float = 0.95) -> float | None:
    """Upper bound of a share of which `count` were seen in `trials` independent trials; for none about 3 / number.

    The exact one-sided bound, known for a count of 0 as the rule of three (Hanley and Lippman-Hand, "If nothing goes
    wrong, is everything all right?", 1983).

    Returns:
        None of no trial.
    """
    if not trials:
        return None
    return 1.0 if count >= trials else _beta_quantile(count + 1, trials - count, confidence)


def _beta_quantile(alpha: float, beta: float, probability: float) -> float:
    from scipy.special import betaincinv  # noqa: PLC0415 - other verbs do not wait for scipy

    return float(betaincinv(alpha, beta, probability))
