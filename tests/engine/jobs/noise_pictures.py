"""Pictures for thumbnails."""

import numpy as np


def noise(width=160, height=120):
    """A picture of which every pixel differs from its neighbours."""
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
