"""CenterFace: one network that tells for each 4x4 cell whether a face has its centre there, and the size of the face.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", arXiv 1911.03599.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import optional_imports, test_time_augmentation, weights
from engine.detectors.base import DetectorSettings
from engine.detectors.nms import Boxes, Scores
from engine.record import Detection, DetectorFacts

_WEIGHTS_FILE = "centerface.onnx"
_INPUT_NAME = "input.1"
_SIDE_MULTIPLE_PX = 32
"""Sides of the network's input are multiples of this many pixels."""
_CELL_PX = 4
"""Pixels of the input for each cell of the output."""

CellMaps = NDArray[np.float32]
"""Output of the network for every cell, shape (1, values, rows, columns)."""


class CenterFaceSettings(DetectorSettings, frozen=True):
    """Parameters of CenterFace.

    Attributes:
        size: longest side in pixels to which pictures are scaled.
        enlargement: greatest factor by which smaller pictures are enlarged, so that small faces are found.
        mirror: True to detect in the mirrored picture, too.
        threshold: least score of a detection.
        suppression: of two detections that overlap by this IoU, only the better one is kept.
        threads: number of threads in each process.
    """

    size: Annotated[int, msgspec.Meta(ge=64, le=4096)] = 1280
    enlargement: Annotated[float, msgspec.Meta(ge=1.0, le=4.0)] = 2.0
    mirror: bool = False
    threshold: Annotated[float, msgspec.Meta(ge=0.05, le=1.0)] = 0.3
    suppression: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.3
    threads: Annotated[int, msgspec.Meta(ge=1)] = 1


class CenterFace:
    """Finds faces from about ten pixels, from frontal to half profile."""

    name: ClassVar[str] = "centerface"
    settings_type: ClassVar[type[DetectorSettings]] = CenterFaceSettings

    def __init__(self, settings: CenterFaceSettings, session: Any) -> None:
        self._settings = settings
        self._session = session

    @classmethod
    def describe(cls, settings: CenterFaceSettings) -> DetectorFacts:
        """See `Detector.describe`."""
        return DetectorFacts(
            name=cls.name,
            version=optional_imports.find_versions("onnxruntime", "opencv-python"),
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
            InputError: a library cannot be imported.
            ModelError: the weights are missing or are not the pinned ones.
        """
        cv2.setNumThreads(settings.threads)
        return cls(
            settings, _create_session(_free_input_size(weights.read_model(models, _WEIGHTS_FILE)), settings.threads)
        )

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        """See `Detector.detect`."""
        return [self._detect_picture(picture) for picture in pictures]

    def close(self) -> None:
        """Free the network."""
        self._session = None

    def _detect_picture(self, picture: Rgb) -> list[Detection]:
        settings = self._settings
        views = list(test_time_augmentation.list_views([settings.size], mirror=settings.mirror))
        return test_time_augmentation.detect_in_views(
            picture, self._detect_at_size, views, settings.suppression, self.name
        )

    def _detect_at_size(self, picture: Rgb, longest_side_px: int) -> tuple[Boxes, Scores]:
        assert self._session is not None, "the detector was closed"
        size = Size(picture.shape[1], picture.shape[0])
        seen = self._input_size(size, longest_side_px)
        centres, sizes, offsets, _landmarks = self._session.run(None, {_INPUT_NAME: _to_input_tensor(picture, seen)})
        boxes, scores = _decode_boxes(centres, sizes, offsets, self._settings.threshold)
        ratio = size.width / seen.width, size.height / seen.height
        return boxes * [*ratio, *ratio], scores

    def _input_size(self, size: Size, longest_side_px: int) -> Size:
        scale = min(self._settings.enlargement, longest_side_px / size.longest_side)
        return Size(max(1, round(size.width * scale)), max(1, round(size.height * scale)))


def _free_input_size(model: bytes) -> bytes:
    """Let the model, which was exported for ten pictures of 32x32 pixels, take one picture of any size.

    Its weights are no longer inputs afterwards, so that ONNX Runtime may fold them into the graph.
    """
    onnx = optional_imports.import_library("onnx", "onnx")
    graph = (document := onnx.load_from_string(model)).graph
    pictures = next(one for one in graph.input if one.name == _INPUT_NAME)
    for one in (pictures, *graph.output):
        count, _, height, width = one.type.tensor_type.shape.dim
        count.dim_value = 1
        height.dim_param, width.dim_param = f"height of {one.name}", f"width of {one.name}"
    del graph.input[:]
    graph.input.append(pictures)
    return bytes(document.SerializeToString())


def _create_session(model: bytes, threads: int) -> Any:
    onnxruntime = optional_imports.import_library("onnxruntime", "onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _to_input_tensor(picture: Rgb, input_size: Size) -> NDArray[np.float32]:
    """Scale a picture to `input_size` and add black at the right and below; shape (1, 3, rows, columns)."""
    method = cv2.INTER_AREA if input_size.width < picture.shape[1] else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(picture), (input_size.width, input_size.height), interpolation=method)
    rows, columns = (
        -(-side // _SIDE_MULTIPLE_PX) * _SIDE_MULTIPLE_PX for side in (input_size.height, input_size.width)
    )
    tensor = np.zeros((1, 3, rows, columns), np.float32)
    tensor[0, :, : input_size.height, : input_size.width] = resized.transpose(2, 0, 1)
    return tensor


def _decode_boxes(centres: CellMaps, sizes: CellMaps, offsets: CellMaps, threshold: float) -> tuple[Boxes, Scores]:
    """Return boxes, in pixels of the network's input, and scores of the cells that hold a centre."""
    rows, columns = np.nonzero(centres[0, 0] >= threshold)
    scores = centres[0, 0, rows, columns].astype(np.float64)
    # The network gives the logarithm of the size in cells, and the centre as a cell and an offset within it.
    height, width = np.exp(sizes[0, :, rows, columns].astype(np.float64)).T * _CELL_PX
    down, right = offsets[0, :, rows, columns].astype(np.float64).T
    x, y = (columns + right + 0.5) * _CELL_PX, (rows + down + 0.5) * _CELL_PX
    return np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1), scores
