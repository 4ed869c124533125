"""CenterFace: one network that tells for each 4x4 cell whether a face has its centre there, and the size of the face.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", arXiv 1911.03599.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.detectors.nms import Boxes, Scores
from engine.detectors.view_detector import NetworkOutputs, ViewDetector, ViewDetectorSettings

_CELL_PX = 4
"""Pixels of the input for each cell of the output."""

CellMaps = NDArray[np.float32]
"""Output of the network for every cell, shape (1, values, rows, columns)."""


class CenterFaceSettings(ViewDetectorSettings, frozen=True):
    """Parameters of CenterFace: those of `ViewDetectorSettings`, and one of its own.

    Attributes:
        mirror: True to detect in the mirrored picture, too.
    """

    threshold: Annotated[float, msgspec.Meta(ge=0.05, le=1.0)] = 0.3
    suppression: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.3
    mirror: bool = False


class CenterFace(ViewDetector[CenterFaceSettings]):
    """Finds faces from about ten pixels, from frontal to half profile."""

    name: ClassVar[str] = "centerface"
    settings_type: ClassVar[type[CenterFaceSettings]] = CenterFaceSettings
    weights_file: ClassVar[str] = "centerface.onnx"
    mean_rgb: ClassVar[tuple[int, int, int]] = (0, 0, 0)
    takes_bgr: ClassVar[bool] = False

    def mirrors(self) -> bool:
        """See `ViewDetector.mirrors`."""
        return self._settings.mirror

    def decode_outputs(self, outputs: NetworkOutputs, input_size: Size) -> tuple[Boxes, Scores]:
        """See `ViewDetector.decode_outputs`."""
        del input_size  # the maps tell where their cells are
        centres, sizes, offsets, _landmarks = outputs
        return _decode_boxes(centres, sizes, offsets, self._settings.threshold)


def _decode_boxes(centres: CellMaps, sizes: CellMaps, offsets: CellMaps, threshold: float) -> tuple[Boxes, Scores]:
    """Return boxes, in pixels of the network's input, and scores of the cells that hold a centre."""
    rows, columns = np.nonzero(centres[0, 0] >= threshold)
    scores = centres[0, 0, rows, columns].astype(np.float64)
    # The network gives the logarithm of the size in cells, and the centre as a cell and an offset within it.
    height, width = np.exp(sizes[0, :, rows, columns].astype(np.float64)).T * _CELL_PX
    down, right = offsets[0, :, rows, columns].astype(np.float64).T
    x, y = (columns + right + 0.5) * _CELL_PX, (rows + down + 0.5) * _CELL_PX
    return np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1), scores
