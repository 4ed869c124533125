"""Classes of face sizes for statistics."""

from __future__ import annotations

from collections.abc import Mapping

SIZE_CLASSES: Mapping[str, tuple[float, float]] = {
    "under_24": (0.0, 24.0),
    "from_24_to_48": (24.0, 48.0),
    "from_48": (48.0, float("inf")),
}
"""Classes by the height of a box in display pixels: from the first number to below the second."""
Interval = tuple[float, float]
