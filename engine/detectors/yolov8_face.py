"""YOLOv8n-face: one network over the whole picture, also for small, turned and masked faces.

An ONNX file, as the pinned one is, runs in OpenVINO. Ultralytics and torch are loaded for a user's checkpoint (.pt)
alone. Ultralytics' own predictor is not used: it imports torchvision, which crashes beside other frameworks, and it
skips the rest of a batch after a time limit, so that answers depend on the machine's load.
"""

from __future__ import annotations

import ast
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol, Self, cast

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import optional_imports, test_time_augmentation, weights
from engine.detectors.base import DetectorSettings
from engine.detectors.nms import Boxes, Scores
from engine.detectors.openvino_network import InputFormat, PictureNetwork, choose_input_size, find_offset, pad_picture
from engine.detectors.processor import Precision, preferred_precision
from engine.errors import InputError, ModelError
from engine.record import Detection, DetectorFacts, ModelFacts, Sha256
from engine.storage.scratch import own_temporary_folder

_WEIGHTS_FILE = "yolov8n-face.onnx"
_INPUT_FORMAT = InputFormat(divisor=255, padding=(114, 114, 114), is_centred=True, is_resizable=False)
"""As Ultralytics trains: without grey on all sides it finds 0.5 % fewer faces."""
_WEIGHTS_SUFFIXES = (".onnx", ".pt")


class Yolov8FaceSettings(DetectorSettings, frozen=True):
    """Parameters of YOLOv8-face.

    Attributes:
        size: longest side in pixels to which pictures are scaled; smaller ones are enlarged.
        enlarge: False to look at smaller pictures in the size that they have.
        more_sizes: further sizes; large faces are found at small sizes, small faces at large ones.
        mirror: True to detect in the mirrored picture, too.
        threshold: least score of a detection.
        suppression: of two detections that overlap by more than this IoU, only the better one is kept.
        weights: path of a file to use instead of the pinned one, .onnx or .pt.
        sha256: SHA-256 of that file.
        threads: number of threads in each process.
        precision: arithmetic of the network; by default the faster one that this machine has. A checkpoint runs in f32.
    """

    size: Annotated[int, msgspec.Meta(ge=64, le=4096)] = 640
    more_sizes: tuple[Annotated[int, msgspec.Meta(ge=64, le=4096)], ...] = ()
    mirror: bool = False
    threshold: Annotated[float, msgspec.Meta(ge=0.01, le=1.0)] = 0.25
    suppression: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.5
    weights: str | None = None
    sha256: Sha256 | None = None
    threads: Annotated[int, msgspec.Meta(ge=1)] = 1
    enlarge: bool = True
    precision: Precision = msgspec.field(default_factory=preferred_precision)

    def __post_init__(self) -> None:
        # Without the hash, the record could not state which model looked at the frames.
        if (self.weights is None) != (self.sha256 is None):
            raise ValueError("a file of weights and its sha256 are given together or not at all")
        if self.weights is not None and Path(self.weights).suffix not in _WEIGHTS_SUFFIXES:
            raise ValueError(f"weights must be a file ending in {' or '.join(_WEIGHTS_SUFFIXES)}, got {self.weights}")


