"""A detector that is one fully convolutional network, which looks at several views of a picture.

CenterFace and RetinaFace share everything but their weights and the meaning of the network's outputs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar, Generic, Self, TypeVar

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import optional_imports, test_time_augmentation, weights
from engine.detectors.base import DetectorSettings
from engine.detectors.nms import Boxes, Scores
from engine.detectors.openvino_network import InputFormat, PictureNetwork, choose_input_size
from engine.detectors.processor import Precision, preferred_precision
from engine.record import Detection, DetectorFacts

NetworkOutputs = Sequence[NDArray[np.float32]]
"""The outputs of a network, in its own order."""


class ViewDetectorSettings(DetectorSettings, frozen=True):
    """Parameters that every such detector has; each has defaults of its own.

    Attributes:
        size: longest side in pixels to which pictures are scaled.
        enlargement: greatest factor by which smaller pictures are enlarged, so that small faces are found.
        overview: longest side of a second, small look, which finds faces that fill the picture; 0 for none.
        turned: longest side of copies that are turned by 90, 180 and 270 degrees, for heads that lie; 0 for none.
        threshold: least score of a detection.
        suppression: of two detections that overlap by this IoU, only the better one is kept.
        precision: arithmetic of the network; by default the faster one that this machine has.
        threads: number of threads in each process.
    """

    size: Annotated[int, msgspec.Meta(ge=64, le=4096)] = 1280
    enlargement: Annotated[float, msgspec.Meta(ge=1.0, le=4.0)] = 2.0
    overview: Annotated[int, msgspec.Meta(ge=0, le=1024)] = 0
    turned: Annotated[int, msgspec.Meta(ge=0, le=4096)] = 0
    threshold: Annotated[float, msgspec.Meta(ge=0.02, le=1.0)] = 0.5
    suppression: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.4
    precision: Precision = msgspec.field(default_factory=preferred_precision)
    threads: Annotated[int, msgspec.Meta(ge=1)] = 1


SettingsT = TypeVar("SettingsT", bound=ViewDetectorSettings)


class ViewDetector(ABC, Generic[SettingsT]):
    """Base of the detectors; a subclass names its network and decodes the outputs."""

    name: ClassVar[str]
    weights_file: ClassVar[str]
    mean_rgb: ClassVar[tuple[int, int, int]]
    """Mean that is subtracted from red, green and blue."""
    takes_bgr: ClassVar[bool]
    """The network was trained on pictures with blue first."""

    def __init__(self, settings: SettingsT, network: PictureNetwork) -> None:
        self._settings = settings
        self._network: PictureNetwork | None = network

    @classmethod
    def describe(cls, settings: SettingsT) -> DetectorFacts:
        """See `Detector.describe`."""
        return DetectorFacts(
            name=cls.name,
            version=optional_imports.find_versions("openvino", "opencv-python"),
            models=weights.describe_models(cls.weights_file),
            parameters=msgspec.structs.asdict(settings),
        )

    @classmethod
    def longest_side(cls, settings: SettingsT) -> int | None:
        """Return the size to which pictures are scaled."""
        return settings.size

    @classmethod
    def load(cls, settings: SettingsT, models: Path) -> Self:
        """See `Detector.load`.

        Raises:
            InputError: a library cannot be imported, or the processor lacks the precision.
            ModelError: the weights are missing or are not the pinned ones.
        """
        # OpenCV would otherwise resize with all cores, and workers would slow each other down.
        cv2.setNumThreads(settings.threads)
        network = PictureNetwork(
            weights.read_model(models, cls.weights_file),
            # Padding in the mean colour is zero inside the network, as the padding of its own convolutions is.
            InputFormat(mean=cls.mean_rgb, padding=cls.mean_rgb, bgr=cls.takes_bgr),
            precision=settings.precision,
            threads=settings.threads,
            detector=cls.name,
        )
        return cls(settings, network)

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        """See `Detector.detect`."""
        return [self._detect_picture(picture, self._settings.overview) for picture in pictures]

    def detect_parts(self, parts: Sequence[Rgb], whole: Size) -> list[list[Detection]]:
        """See `PartDetector.detect_parts`; without the overview, which is there for faces that fill the picture."""
        return [self._detect_picture(part, 0, whole) for part in parts]

    def close(self) -> None:
        """Free the network."""
        self._network = None

    def mirrors(self) -> bool:
        """Return True if the mirrored picture is looked at, too."""
        return False

    @abstractmethod
    def decode_outputs(self, outputs: NetworkOutputs, input_size: Size) -> tuple[Boxes, Scores]:
        """Return boxes, in pixels of the network's input, and scores of at least the threshold.

        Args:
            outputs: what the network gave; the next look overwrites it.
            input_size: size of the input before padding.
        """

    def _detect_picture(self, picture: Rgb, overview: int, whole: Size | None = None) -> list[Detection]:
        settings = self._settings
        views = list(
            test_time_augmentation.list_views(
                [settings.size], mirror=self.mirrors(), overview=overview, turned=settings.turned
            )
        )
        return test_time_augmentation.detect_in_views(
            picture, partial(self._detect_at_size, whole=whole), views, settings.suppression, self.name
        )

    def _detect_at_size(self, picture: Rgb, longest_side_px: int, whole: Size | None = None) -> tuple[Boxes, Scores]:
        assert self._network is not None, "the detector was closed"
        size = Size(picture.shape[1], picture.shape[0])
        input_size = choose_input_size(size, longest_side_px, self._settings.enlargement, whole)
        boxes, scores = self.decode_outputs(self._network.run(picture, input_size), input_size)
        ratio = size.width / input_size.width, size.height / input_size.height
        return boxes * [*ratio, *ratio], scores
