"""The deployment modes: data, not code paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import InputError


@dataclass(frozen=True, slots=True)
class Mode:
    """Which detectors run by default, and what the mode is for, in words for a person.

    Attributes:
        witnesses: detectors that run too when a service is to be asked about contested frames only.
    """

    name: str
    detectors: tuple[str, ...]
    purpose: str
    witnesses: tuple[str, ...] = ()


MODES: Mapping[str, Mode] = {
    mode.name: mode
    for mode in (
        Mode("on-prem", ("mtcnn",), "nothing leaves the machine"),
        Mode(
            "cloud",
            ("rekognition",),
            "Amazon Rekognition is asked: frames leave the machine, and cost money",
            witnesses=("yolov8-face",),
        ),
        Mode("hybrid", ("mtcnn", "yolov8-face"), "independent detectors; what any of them flags is covered"),
    )
}


def mode_named(name: str) -> Mode:
    """The mode called `name`.

    Raises:
        InputError: there is none.
    """
    if name not in MODES:
        raise InputError(f"There is no mode {name!r}; choose one of {', '.join(MODES)}.")
    return MODES[name]
