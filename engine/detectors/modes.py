"""The deployment modes. A mode is data, not a code path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.errors import InputError
from engine.record import DetectorParameterValue, ScheduleSettings


@dataclass(frozen=True, slots=True)
class Mode:
    """The defaults of a detection.

    Attributes:
        name: name as in `--mode`.
        detectors: names of the detectors that run.
        purpose: purpose of the mode, in words for a person.
        local_detectors: further detectors that run if only uncertain frames are sent to a remote detector.
        parameters: by detector, parameters that differ from the detector's own defaults.
        single_picture: by detector, parameters that differ from those for a single picture, such as a photograph.
        schedule: which frames of a video the local detectors look at. None: every frame.
    """

    name: str
    detectors: tuple[str, ...]
    purpose: str
    local_detectors: tuple[str, ...] = ()
    parameters: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    single_picture: Mapping[str, Mapping[str, DetectorParameterValue]] = field(default_factory=dict)
    schedule: ScheduleSettings | None = None


_SCHEDULE = ScheduleSettings(interval_s=0.2, change=12.0)
_PART_SCHEDULE = ScheduleSettings(interval_s=0.2, change=12.0, part=0.4)
"""For detectors that can look at a part of a picture."""

_LOOK_PARAMETERS: Mapping[str, Mapping[str, object]] = {
    # Thresholds are low because a weak detection counts only if another detector, or its track, confirms it. Measured
    # in docs/measurements/recall.md.
    "centerface": {"size": 1920, "overview": 320, "threshold": 0.08, "sure": 0.3, "suppression": 0.2},
    "retinaface": {"threshold": 0.05, "sure": 0.85, "turned": 960},
}
_SINGLE_PICTURE: Mapping[str, Mapping[str, DetectorParameterValue]] = {
    # No other frame shows a face of a single picture larger or clearer, and four times the cost is paid only once.
    # Measured in docs/measurements/recall.md.
    "centerface": {"size": 3840, "enlargement": 3.0},
    "retinaface": {"size": 3840, "enlargement": 3.0},
}

MODES: Mapping[str, Mode] = {
    mode.name: mode
    for mode in (
        Mode(
            "on-prem",
            ("centerface", "retinaface"),
            "nothing leaves the machine; two detectors, and what either flags is covered",
            parameters=_LOOK_PARAMETERS,
            single_picture=_SINGLE_PICTURE,
            schedule=_PART_SCHEDULE,
        ),
        Mode(
            "cloud",
            ("rekognition",),
            "Amazon Rekognition detects: frames leave the machine, and cost money",
            local_detectors=("yolov8-face",),
        ),
        Mode(
            "hybrid",
            ("yolov8-face", "centerface", "retinaface"),
            "on-prem and a further independent detector; what any of them flags is covered",
            parameters={"yolov8-face": {"threshold": 0.03, "sure": 0.28, "suppression": 0.35}, **_LOOK_PARAMETERS},
            single_picture=_SINGLE_PICTURE,
            schedule=_SCHEDULE,
        ),
        Mode("live", ("mediapipe", "yolov8-face"), "a running picture; what is not judged in time is covered whole"),
    )
}


def find_mode(name: str) -> Mode:
    """Return a mode by its name.

    Raises:
        InputError: there is no such mode.
    """
    if name not in MODES:
        raise InputError(f"There is no mode {name!r}; choose one of {', '.join(MODES)}.")
    return MODES[name]
