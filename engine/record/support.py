"""Support: how much the evidence for a face weighs against the confident scores of its detectors.

The support of a detection is its score divided by its detector's confident score. At 1, one detection alone counts as a
face; the support of several detectors for one face in one frame adds up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from engine.record.types import Detection

CONFIDENT_SUPPORT = 1.0
"""Support that needs no confirmation by a track."""


def compute_support(evidence: Iterable[Detection], confident_scores: Mapping[str, float]) -> float:
    """Return the support for a face in one frame.

    Args:
        evidence: the detections of the face.
        confident_scores: confident score by detector; if it is 0 or absent, any detection gives infinite support.
    """
    return sum(
        seen.score / least if (least := confident_scores.get(seen.detector, 0.0)) > 0 else math.inf for seen in evidence
    )
