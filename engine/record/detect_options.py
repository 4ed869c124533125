"""The options of a detection: an argument of `engine.detect`, and a part of the request that a run folder keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from engine.record.document import Document
from engine.record.time_settings import SmoothingSettings, TrackingSettings
from engine.record.types import FusionSettings, ScheduleSettings

ParameterValue = bool | int | float | str | None
"""A JSON value that a parameter of every remote detector can have."""
DetectorParameterValue = ParameterValue | list[int | float | str]
"""A JSON value that a parameter of one detector can have."""


class DetectOptions(Document, frozen=True):
    """Options of a detection. The defaults run the on-prem mode.

    Attributes:
        mode: mode that decides which detectors run by default.
        detectors: names of the detectors to run instead of the mode's.
        parameters: parameter values by detector name; they take precedence over the values of the mode.
        fusion: settings that join detections of one frame into faces.
        tracking: settings that join faces of successive frames into tracks.
        smoothing: settings for interpolation, extension and margins.
        schedule: which frames are looked at. None: as the mode says, or every frame if detectors are named.
        asking: parameters for all remote detectors together, such as `policy`, `price` and `rate`.
        max_cost: US dollars that calls to remote detectors may cost. None: unlimited.
        workers: worker processes for each local detector; None shares the processor cores among them. For a remote
            detector, the number of calls that run at once; None uses the detector's default. The record does not
            depend on it.
        on_damage: "stop" ends the run at a frame that cannot be decoded, "cover" covers that frame whole.
    """

    mode: str = "on-prem"
    detectors: tuple[str, ...] | None = None
    parameters: Mapping[str, Mapping[str, DetectorParameterValue]] = {}
    fusion: FusionSettings = FusionSettings()
    tracking: TrackingSettings = TrackingSettings()
    smoothing: SmoothingSettings = SmoothingSettings()
    schedule: ScheduleSettings | None = None
    asking: Mapping[str, ParameterValue] = {}
    max_cost: float | None = None
    workers: int | None = None
    on_damage: Literal["stop", "cover"] = "stop"