class Yolov8Face:
    """Finds faces from about ten pixels in the scaled picture, from any side that shows a part of the face."""

    name: ClassVar[str] = "yolov8-face"
    settings_type: ClassVar[type[DetectorSettings]] = Yolov8FaceSettings

    def __init__(self, settings: Yolov8FaceSettings, network: _Network, path: Path) -> None:
        self._settings = settings
        self._network: _Network | None = network
        self._classes = _find_face_classes(network.class_names, path)

    @classmethod
    def describe(cls, settings: Yolov8FaceSettings) -> DetectorFacts:
        """See `Detector.describe`. Of a file that the user supplied, the name is stated, not the folder."""
        own = Path(settings.weights).name if settings.weights is not None else None
        libraries = ("ultralytics", "torch") if _is_checkpoint(settings) else ("openvino",)
        return DetectorFacts(
            name=cls.name,
            version=optional_imports.find_versions(*libraries, "opencv-python"),
            models=(ModelFacts(own, settings.sha256),)
            if own and settings.sha256
            else weights.describe_models(_WEIGHTS_FILE),
            parameters=_list_parameters(settings, own),
        )

    @classmethod
    def longest_side(cls, settings: Yolov8FaceSettings) -> int | None:
        """Return the largest of the sizes."""
        return max((settings.size, *settings.more_sizes))

    @classmethod
    def load(cls, settings: Yolov8FaceSettings, models: Path) -> Self:
        """See `Detector.load`.

        Raises:
            InputError: a library cannot be imported, or the processor lacks the precision.
            ModelError: the weights are missing, have the wrong hash, are not a YOLO model, or have no class for faces.
        """
        cv2.setNumThreads(settings.threads)
        if settings.weights is None or settings.sha256 is None:
            path = models / _WEIGHTS_FILE
            model = weights.read_model(models, _WEIGHTS_FILE)
        else:
            path = Path(settings.weights)
            model = weights.read_supplied(path, settings.sha256)
        return cls(settings, _load_network(settings, path, model), path)

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        """See `Detector.detect`."""
        return [self._detect_picture(picture) for picture in pictures]

    def close(self) -> None:
        """Free the network."""
        self._network = None

    def _detect_picture(self, picture: Rgb) -> list[Detection]:
        settings = self._settings
        views = list(test_time_augmentation.list_views([settings.size, *settings.more_sizes], mirror=settings.mirror))
        return test_time_augmentation.detect_in_views(
            picture, self._detect_at_size, views, settings.suppression, self.name
        )

    def _detect_at_size(self, picture: Rgb, longest_side_px: int) -> tuple[Boxes, Scores]:
        assert self._network is not None, "the detector was closed"
        size = Size(picture.shape[1], picture.shape[0])
        input_size = self._choose_input_size(size, longest_side_px, self._network.fixed_size)
        boxes, scores = _decode_boxes(
            self._network.run(picture, input_size), self._network.class_names, self._classes, self._settings.threshold
        )
        offset = find_offset(input_size, _INPUT_FORMAT, self._network.fixed_size)
        ratio = size.width / input_size.width, size.height / input_size.height
        return (boxes - [*offset, *offset]) * [*ratio, *ratio], scores

    def _choose_input_size(self, size: Size, longest_side_px: int, fixed_size: Size | None) -> Size:
        if fixed_size is not None:
            ratio = min(fixed_size.width / size.width, fixed_size.height / size.height)
            longest_side_px = int(size.longest_side * ratio)
        return choose_input_size(size, longest_side_px, math.inf if self._settings.enlarge or fixed_size else 1.0)


class _Network(Protocol):
    """A network that was trained by Ultralytics.

    Attributes:
        class_names: names of its classes, by number.
        fixed_size: the only size of its input. None: any.
    """

    class_names: Mapping[int, str]
    fixed_size: Size | None

    def run(self, picture: Rgb, input_size: Size) -> NDArray[np.float32]:
        """Look at a picture at the size `input_size`; return its first output, for this one picture."""


class _OnnxNetwork:
    """An ONNX file, in OpenVINO."""

    def __init__(self, model: bytes, settings: Yolov8FaceSettings) -> None:
        self._network = PictureNetwork(
            model,
            _INPUT_FORMAT,
            precision=settings.precision,
            threads=settings.threads,
            detector=Yolov8Face.name,
        )
        self.class_names = _parse_class_names(self._network.metadata.get("names", "{}"))
        self.fixed_size = self._network.fixed_size

    def run(self, picture: Rgb, input_size: Size) -> NDArray[np.float32]:
        """See `_Network.run`."""
        output: NDArray[np.float32] = self._network.run(picture, input_size)[0][0]
        return output


