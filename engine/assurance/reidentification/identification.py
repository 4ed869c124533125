"""Identify people by embeddings. Pure functions on arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.assurance.reidentification.base import Embeddings


def compute_templates(galleries: Sequence[Embeddings]) -> Embeddings:
    """Return the template of each person, the mean embedding of the gallery, shape (people, dimensions)."""
    return np.array([gallery.mean(axis=0) for gallery in galleries])


def find_nearest(probes: Embeddings, known: Embeddings) -> NDArray[np.intp]:
    """Return, for each probe, the row of `known` with the smallest Euclidean distance."""
    distances = np.linalg.norm(probes[:, None, :] - known[None, :, :], axis=2)
    return np.asarray(distances.argmin(axis=1), dtype=np.intp)


def compute_identified_shares(probes: Sequence[Embeddings], known: Embeddings) -> NDArray[np.float64]:
    """Return, for each person, the share of the probes whose nearest template is that of the person."""
    return np.array([float((find_nearest(own, known) == person).mean()) for person, own in enumerate(probes)])


def centre_embeddings(groups: Sequence[Embeddings]) -> list[Embeddings]:
    """Return the direction of each embedding from the mean of all people, as unit vectors; each person counts the same.

    Masked faces all lie near one place, far from every unmasked face. The direction from there is what still tells
    people apart, so an attacker who knows this looks at the direction and not at the distance.
    """
    middle = compute_templates(groups).mean(axis=0)
    return [_normalise_rows(group - middle) for group in groups]


def _normalise_rows(rows: Embeddings) -> Embeddings:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    directions: Embeddings = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return directions


def group_similar_galleries(galleries: Sequence[Embeddings], max_distance: float) -> list[list[int]]:
    """Group the galleries of one person: their templates are within `max_distance`, directly or through others."""
    known = compute_templates(galleries)
    near = np.linalg.norm(known[:, None, :] - known[None, :, :], axis=2) <= max_distance
    groups: list[list[int]] = []
    for number in range(len(known)):
        joined = [group for group in groups if near[number, group].any()]
        groups = [group for group in groups if group not in joined]
        groups.append(sorted([number, *(member for group in joined for member in group)]))
    return sorted(groups)
