"""RetinaFace with MobileNet 0.25: anchors on three feature maps, a box, a score and five landmarks for each.

Deng et al., "RetinaFace: Single-stage Dense Face Localisation in the Wild", arXiv 1905.00641. Small and quick: at the
full size of a 1080p frame it costs a third of CenterFace.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, ClassVar, Self

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import optional_imports, test_time_augmentation, weights
from engine.detectors.base import DetectorSettings
from engine.detectors.nms import Boxes, Scores
from engine.detectors.openvino_network import PictureNetwork, choose_input_size, padded_shape
from engine.detectors.processor import Precision, preferred_precision
from engine.record import Detection, DetectorFacts

_WEIGHTS_FILE = "retinaface-mobilenet025.onnx"
_MEAN_RGB = (123, 117, 104)
_ANCHORS_PX_BY_STRIDE = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
"""Pixels of the input to a cell of each feature map, and the sides of the square anchors in each cell."""
_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2
"""Scale of the offsets that the network was trained to give."""


class RetinaFaceSettings(DetectorSettings, frozen=True):
    """Parameters of RetinaFace.

    Attributes:
        size: longest side in pixels at which pictures are looked at.
        overview: longest side of a second, small look, which finds faces larger than the largest anchor; 0 for none.
        turned: longest side of copies that are turned by 90, 180 and 270 degrees, for heads that lie; 0 for none.
        enlargement: how many times smaller pictures are enlarged at most; small faces are found by it.
        threshold: least score of a detection.
        suppression: of two detections that overlap by this IoU, the better one is kept.
        precision: arithmetic of the network; by default the faster one that this machine has.
        threads: that one process computes with.
    """

    size: Annotated[int, msgspec.Meta(ge=64, le=4096)] = 1920
    overview: Annotated[int, msgspec.Meta(ge=0, le=1024)] = 480
    turned: Annotated[int, msgspec.Meta(ge=0, le=4096)] = 0
    enlargement: Annotated[float, msgspec.Meta(ge=1.0, le=4.0)] = 2.0
    threshold: Annotated[float, msgspec.Meta(ge=0.02, le=1.0)] = 0.5
    suppression: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.4
    precision: Precision = msgspec.field(default_factory=preferred_precision)
    threads: Annotated[int, msgspec.Meta(ge=1)] = 1


class RetinaFace:
    """Finds faces from about ten pixels up."""

    name: ClassVar[str] = "retinaface"
    settings_type: ClassVar[type[DetectorSettings]] = RetinaFaceSettings

    def __init__(self, settings: RetinaFaceSettings, network: PictureNetwork) -> None:
        self._settings = settings
        self._network: PictureNetwork | None = network

    @classmethod
    def describe(cls, settings: RetinaFaceSettings) -> DetectorFacts:
        """See `Detector.describe`."""
        return DetectorFacts(
            name=cls.name,
            version=optional_imports.find_versions("openvino", "opencv-python"),
            models=weights.describe_models(_WEIGHTS_FILE),
            parameters=msgspec.structs.asdict(settings),
        )

    @classmethod
    def longest_side(cls, settings: RetinaFaceSettings) -> int | None:
        """See `Detector.longest_side`."""
        return settings.size

    @classmethod
    def load(cls, settings: RetinaFaceSettings, models: Path) -> Self:
        """See `Detector.load`.

        Raises:
            InputError: a library cannot be imported, or the processor lacks the precision.
            ModelError: the weights are missing or not the pinned ones.
        """
        # OpenCV would otherwise resize with all cores, and workers would slow each other down.
        cv2.setNumThreads(settings.threads)
        model = weights.read_model(models, _WEIGHTS_FILE)
        network = PictureNetwork(
            model, mean=_MEAN_RGB, bgr=True, precision=settings.precision, threads=settings.threads, detector=cls.name
        )
        return cls(settings, network)

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        """See `Detector.detect`."""
        return [self._detect_picture(picture) for picture in pictures]

    def close(self) -> None:
        """Let go of the network."""
        self._network = None

    def _detect_picture(self, picture: Rgb) -> list[Detection]:
        settings = self._settings
        # The largest anchor has 512 pixels, so a face that fills a 1080p frame is only found in an overview.
        views = list(
            test_time_augmentation.list_views(
                [settings.size], mirror=False, overview=settings.overview, turned=settings.turned
            )
        )
        return test_time_augmentation.detect_in_views(
            picture, self._detect_at_size, views, settings.suppression, self.name
        )

    def _detect_at_size(self, picture: Rgb, longest_side_px: int) -> tuple[Boxes, Scores]:
        assert self._network is not None, "the detector was closed"
        size = Size(picture.shape[1], picture.shape[0])
        input_size = choose_input_size(size, longest_side_px, self._settings.enlargement)
        offsets, class_scores, _landmarks = self._network.run(picture, input_size)
        boxes, scores = _decode_boxes(offsets[0], class_scores[0, :, 1], input_size, self._settings.threshold)
        ratio = size.width / input_size.width, size.height / input_size.height
        return boxes * [*ratio, *ratio], scores


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
