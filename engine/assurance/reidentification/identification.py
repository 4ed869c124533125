"""Who is who by embeddings, and how sure a rate of that is. Pure functions on arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.assurance.reidentification.base import Embeddings


def compute_templates(galleries: Sequence[Embeddings]) -> Embeddings:
    """What an attacker keeps of each person: the mean of the embeddings of her gallery, shape (people, dimensions)."""
    return np.array([gallery.mean(axis=0) for gallery in galleries])


def find_nearest(probes: Embeddings, known: Embeddings) -> NDArray[np.intp]:
    """For each probe the row of `known` at the least Euclidean distance."""
    distances = np.linalg.norm(probes[:, None, :] - known[None, :, :], axis=2)
    return np.asarray(distances.argmin(axis=1), dtype=np.intp)


def compute_identified_shares(probes: Sequence[Embeddings], known: Embeddings) -> NDArray[np.float64]:
    """For each person the share of her probes whose nearest template is hers."""
    return np.array([float((find_nearest(own, known) == person).mean()) for person, own in enumerate(probes)])


def centre_embeddings(groups: Sequence[Embeddings]) -> list[Embeddings]:
    """Which way each embedding lies from what is common to all people, each person counting the same; unit vectors.

    Masked faces all lie near one place, far from every unmasked one. What little tells them apart is the way in which
    they lie off it.
    """
    middle = compute_templates(groups).mean(axis=0)
    return [_normalise_rows(group - middle) for group in groups]


def _normalise_rows(rows: Embeddings) -> Embeddings:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    directions: Embeddings = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return directions


def group_similar_galleries(galleries: Sequence[Embeddings], max_distance: float) -> list[list[int]]:
    """Which galleries are of one person: their templates lie within `max_distance`, directly or over others."""
    known = compute_templates(galleries)
    near = np.linalg.norm(known[:, None, :] - known[None, :, :], axis=2) <= max_distance
    groups: list[list[int]] = []
    for number in range(len(known)):
        joined = [group for group in groups if near[number, group].any()]
        groups = [group for group in groups if group not in joined]
        groups.append(sorted([number, *(member for group in joined for member in group)]))
    return sorted(groups)
