"""BlazeFace, run by MediaPipe Tasks.

Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", arXiv 1907.05047. One model is for
faces within two metres of the camera, one for faces within five; the first finds very large faces that the other
misses.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec
import numpy as np

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import optional_imports, weights
from engine.detectors.base import DetectorSettings
from engine.detectors.nms import detections_from_boxes
from engine.record import Detection, DetectorFacts

_SHORT_RANGE_FILE, _FULL_RANGE_FILE = "face_detection_short_range.tflite", "face_detection_full_range.tflite"
_WEIGHTS_FILES = {
    "short": (_SHORT_RANGE_FILE,),
    "full": (_FULL_RANGE_FILE,),
    "both": (_SHORT_RANGE_FILE, _FULL_RANGE_FILE),
}
_LONGEST_SIDE_PX = 640
"""The models take 128 and 192 pixels, so a larger picture shows them no more; a smaller one makes the boxes, which are
whole pixels, coarser."""
_SCHEMA_PACKAGE = "mediapipe.tasks.metadata"
_HALF_RANGE = 127.5
"""Scales samples from 0..255 to -1..1, as in the training of the models."""


class MediaPipeSettings(DetectorSettings, frozen=True):
    """Parameters of BlazeFace.

    Attributes:
        range: the models that run; "both" merges their detections.
        threshold: least score of a detection.
        suppression: of two detections that overlap by this IoU, only the better one is kept.
    """

    range: Literal["short", "full", "both"] = "both"
    threshold: Annotated[float, msgspec.Meta(ge=0.05, le=1.0)] = 0.4
    suppression: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.3


class MediaPipe:
    """Finds near faces, in a few milliseconds."""

    name: ClassVar[str] = "mediapipe"
    settings_type: ClassVar[type[DetectorSettings]] = MediaPipeSettings

    def __init__(self, settings: MediaPipeSettings, models: Sequence[bytes]) -> None:
        self._suppression = settings.suppression
        self._library = _import_mediapipe()
        self._face_detectors = [
            _create_face_detector(self._library, _add_metadata(model), settings) for model in models
        ]

    @classmethod
    def describe(cls, settings: MediaPipeSettings) -> DetectorFacts:
        """See `Detector.describe`."""
        return DetectorFacts(
            name=cls.name,
            version=optional_imports.find_versions("mediapipe"),
            models=weights.describe_models(*_WEIGHTS_FILES[settings.range]),
            parameters=msgspec.structs.asdict(settings),
        )

    @classmethod
    def longest_side(cls, settings: MediaPipeSettings) -> int | None:  # noqa: ARG003
        """Return the same size for all settings, because the models see little of a large picture."""
        return _LONGEST_SIDE_PX

    @classmethod
    def load(cls, settings: MediaPipeSettings, models: Path) -> Self:
        """See `Detector.load`.

        Raises:
            InputError: mediapipe cannot be imported.
            ModelError: a file of weights is missing or is not the pinned one.
        """
        return cls(settings, [weights.read_model(models, name) for name in _WEIGHTS_FILES[settings.range]])

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        """See `Detector.detect`."""
        return [self._detect_picture(picture) for picture in pictures]

    def close(self) -> None:
        """Free the models."""
        while self._face_detectors:
            self._face_detectors.pop().close()

    def _detect_picture(self, picture: Rgb) -> list[Detection]:
        assert self._face_detectors, "the detector was closed"
        image = self._library.Image(image_format=self._library.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
        found = [face for task in self._face_detectors for face in task.detect(image).detections]
        scores = np.array([face.categories[0].score for face in found], np.float64).clip(0.0, 1.0)
        boxes = np.array([_to_corners(face.bounding_box) for face in found], np.float64).reshape(-1, 4)
        return detections_from_boxes(
            boxes, scores, Size(picture.shape[1], picture.shape[0]), self._suppression, self.name
        )


def _to_corners(box: Any) -> tuple[int, int, int, int]:
    return box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height


def _import_mediapipe() -> ModuleType:
    # For a decorator of its documentation, mediapipe imports TensorFlow if it is installed: four seconds, and a second
    # framework in this process. It works without; None makes the import fail.
    hidden = "tensorflow.tools.docs"
    sys.modules.setdefault(hidden, None)  # type: ignore[arg-type]
    return optional_imports.import_library("mediapipe", "mediapipe")


def _create_face_detector(library: ModuleType, model: bytes, settings: MediaPipeSettings) -> Any:
    vision = library.tasks.vision
    return vision.FaceDetector.create_from_options(
        vision.FaceDetectorOptions(
            base_options=library.tasks.BaseOptions(model_asset_buffer=model),
            min_detection_confidence=settings.threshold,
            min_suppression_threshold=settings.suppression,
        )
    )


def _add_metadata(model: bytes) -> bytes:
    """Add the metadata that MediaPipe Tasks requires and the published file lacks."""
    flatbuffers = optional_imports.import_library("flatbuffers", "flatbuffers")
    schema = optional_imports.import_library(f"{_SCHEMA_PACKAGE}.schema_py_generated", "mediapipe")
    document = schema.ModelT.InitFromPackedBuf(model, 0)
    content, entry = schema.BufferT(), schema.MetadataT()
    content.data = np.frombuffer(_pack_flatbuffer(flatbuffers, _build_metadata(), b"M001"), np.uint8)
    entry.name, entry.buffer = b"TFLITE_METADATA", len(document.buffers)
    document.buffers.append(content)
    document.metadata = [*(document.metadata or []), entry]
    return _pack_flatbuffer(flatbuffers, document, b"TFL3")


def _build_metadata() -> Any:
    schema = optional_imports.import_library(f"{_SCHEMA_PACKAGE}.metadata_schema_py_generated", "mediapipe")
    scaling, step, colours = schema.NormalizationOptionsT(), schema.ProcessUnitT(), schema.ImagePropertiesT()
    scaling.mean = scaling.std = [_HALF_RANGE]
    step.optionsType, step.options = schema.ProcessUnitOptions.NormalizationOptions, scaling
    colours.colorSpace = schema.ColorSpaceType.RGB
    content, tensor, graph, whole = (
        schema.ContentT(),
        schema.TensorMetadataT(),
        schema.SubGraphMetadataT(),
        schema.ModelMetadataT(),
    )
    content.contentPropertiesType, content.contentProperties = schema.ContentProperties.ImageProperties, colours
    tensor.content, tensor.processUnits = content, [step]
    graph.inputTensorMetadata = [tensor]
    whole.subgraphMetadata, whole.minParserVersion = [graph], "1.0.0"
    return whole


def _pack_flatbuffer(flatbuffers: ModuleType, document: Any, identifier: bytes) -> bytes:
    builder = flatbuffers.Builder()
    builder.Finish(document.Pack(builder), identifier)
    return bytes(builder.Output())
