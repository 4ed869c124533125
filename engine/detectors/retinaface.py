"""RetinaFace with MobileNet 0.25: anchors on three feature maps, a box, a score and five landmarks for each.

Deng et al., "RetinaFace: Single-stage Dense Face Localisation in the Wild", arXiv 1905.00641. Small and quick: at the
full size of a 1080p frame it costs a third of CenterFace.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.detectors.nms import Boxes, Scores
from engine.detectors.openvino_network import padded_shape
from engine.detectors.view_detector import NetworkOutputs, ViewDetector, ViewDetectorSettings

_ANCHORS_PX_BY_STRIDE = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
"""Pixels of the input to a cell of each feature map, and the sides of the square anchors in each cell."""
_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2
"""Scale of the offsets that the network was trained to give."""


class RetinaFaceSettings(ViewDetectorSettings, frozen=True):
    """Parameters of RetinaFace: those of `ViewDetectorSettings`.

    The largest anchor has 512 pixels, so a face that fills a 1080p frame is only found in an overview.
    """

    size: Annotated[int, msgspec.Meta(ge=64, le=4096)] = 1920
    overview: Annotated[int, msgspec.Meta(ge=0, le=1024)] = 480


class RetinaFace(ViewDetector[RetinaFaceSettings]):
    """Finds faces from about ten pixels up."""

    name: ClassVar[str] = "retinaface"
    settings_type: ClassVar[type[RetinaFaceSettings]] = RetinaFaceSettings
    weights_file: ClassVar[str] = "retinaface-mobilenet025.onnx"
    mean_rgb: ClassVar[tuple[int, int, int]] = (123, 117, 104)
    takes_bgr: ClassVar[bool] = True

    def decode_outputs(self, outputs: NetworkOutputs, input_size: Size) -> tuple[Boxes, Scores]:
        """See `ViewDetector.decode_outputs`."""
        offsets, class_scores, _landmarks = outputs
        return _decode_boxes(offsets[0], class_scores[0, :, 1], input_size, self._settings.threshold)


def _decode_boxes(
    offsets: NDArray[np.float32], face_scores: NDArray[np.float32], input_size: Size, threshold: float
) -> tuple[Boxes, Scores]:
    """Boxes, in pixels of the network's input, and scores of the anchors that show a face.

    Args:
        offsets: shape (anchors, 4): centre and size relative to the anchor.
        face_scores: shape (anchors,).
        input_size: before padding.
        threshold: least score.
    """
    chosen = face_scores >= threshold
    anchors, offsets = _make_anchors(*padded_shape(input_size))[chosen], offsets[chosen].astype(np.float64)
    # Offsets are relative to the anchor, and scaled by the variances that the training used.
    centres = anchors[:, :2] + offsets[:, :2] * _CENTRE_VARIANCE * anchors[:, 2:]
    sizes = anchors[:, 2:] * np.exp(offsets[:, 2:] * _SIZE_VARIANCE)
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1), face_scores[chosen].astype(np.float64)


@lru_cache(maxsize=8)
def _make_anchors(rows: int, columns: int) -> NDArray[np.float64]:
    """Centre x, centre y, width and height of every anchor, in the order of the network's outputs."""
    maps = []
    for stride, sides in _ANCHORS_PX_BY_STRIDE:
        y, x = np.mgrid[0 : -(-rows // stride), 0 : -(-columns // stride)]
        centres = (np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) * stride
        # The network lists both anchors of a cell before it goes to the next cell.
        side = np.tile(sides, len(centres)).astype(np.float64)
        maps.append(np.column_stack([centres.repeat(len(sides), axis=0), side, side]))
    return np.concatenate(maps)
