"""YOLOv8n-face through Ultralytics: one network over the whole picture, also for small, turned and masked faces.

Ultralytics' own predictor is not used: it imports torchvision, which crashes beside other frameworks, and it skips the
rest of a batch after a time limit, so that answers depend on the machine's load. Its backends and its non-maximum
suppression are used as they are, one picture at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple, Self

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import optional_imports, test_time_augmentation, weights
from engine.detectors.base import DetectorSettings
from engine.detectors.nms import Boxes, Scores
from engine.errors import ModelError
from engine.record import Detection, DetectorFacts, ModelFacts, Sha256
from engine.storage.scratch import own_temporary_folder

_WEIGHTS_FILE = "yolov8n-face.onnx"
_PADDING_GREY = 114
"""Grey that Ultralytics puts around a picture."""
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

    def __init__(self, settings: Yolov8FaceSettings, path: Path) -> None:
        self._settings = settings
        # Ultralytics writes its settings when it is imported and never reads them again, so a temporary folder will do.
        with own_temporary_folder() as folder:
            _silence_ultralytics(str(folder))
            self._torch = optional_imports.import_library("torch", "torch")
            self._torch.set_num_threads(settings.threads)
            self._suppress = optional_imports.import_library("ultralytics.utils.nms", "ultralytics").non_max_suppression
            self._network: Any = _load_network(path, self._torch.device("cpu"), settings.threads)
        self._classes = _find_face_classes(self._network.names, path)

    @classmethod
    def describe(cls, settings: Yolov8FaceSettings) -> DetectorFacts:
        """See `Detector.describe`. Of a file that the user supplied, the name is stated, not the folder."""
        own = Path(settings.weights).name if settings.weights is not None else None
        return DetectorFacts(
            name=cls.name,
            version=optional_imports.find_versions("ultralytics", "onnxruntime", "torch", "opencv-python"),
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
            InputError: a library cannot be imported.
            ModelError: the weights are missing, have the wrong hash, are not a YOLO model, or have no class for faces.
        """
        cv2.setNumThreads(settings.threads)
        if settings.weights is None or settings.sha256 is None:
            return cls(settings, weights.verify_model_path(models, _WEIGHTS_FILE))
        return cls(settings, weights.verify_supplied_path(Path(settings.weights), settings.sha256))

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        """See `Detector.detect`."""
        return [self._detect_picture(picture) for picture in pictures]

    def close(self) -> None:
        """Free the network."""
        self._network = None

    def _detect_picture(self, picture: Rgb) -> list[Detection]:
        settings = self._settings
        views = list(test_time_augmentation.list_views([settings.size, *settings.more_sizes], mirror=settings.mirror))
        # With one view, the network's own suppression has been applied already.
        return test_time_augmentation.detect_in_views(
            picture, self._detect_at_size, views, settings.suppression if len(views) > 1 else 1.0, self.name
        )

    def _detect_at_size(self, picture: Rgb, longest_side_px: int) -> tuple[Boxes, Scores]:
        assert self._network is not None, "the detector was closed"
        if not self._settings.enlarge:
            longest_side_px = min(longest_side_px, max(picture.shape[:2]))
        canvas = _letterbox_picture(picture, longest_side_px, self._fixed_size)
        with self._torch.inference_mode():
            answer = self._network(self._torch.from_numpy(canvas.tensor))
            found = self._suppress(
                self._torch.as_tensor(answer[0] if isinstance(answer, list | tuple) else answer),
                conf_thres=self._settings.threshold,
                iou_thres=self._settings.suppression,
                classes=self._classes,
                end2end=self._network.end2end,
            )[0]
        rows = found.numpy().astype(np.float64)
        boxes = (rows[:, :4] - np.tile(canvas.offset, 2)) / np.tile(canvas.scale, 2)
        return boxes, rows[:, 4].clip(0.0, 1.0)

    @property
    def _fixed_size(self) -> Size | None:
        """The only size that the network takes, if its ONNX file was exported without dynamic shapes."""
        if self._network.dynamic or not hasattr(self._network, "session"):
            return None
        height, width = self._network.session.get_inputs()[0].shape[2:]
        return Size(width, height)


