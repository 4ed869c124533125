"""What a record says of a running source and of the detectors that watch it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.core.geometry import Size
from engine.detectors.modes import mode_named
from engine.detectors.registry import detector_class, plan
from engine.live.detector_thread import Watch
from engine.live.settings import Following
from engine.media.facts import source_facts
from engine.media.source.probe import probe
from engine.media.stream.pushed_input import RunningSource
from engine.record import (
    Colour,
    Detection,
    FusionSettings,
    SmoothingSettings,
    SourceFacts,
    StreamFacts,
    TrackingSettings,
    VideoFacts,
    ratio,
)

_NOTHING = "0" * 64
_EVERY = "mediapipe"
"""The detector that is fast enough for each frame."""
_FLOORS: Mapping[str, Mapping[str, object]] = {"mediapipe": {"threshold": 0.3}, "yolov8-face": {"threshold": 0.2}}
"""Below the controls' confidence, so that weak sightings keep a face that is followed already."""
_STANDS_BACK = 5
"""Niceness of detectors that look beside the run."""


def watches_of(
    parameters: Mapping[str, Mapping[str, object]] | None = None, cores: int | None = None
) -> tuple[Watch, ...]:
    """The detectors of live mode.

    Args:
        parameters: by detector, parameters that differ from live mode's.
        cores: of the processor.

    Raises:
        InputError: a parameter is unknown or wrong.
    """
    cores = cores or os.cpu_count() or 1
    made = []
    for name in mode_named("live").detectors:
        every = name == _EVERY
        threads = {} if every else {"threads": max(1, min(4, cores - 1))}
        settings = plan(name, {**_FLOORS.get(name, {}), **threads, **(parameters or {}).get(name, {})}).settings
        made.append(Watch(detector_class(name), settings, every, 0 if every else _STANDS_BACK))
    return tuple(made)


def detection_of(watches: tuple[Watch, ...], following: Following, rate: float) -> Detection:
    """What ran, as a record says it. The timeline's settings are those that say the same as live following."""
    hold = max(1, round(following.hold * rate))
    return Detection(
        "live",
        tuple(watch.detector.facts(watch.settings) for watch in watches),
        FusionSettings(),
        TrackingSettings(reach=following.reach, patience=hold, agility=following.agility, inertia=1.0),
        SmoothingSettings(gap=0, lead=0, tail=hold, window=0, horizon=1, damping=1.0),
    )


def source_facts_of(source: RunningSource, *, audio: bool) -> Callable[[Size], SourceFacts]:
    """The source as a record says it, once the size of its pictures is known.

    A file is read once here, for its hash. Of anything else the log tells what was received.

    Raises:
        SourceError: the file is not a readable video.
    """
    if source.is_file:
        facts = source_facts(probe(Path(source.address)), 1)
        return lambda _: facts
    return lambda size: _running(source, size, audio=audio)


def _running(source: RunningSource, size: Size, *, audio: bool) -> SourceFacts:
    return SourceFacts(
        sha256=_NOTHING,
        bytes=1,
        container=source.container,
        video=VideoFacts(
            index=source.index,
            codec=source.codec,
            coded=size,
            display=size,
            sample_aspect_ratio="1/1",
            rotation=0,
            mirrored=False,
            pixel_format=source.pixel_format,
            colour=Colour(None, None, None, None),
            time_base=ratio(source.time_base),
            declared_frames=None,
            frames=1,
            declared_rate=ratio(source.rate),
        ),
        streams=tuple(_stream(source, *stream, audio=audio) for stream in source.streams),
    )


def _stream(source: RunningSource, index: int, kind: str, codec: str, *, audio: bool) -> StreamFacts:
    if index == source.index:
        return StreamFacts(index, kind, codec, "rendered", "the picture, with faces hidden")
    if kind == "audio" and audio:
        return StreamFacts(index, kind, codec, "copied", "packets as they came")
    return StreamFacts(index, kind or "unknown", codec, "dropped", "not part of a live output")
