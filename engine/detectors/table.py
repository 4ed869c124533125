"""The table of detectors. A new detector needs its file, a row here, and its packages in pyproject.toml.

A row holds everything that other parts of Veil need to know about a detector without importing its file, so that none
of them has a list of its own from which a new detector could be missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

CheckRole = Literal["scan", "confirm", "substitute"]
"""The part that a detector plays in a leak check: "scan" looks at every output, "confirm" looks again where something
was found, and a "substitute" scans too if the detection has already used one of the other two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorRow:
    """One detector.

    Attributes:
        class_path: "module:class".
        frame_cost_s: processor seconds for a frame of 1920x1080 (see docs/measurements/recall.md). None: the detector
            is remote, and its speed depends on the service.
        libraries: machine-learning modules that its file imports, and no other file may.
        check_role: its part in a leak check. None: it has none.
        check_parameters: its parameters in a leak check.
        crop_parameters: its parameters for a small picture of a single face, where it confirms that faces of the clip
            may be planted. None: it does not.
    """

    class_path: str
    frame_cost_s: float | None
    libraries: tuple[str, ...] = ()
    check_role: CheckRole | None = None
    check_parameters: Mapping[str, object] | None = None
    crop_parameters: Mapping[str, object] | None = None


DETECTORS: dict[str, DetectorRow] = {
    "mtcnn": DetectorRow(
        class_path="engine.detectors.mtcnn:Mtcnn",
        frame_cost_s=0.2,
        libraries=("openvino",),
        check_role="substitute",
        check_parameters={},
    ),
    "yolov8-face": DetectorRow(
        class_path="engine.detectors.yolov8_face:Yolov8Face",
        frame_cost_s=0.04,
        libraries=("torch", "torchvision", "ultralytics", "openvino"),
        # Of the fast detectors, this one and CenterFace find most. Confirming, it sees only regions of at most 256 px,
        # so it needs no larger input.
        check_role="confirm",
        check_parameters={"size": 320},
        crop_parameters={"size": 320},
    ),
    # MediaPipe has no part in a leak check: it takes masks for faces.
    "mediapipe": DetectorRow(
        class_path="engine.detectors.mediapipe:MediaPipe", frame_cost_s=0.008, libraries=("mediapipe",)
    ),
    "centerface": DetectorRow(
        class_path="engine.detectors.centerface:CenterFace",
        frame_cost_s=0.2,
        libraries=("openvino",),
        check_role="scan",
        check_parameters={"size": 640, "enlargement": 1.0, "threshold": 0.3},
        crop_parameters={"size": 320},
    ),
    "rekognition": DetectorRow(class_path="engine.detectors.rekognition:Rekognition", frame_cost_s=None),
    "retinaface": DetectorRow(
        class_path="engine.detectors.retinaface:RetinaFace", frame_cost_s=0.1, libraries=("openvino",)
    ),
}
"""The detectors by name, as `--detectors` takes it. The order is that of lists, menus and colours: append new rows."""