class _Checkpoint:
    """A checkpoint, in torch by Ultralytics."""

    fixed_size: Size | None = None

    def __init__(self, path: Path, settings: Yolov8FaceSettings) -> None:
        # Ultralytics writes its settings when it is imported and never reads them again, so a temporary folder will do.
        with own_temporary_folder() as folder:
            _silence_ultralytics(str(folder))
            self._torch = optional_imports.import_library("torch", "torch")
            self._torch.set_num_threads(settings.threads)
            backend = optional_imports.import_library("ultralytics.nn.autobackend", "ultralytics").AutoBackend
            self._network: Any = backend(path, device=self._torch.device("cpu"), verbose=False)
        self.class_names: Mapping[int, str] = self._network.names

    def run(self, picture: Rgb, input_size: Size) -> NDArray[np.float32]:
        """See `_Network.run`."""
        tensor = pad_picture(picture, input_size, _INPUT_FORMAT)
        scaled = np.ascontiguousarray(tensor.transpose(0, 3, 1, 2), np.float32) / np.float32(_INPUT_FORMAT.divisor)
        with self._torch.inference_mode():
            answer = self._network(self._torch.from_numpy(scaled))
        first = self._torch.as_tensor(answer[0] if isinstance(answer, list | tuple) else answer)
        return cast("NDArray[np.float32]", first[0].numpy())


def _is_checkpoint(settings: Yolov8FaceSettings) -> bool:
    return settings.weights is not None and Path(settings.weights).suffix == ".pt"


def _list_parameters(settings: Yolov8FaceSettings, own_weights: str | None) -> dict[str, Any]:
    parameters = {**msgspec.structs.asdict(settings), "weights": own_weights}
    if _is_checkpoint(settings):
        parameters["precision"] = "f32"
    return parameters


def _decode_boxes(
    output: NDArray[np.float32], class_names: Mapping[int, str], faces: Sequence[int], threshold: float
) -> tuple[Boxes, Scores]:
    """Return boxes, in pixels of the network's input, and scores of the faces.

    Args:
        output: shape (4 + classes, boxes): centre, size, and a score for each class. From a network that suppresses by
            itself, shape (boxes, 6): left, top, right, bottom, score, class.
        class_names: names of the classes, by number.
        faces: numbers of the classes that are faces.
        threshold: least score.
    """
    values = output.astype(np.float64)
    if len(values) != 4 + len(class_names):
        rows = values[(values[:, 4] >= threshold) & np.isin(values[:, 5], faces)]
        return rows[:, :4], rows[:, 4].clip(0.0, 1.0)
    best = values[4:].argmax(axis=0)
    scores = values[4:].max(axis=0)
    kept = (scores >= threshold) & np.isin(best, faces)
    (x, y, width, height), scores = values[:4, kept], scores[kept]
    return np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1), scores.clip(0.0, 1.0)


def _silence_ultralytics(folder: str) -> None:
    """Keep Ultralytics from probing the network, installing packages and unpickling; it reads this at its import."""
    os.environ.update(
        YOLO_OFFLINE="true",
        YOLO_AUTOINSTALL="false",
        YOLO_VERBOSE="false",
        YOLO_CONFIG_DIR=folder,
        ULTRALYTICS_SAFE_LOAD="true",
    )


def _load_network(settings: Yolov8FaceSettings, path: Path, model: bytes) -> _Network:
    try:
        # Ultralytics takes a path alone.
        return _Checkpoint(path, settings) if _is_checkpoint(settings) else _OnnxNetwork(model, settings)
    except InputError:
        raise
    except Exception as error:
        # Ultralytics, OpenVINO and torch raise types of their own for a file that is not a model.
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        message = f"{path} cannot be loaded as a YOLO model ({reason}): give one made by Ultralytics."
        raise ModelError(message) from error


def _parse_class_names(text: str) -> Mapping[int, str]:
    names = ast.literal_eval(text)
    if not isinstance(names, dict) or not all(
        isinstance(number, int) and isinstance(name, str) for number, name in names.items()
    ):
        raise ValueError("the names of its classes are no table of numbers and words")
    return names


def _find_face_classes(names: Mapping[int, str], path: Path) -> list[int]:
    """Return the numbers of the classes named after faces, or that of the only class."""
    if not names:
        raise ModelError(f"{path} has no names of its classes: export it with Ultralytics, which writes them.")
    faces = [number for number, name in names.items() if "face" in name.lower()]
    if not faces and len(names) != 1:
        raise ModelError(
            f"{path} has the classes {', '.join(names.values())} and none for faces: give a face detector."
        )
    return faces or list(names)
