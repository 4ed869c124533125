"""MTCNN: three small networks that propose, refine and confirm faces, several times as fast as the package `mtcnn`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Self

import cv2
import msgspec
import numpy as np

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import mtcnn_cascade as cascade
from engine.detectors import optional_imports, weights
from engine.detectors.base import DetectorSettings
from engine.detectors.mtcnn_networks import Networks
from engine.detectors.nms import detections_from_boxes
from engine.record import Detection, DetectorFacts, Score

_LEVEL_MAX_IOU = 0.5
"""IoU from which two proposals of one level are the same face."""
_MAX_OVERLAP = 0.7
"""The same across levels and after each network; after the last one, the share of the smaller box."""
_WEIGHTS_FILES = ("mtcnn-pnet.lz4", "mtcnn-rnet.lz4", "mtcnn-onet.lz4")


class MtcnnSettings(DetectorSettings, frozen=True):
    """Parameters of MTCNN.

    Attributes:
        min_face_size: side in pixels of the smallest face that is searched for.
        scale_factor: ratio of the sizes of successive levels of the image pyramid.
        proposal_threshold: least score at which P-Net proposes a face.
        refine_threshold: least score at which R-Net keeps it.
        threshold: least score at which O-Net reports it.
        threads: number of threads in each process.
    """

    min_face_size: Annotated[int, msgspec.Meta(ge=6)] = 20
    scale_factor: Annotated[float, msgspec.Meta(ge=0.3, le=0.95)] = 0.709
    proposal_threshold: Score = 0.6
    refine_threshold: Score = 0.7
    threshold: Score = 0.7
    threads: Annotated[int, msgspec.Meta(ge=1)] = 1


class Mtcnn:
    """Finds faces from 20 pixels to the whole frame at full resolution."""

    name: ClassVar[str] = "mtcnn"
    settings_type: ClassVar[type[DetectorSettings]] = MtcnnSettings

    def __init__(self, settings: MtcnnSettings, networks: Networks) -> None:
        self._settings = settings
        self._networks: Networks | None = networks

    @classmethod
    def describe(cls, settings: MtcnnSettings) -> DetectorFacts:
        """See `Detector.describe`."""
        return DetectorFacts(
            name=cls.name,
            version=optional_imports.find_versions("mtcnn", "openvino", "opencv-python"),
            models=weights.describe_models(*_WEIGHTS_FILES),
            parameters=msgspec.structs.asdict(settings),
        )

    @classmethod
    def longest_side(cls, settings: MtcnnSettings) -> int | None:  # noqa: ARG003
        """Return None, full size, because small faces need every pixel."""
        return None

    @classmethod
    def load(cls, settings: MtcnnSettings, models: Path) -> Self:
        """See `Detector.load`.

        Raises:
            InputError: a library cannot be imported.
            ModelError: a file of weights is missing or not the pinned one.
        """
        cv2.setNumThreads(settings.threads)
        return cls(settings, Networks(models, settings.threads))

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        """See `Detector.detect`."""
        return [self._detect_picture(picture) for picture in pictures]

    def close(self) -> None:
        """Free the networks."""
        self._networks = None

    def _detect_picture(self, picture: Rgb) -> list[Detection]:
        # Converted once: pyramid and crops are resampled from it, and rounding between would lose faces.
        samples, size = picture.astype(np.float32, order="C"), Size(picture.shape[1], picture.shape[0])
        squares = self._refine_squares(samples, self._propose_squares(samples, size))
        boxes, scores = self._confirm_faces(samples, squares)
        return detections_from_boxes(
            boxes, scores.astype(np.float64).clip(max=1.0), size, max_iou=1.0, detector=self.name
        )

    def _propose_squares(self, samples: cascade.Samples, size: Size) -> cascade.Boxes:
        """Return the squares that P-Net takes for faces."""
        settings = self._settings
        scales = cascade.pyramid_scales(size, settings.min_face_size, settings.scale_factor)
        found = [(np.empty((0, 4)), np.empty(0, np.float32))]
        for scale, level in zip(scales, cascade.build_pyramid(samples, scales), strict=True):
            offsets, scores = self._loaded_networks.propose(level)
            proposals = cascade.decode_proposals(scores, offsets, settings.proposal_threshold, scale)
            found.append(_suppress_overlaps(*proposals, _LEVEL_MAX_IOU))
        boxes, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        return cascade.expand_to_squares(_suppress_overlaps(boxes, scores, _MAX_OVERLAP)[0])

    def _refine_squares(self, samples: cascade.Samples, squares: cascade.Boxes) -> cascade.Boxes:
        """Return those of the squares that R-Net takes for faces, too."""
        if not len(squares):
            return squares
        offsets, scores = self._loaded_networks.refine(cascade.crop_boxes(samples, squares, 24))
        sure = scores > self._settings.refine_threshold
        boxes = cascade.apply_offsets(squares[sure], offsets[sure])
        return cascade.expand_to_squares(_suppress_overlaps(boxes, scores[sure], _MAX_OVERLAP)[0])

    def _confirm_faces(self, samples: cascade.Samples, squares: cascade.Boxes) -> tuple[cascade.Boxes, cascade.Scores]:
        """Return boxes and scores of those squares that O-Net takes for faces as well."""
        if not len(squares):
            return squares, np.empty(0, np.float32)
        offsets, scores = self._loaded_networks.confirm(cascade.crop_boxes(samples, squares, 48))
        sure = scores > self._settings.threshold
        boxes = cascade.apply_offsets(squares[sure], offsets[sure])
        return _suppress_overlaps(boxes, scores[sure], _MAX_OVERLAP, relative_to_smaller=True)

    @property
    def _loaded_networks(self) -> Networks:
        assert self._networks is not None, "the detector was closed"
        return self._networks


def _suppress_overlaps(
    boxes: cascade.Boxes, scores: cascade.Scores, overlap: float, *, relative_to_smaller: bool = False
) -> tuple[cascade.Boxes, cascade.Scores]:
    kept = cascade.select_distinct(boxes, scores, overlap, relative_to_smaller=relative_to_smaller)
    return boxes[kept], scores[kept]
