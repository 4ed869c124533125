"""The deployment modes: data, not code paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import InputError


@dataclass(frozen=True, slots=True)
class Mode:
    """Which detectors run by default, and what the mode is for, in words for a person."""

    name: str
    detectors: tuple[str, ...]
    purpose: str


MODES: Mapping[str, Mode] = {
    mode.name: mode
    for mode in (
        Mode("on-prem", ("mtcnn",), "nothing leaves the machine"),
        Mode("hybrid", ("mtcnn", "yolov8-face"), "independent detectors; what any of them flags is covered"),
        Mode("live", ("mediapipe", "yolov8-face"), "a running picture; what is not judged in time is covered whole"),
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
