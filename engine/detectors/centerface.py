"""CenterFace: one network that tells for each 4x4 cell whether a face has its centre there, and the size of the face.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", arXiv 1911.03599.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from engine.detectors.openvino_network import PictureNetwork, choose_input_size
from engine.detectors.processor import Precision, preferred_precision
from engine.record import Detection, DetectorFacts

_WEIGHTS_FILE = "centerface.onnx"
_MEAN_RGB = (0, 0, 0)
_CELL_PX = 4
"""Pixels of the input for each cell of the output."""

CellMaps = NDArray[np.float32]
"""Output of the network for every cell, shape (1, values, rows, columns)."""


class CenterFaceSettings(DetectorSettings, frozen=True):
    """Parameters of CenterFace.

    Attributes:
        size: longest side in pixels to which pictures are scaled.
        enlargement: greatest factor by which smaller pictures are enlarged, so that small faces are found.
        overview: longest side of a second, small look, which finds faces that fill the picture; 0 for none.
        mirror: True to detect in the mirrored picture, too.
        turned: longest side of copies that are turned by 90, 180 and 270 degrees, for heads that lie; 0 for none.
        threshold: least score of a detection.
        suppression: of two detections that overlap by this IoU, only the better one is kept.
        precision: arithmetic of the network; by default the faster one that this machine has.
        threads: number of threads in each process.
    """

    size: Annotated[int, msgspec.Meta(ge=64, le=4096)] = 1280
    enlargement: Annotated[float, msgspec.Meta(ge=1.0, le=4.0)] = 2.0
    overview: Annotated[int, msgspec.Meta(ge=0, le=1024)] = 0
    mirror: bool = False
    turned: Annotated[int, msgspec.Meta(ge=0, le=4096)] = 0
    threshold: Annotated[float, msgspec.Meta(ge=0.05, le=1.0)] = 0.3
    suppression: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.3
    precision: Precision = msgspec.field(default_factory=preferred_precision)
    threads: Annotated[int, msgspec.Meta(ge=1)] = 1


class CenterFace:
    """Finds faces from about ten pixels, from frontal to half profile."""

    name: ClassVar[str] = "centerface"
    settings_type: ClassVar[type[DetectorSettings]] = CenterFaceSettings

    def __init__(self, settings: CenterFaceSettings, network: PictureNetwork) -> None:
        self._settings = settings
        self._network: PictureNetwork | None = network

    @classmethod
    def describe(cls, settings: CenterFaceSettings) -> DetectorFacts:
        """See `Detector.describe`."""
        return DetectorFacts(
            name=cls.name,
            version=optional_imports.find_versions("openvino", "opencv-python"),
            models=weights.describe_models(_WEIGHTS_FILE),
            parameters=msgspec.structs.asdict(settings),
        )

    @classmethod
    def longest_side(cls, settings: CenterFaceSettings) -> int | None:
        """Return the size to which pictures are scaled."""
        return settings.size

    @classmethod
    def load(cls, settings: CenterFaceSettings, models: Path) -> Self:
        """See `Detector.load`.

        Raises:
            InputError: a library cannot be imported, or the processor lacks the precision.
            ModelError: the weights are missing or are not the pinned ones.
        """
        cv2.setNumThreads(settings.threads)
        model = weights.read_model(models, _WEIGHTS_FILE)
        network = PictureNetwork(
            model, mean=_MEAN_RGB, bgr=False, precision=settings.precision, threads=settings.threads, detector=cls.name
        )
        return cls(settings, network)

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        """See `Detector.detect`."""
        return [self._detect_picture(picture) for picture in pictures]

    def close(self) -> None:
        """Free the network."""
        self._network = None

    def _detect_picture(self, picture: Rgb) -> list[Detection]:
        settings = self._settings
        views = list(
            test_time_augmentation.list_views(
                [settings.size], mirror=settings.mirror, overview=settings.overview, turned=settings.turned
            )
        )
        return test_time_augmentation.detect_in_views(
            picture, self._detect_at_size, views, settings.suppression, self.name
        )

    def _detect_at_size(self, picture: Rgb, longest_side_px: int) -> tuple[Boxes, Scores]:
        assert self._network is not None, "the detector was closed"
        size = Size(picture.shape[1], picture.shape[0])
        input_size = choose_input_size(size, longest_side_px, self._settings.enlargement)
        centres, sizes, offsets, _landmarks = self._network.run(picture, input_size)
        boxes, scores = _decode_boxes(centres, sizes, offsets, self._settings.threshold)
        ratio = size.width / input_size.width, size.height / input_size.height
        return boxes * [*ratio, *ratio], scores


def _decode_boxes(centres: CellMaps, sizes: CellMaps, offsets: CellMaps, threshold: float) -> tuple[Boxes, Scores]:
    """Return boxes, in pixels of the network's input, and scores of the cells that hold a centre."""
    rows, columns = np.nonzero(centres[0, 0] >= threshold)
    scores = centres[0, 0, rows, columns].astype(np.float64)
    # The network gives the logarithm of the size in cells, and the centre as a cell and an offset within it.
    height, width = np.exp(sizes[0, :, rows, columns].astype(np.float64)).T * _CELL_PX
    down, right = offsets[0, :, rows, columns].astype(np.float64).T
    x, y = (columns + right + 0.5) * _CELL_PX, (rows + down + 0.5) * _CELL_PX
    return np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1), scores