def _list_parameters(settings: Yolov8FaceSettings, own_weights: str | None) -> dict[str, Any]:
    parameters = {**msgspec.structs.asdict(settings), "weights": own_weights}
    if settings.enlarge:
        # A setting that came later is written only if it differs from its default, so that records keep their bytes.
        del parameters["enlarge"]
    return parameters


class _Letterbox(NamedTuple):
    """A picture as the network takes it, and its position: canvas = picture * scale + offset, each for x and y."""

    tensor: NDArray[np.float32]
    scale: tuple[float, float]
    offset: tuple[int, int]


def _letterbox_picture(picture: Rgb, longest_side_px: int, fixed_size: Size | None) -> _Letterbox:
    """Scale a picture and put it in the middle of a grey canvas whose sides are multiples of the stride.

    Args:
        picture: the picture.
        longest_side_px: its longest side on the canvas.
        fixed_size: the only size that the network takes; it takes precedence. None: any size.
    """
    height, width = picture.shape[:2]
    ratio = (
        longest_side_px / max(width, height)
        if fixed_size is None
        else min(fixed_size.width / width, fixed_size.height / height)
    )
    seen = Size(max(1, round(width * ratio)), max(1, round(height * ratio)))
    size = fixed_size or Size(_round_up_to_stride(seen.width), _round_up_to_stride(seen.height))
    left, top = (size.width - seen.width) // 2, (size.height - seen.height) // 2
    canvas = np.full((size.height, size.width, 3), _PADDING_GREY, np.uint8)
    inner = canvas[top : top + seen.height, left : left + seen.width]
    method = cv2.INTER_AREA if seen.width < width else cv2.INTER_LINEAR
    inner[:] = cv2.resize(np.ascontiguousarray(picture), (seen.width, seen.height), interpolation=method)
    tensor = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
    return _Letterbox(tensor, (seen.width / width, seen.height / height), (left, top))


def _round_up_to_stride(side: int, stride: int = 32) -> int:
    return -(-side // stride) * stride


def _silence_ultralytics(folder: str) -> None:
    """Keep Ultralytics from probing the network, installing packages and unpickling; it reads this at its import."""
    os.environ.update(
        YOLO_OFFLINE="true",
        YOLO_AUTOINSTALL="false",
        YOLO_VERBOSE="false",
        YOLO_CONFIG_DIR=folder,
        ULTRALYTICS_SAFE_LOAD="true",
        ORT_DISABLE_TELEMETRY="1",  # ONNX Runtime reports its use otherwise; it reads this when it is imported
    )


def _load_network(path: Path, device: Any, threads: int) -> Any:
    """Load a model with one of Ultralytics' backends: it is called with a tensor and has names, end2end and dynamic."""
    build = _onnx_backend(path, device, threads) if path.suffix == ".onnx" else _torch_backend(path, device)
    try:
        return build()
    except Exception as error:
        # Ultralytics, ONNX Runtime and torch raise types of their own for a file that is not a model.
        raise ModelError(f"{path} cannot be loaded as a YOLO model ({error}): give one made by Ultralytics.") from error


def _onnx_backend(path: Path, device: Any, threads: int) -> Callable[[], Any]:
    options = optional_imports.import_library("onnxruntime", "onnxruntime").SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    backend = optional_imports.import_library("ultralytics.nn.backends.onnx", "ultralytics").ONNXBackend
    return partial(backend, path, device, session_options=options)


def _torch_backend(path: Path, device: Any) -> Callable[[], Any]:
    backend = optional_imports.import_library("ultralytics.nn.autobackend", "ultralytics").AutoBackend
    return partial(backend, path, device=device, verbose=False)


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
