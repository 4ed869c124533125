"""Who is who by embeddings, and how sure a rate of that is. Pure functions on arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.assurance.reidentification.base import Prints

_Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""


def templates(galleries: Sequence[Prints]) -> Prints:
    """What an attacker keeps of each person: the mean of the embeddings of her gallery, shape (people, dimensions)."""
    return np.array([gallery.mean(axis=0) for gallery in galleries])


def nearest(probes: Prints, known: Prints) -> NDArray[np.intp]:
    """For each probe the row of `known` at the least Euclidean distance."""
    distances = np.linalg.norm(probes[:, None, :] - known[None, :, :], axis=2)
    return np.asarray(distances.argmin(axis=1), dtype=np.intp)


def identified(probes: Sequence[Prints], known: Prints) -> NDArray[np.float64]:
    """For each person the share of her probes whose nearest template is hers."""
    return np.array([float((nearest(own, known) == person).mean()) for person, own in enumerate(probes)])


def centred(groups: Sequence[Prints]) -> list[Prints]:
    """Which way each embedding lies from what is common to all people, each person counting the same; unit vectors.

    Masked faces all lie near one place, far from every unmasked one. What little tells them apart is the way in which
    they lie off it.
    """
    middle = templates(groups).mean(axis=0)
    return [_unit(group - middle) for group in groups]


def _unit(rows: Prints) -> Prints:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    directions: Prints = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return directions


def alike(galleries: Sequence[Prints], distance: float) -> list[list[int]]:
    """Which galleries are of one person: their templates lie within `distance`, directly or over others."""
    known = templates(galleries)
    near = np.linalg.norm(known[:, None, :] - known[None, :, :], axis=2) <= distance
    groups: list[list[int]] = []
    for number in range(len(known)):
        joined = [group for group in groups if near[number, group].any()]
        groups = [group for group in groups if group not in joined]
        groups.append(sorted([number, *(member for group in joined for member in group)]))
    return sorted(groups)


def wilson(share: float, people: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, JASA 22, 1927), as if each person had been one trial.

    Probes of one person are much alike, so counting each of them as a trial would make the interval too narrow.
    """
    spread = _Z * math.sqrt(share * (1 - share) / people + _Z * _Z / (4 * people * people))
    middle, whole = share + _Z * _Z / (2 * people), 1 + _Z * _Z / people
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)
