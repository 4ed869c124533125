"""What a record says of a running source and of the detectors that watch it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.core.geometry import Size
from engine.detectors.modes import find_mode
from engine.detectors.registry import import_detector_class, plan_detector
from engine.live.detector_thread import DetectorRole
from engine.live.settings import FollowingSettings
from engine.media.facts import make_source_facts
from engine.media.source.probe import probe
from engine.media.stream.pushed_input import LiveSource
from engine.record import (
    Colour,
    DetectionConfig,
    FusionSettings,
    SmoothingSettings,
    SourceFacts,
    StreamFacts,
    TrackingSettings,
    VideoFacts,
    format_ratio,
)

_UNKNOWN_SHA256 = "0" * 64
_EVERY_FRAME_DETECTOR = "mediapipe"
"""The detector that is fast enough for each frame."""
_LIVE_THRESHOLDS: Mapping[str, Mapping[str, object]] = {
    "mediapipe": {"threshold": 0.3},
    "yolov8-face": {"threshold": 0.2},
}
"""Below the controls' confidence, so that weak sightings keep a face that is followed already."""
_BACKGROUND_NICENESS_STEPS = 5
"""Niceness of detectors that look beside the run."""


def plan_detector_roles(
    parameters: Mapping[str, Mapping[str, object]] | None = None, cores: int | None = None
) -> tuple[DetectorRole, ...]:
    """The detectors of live mode.

    Args:
        parameters: by detector, parameters that differ from live mode's.
        cores: of the processor.

    Raises:
        InputError: a parameter is unknown or wrong.
    """
    cores = cores or os.cpu_count() or 1
    made = []
    for name in find_mode("live").detectors:
        every = name == _EVERY_FRAME_DETECTOR
        threads = {} if every else {"threads": max(1, min(4, cores - 1))}
        settings = plan_detector(
            name, {**_LIVE_THRESHOLDS.get(name, {}), **threads, **(parameters or {}).get(name, {})}
        ).settings
        made.append(
            DetectorRole(import_detector_class(name), settings, every, 0 if every else _BACKGROUND_NICENESS_STEPS)
        )
    return tuple(made)


def build_detection_config(
    detector_roles: tuple[DetectorRole, ...], following: FollowingSettings, frame_rate: float
) -> DetectionConfig:
    """What ran, as a record says it. The timeline's settings are those that say the same as live following."""
    hold = max(1, round(following.hold * frame_rate))
    return DetectionConfig(
        "live",
        tuple(watch.detector.describe(watch.settings) for watch in detector_roles),
        FusionSettings(),
        TrackingSettings(reach=following.reach, patience=hold, agility=following.agility, inertia=1.0),
        SmoothingSettings(gap=0, lead=0, tail=hold, window=0, horizon=1, damping=1.0),
    )


def prepare_source_facts(source: LiveSource, *, audio: bool) -> Callable[[Size], SourceFacts]:
    """The source as a record says it, once the size of its pictures is known.

    A file is read once here, for its hash. Of anything else the log tells what was received.

    Raises:
        SourceError: the file is not a readable video.
    """
    if source.is_file:
        facts = make_source_facts(probe(Path(source.address)), 1)
        return lambda _: facts
    return lambda size: _build_running_source_facts(source, size, audio=audio)


def _build_running_source_facts(source: LiveSource, size: Size, *, audio: bool) -> SourceFacts:
    return SourceFacts(
        sha256=_UNKNOWN_SHA256,
        bytes=1,
        container=source.container,
        video=VideoFacts(
            index=source.video_index,
            codec=source.codec,
            coded=size,
            display=size,
            sample_aspect_ratio="1/1",
            rotation=0,
            mirrored=False,
            pixel_format=source.pixel_format,
            colour=Colour(None, None, None, None),
            time_base=format_ratio(source.time_base),
            declared_frames=None,
            frames=1,
            declared_rate=format_ratio(source.rate),
        ),
        streams=tuple(_build_stream_facts(source, *stream, audio=audio) for stream in source.streams),
    )


def _build_stream_facts(source: LiveSource, index: int, kind: str, codec: str, *, audio: bool) -> StreamFacts:
    if index == source.video_index:
        return StreamFacts(index, kind, codec, "rendered", "the picture, with faces hidden")
    if kind == "audio" and audio:
        return StreamFacts(index, kind, codec, "copied", "packets as they came")
    return StreamFacts(index, kind or "unknown", codec, "dropped", "not part of a live output")
