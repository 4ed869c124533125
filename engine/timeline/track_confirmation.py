"""Which sightings are believed: weak evidence counts when another detector, or its track, bears it out.

The support of a sighting is its score over the score at which its detector is sure. At 1 it makes a face by itself;
what several detectors saw of one face in one frame adds up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from engine.record import Detection, TrackingSettings

CONFIDENT_SUPPORT = 1.0
"""Support that needs no track."""


def compute_support(evidence: Iterable[Detection], confident_scores: Mapping[str, float]) -> float:
    """How sure a face of one frame is.

    Args:
        evidence: who saw it.
        confident_scores: by detector, the score at which it is; a detector that is not named, or named with 0, always
            is.
    """
    return sum(
        seen.score / least if (least := confident_scores.get(seen.detector, 0.0)) > 0 else math.inf for seen in evidence
    )


def is_face(supported: Sequence[tuple[int, float]], settings: TrackingSettings) -> bool:
    """Whether a track is one: some stretch of it has more support than its frames, seen or unseen, cost.

    Leaves that look like a face now and then do not have that; a face has.

    Args:
        supported: frames in which the track was seen, rising, each with the support it gave.
        settings: what a frame costs, and how much must be left.
    """
    best = total = 0.0
    before = supported[0][0] - 1
    for index, value in supported:
        total = max(0.0, total - (index - before - 1) * settings.toll) + value - settings.toll
        best, total, before = max(best, total), max(0.0, total), index
    return best >= settings.support


def select_held_frames(supported: Sequence[tuple[int, float]], hold_frames: int) -> frozenset[int]:
    """Frames of a track from the sure sightings outwards, over weak ones that follow each other closely enough.

    Weak sightings between two sure ones are always held. Nothing is held when none is sure.

    Args:
        supported: frames in which the track was seen, rising, each with the support it gave.
        hold_frames: greatest distance in frames of a weak sighting from the next one that is held.
    """
    sure = [place for place, (_, value) in enumerate(supported) if value >= CONFIDENT_SUPPORT]
    if not sure:
        return frozenset()
    first, last = sure[0], sure[-1]
    while first > 0 and supported[first][0] - supported[first - 1][0] <= hold_frames:
        first -= 1
    while last + 1 < len(supported) and supported[last + 1][0] - supported[last][0] <= hold_frames:
        last += 1
    return frozenset(index for index, _ in supported[first : last + 1])
