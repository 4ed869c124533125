"""Parsing of option values (NAME=VALUE, styles, audio spans) into settings of the engine."""

from __future__ import annotations

import re
from argparse import Namespace
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from engine.audio.spans import AudioSpan, SpanKind
from engine.cluster.connection import ClusterChoice
from engine.core.name_value_pairs import parse_pairs, parse_value
from engine.detectors.modes import find_mode
from engine.errors import InputError
from engine.masking.presets import parse_style
from engine.media.output.encoder import EncoderSettings
from engine.record import DetectOptions, Document, FusionSettings, ScheduleSettings, SmoothingSettings, TrackingSettings
from engine.rendering.terms import RenderOptions

Kind = TypeVar("Kind", bound=Document)

_SERVICE_OPTIONS = ("policy", "price", "rate")
_TIMELINE_PARTS = ("fusion", "tracking", "smoothing", "schedule")
_SPAN_PATTERN = re.compile(r"(-?\d+(?:\.\d+)?)-(-?\d+(?:\.\d+)?)(?:@(\d+(?:,\d+)*))?")


def build_detect_options(options: Namespace) -> DetectOptions:
    """Build the options of a detection from those of `arguments.add_detection`.

    Raises:
        InputError: a setting is not of the form PART.NAME=VALUE, is unknown, or has a wrong value.
    """
    parts = parse_settings(options.settings)
    # Whether a detector exists and has the parameter is checked by the engine, which alone knows the ensemble.
    detectors = tuple(options.detectors.split(",")) if options.detectors else None
    return DetectOptions(
        mode=options.mode,
        detectors=detectors,
        parameters={part: values for part, values in parts.items() if part not in _TIMELINE_PARTS},
        fusion=build_settings("fusion", FusionSettings, parts.get("fusion", {})),
        tracking=build_settings("tracking", TrackingSettings, parts.get("tracking", {})),
        smoothing=build_settings("smoothing", SmoothingSettings, parts.get("smoothing", {})),
        schedule=_build_schedule(options.mode if detectors is None else None, parts["schedule"])
        if "schedule" in parts
        else None,
        # Options that were not given are left out, so that the defaults of the detector apply.
        asking={name: value for name in _SERVICE_OPTIONS if (value := getattr(options, name)) is not None},
        max_cost=options.max_cost,
        workers=options.workers,
        on_damage=options.on_damage,
    )


def _build_schedule(mode: str | None, values: Mapping[str, Any]) -> ScheduleSettings:
    """Build the schedule of a mode with some values changed. With mode None, the other values are the defaults."""
    usual = find_mode(mode).schedule if mode else None
    return build_settings("schedule", ScheduleSettings, (msgspec.structs.asdict(usual) if usual else {}) | dict(values))


def build_cluster_choice(options: Namespace) -> ClusterChoice:
    """Build the choice of a cluster from the options of `arguments.add_cluster`."""
    return ClusterChoice(options.scheduler, options.local_cluster)


def build_render_options(options: Namespace) -> RenderOptions:
    """Build the options of a render from those of `arguments.add_style` and `arguments.add_audio`.

    Raises:
        InputError: the preset or a setting is unknown, or a value is wrong.
    """
    return RenderOptions(
        style=parse_style(options.style),
        encoder=build_settings("--encoder", EncoderSettings, parse_pairs("--encoder", options.encoder)),
        force=options.force,
        y4m=getattr(options, "y4m", None),  # `veil render` has it, `veil anonymise` does not
        audio=parse_audio_spans(options),
        passthrough=options.passthrough,
        segment_seconds=options.segments,
        jobs=getattr(options, "segment_jobs", None),
    )


def parse_audio_spans(options: Namespace) -> tuple[AudioSpan, ...]:
    """Parse `--mute` and `--bleep` into spans of audio, ordered by time.

    Raises:
        InputError: a span is not of the form START-END, ends before it starts, or has no reason.
    """
    kinds: tuple[SpanKind, ...] = ("mute", "bleep")
    spans = [_parse_span(kind, text, options.audio_reason) for kind in kinds for text in getattr(options, kind)]
    if options.audio_reason is not None and not spans:
        raise InputError("--audio-reason needs a span of audio to replace: give --mute or --bleep.")
    # By time: the order on the command line must not change the record, and with it the hash that is approved.
    return tuple(sorted(spans, key=lambda span: (span.start, span.end)))


def _parse_span(kind: SpanKind, text: str, reason: str | None) -> AudioSpan:
    match = _SPAN_PATTERN.fullmatch(text)
    if match is None:
        raise InputError(f"--{kind} takes START-END in seconds, as 12-15.5, or 12-15.5@2 for stream 2; got {text!r}.")
    if reason is None:
        raise InputError(
            f"--{kind} {text} needs --audio-reason, because each change of the audio is recorded with one."
        )
    streams = tuple(map(int, match[3].split(","))) if match[3] else None
    try:
        return AudioSpan(kind, float(match[1]), float(match[2]), reason, streams)
    except ValueError as error:
        raise InputError(f"--{kind} {text} cannot be used: {error}.") from error


def parse_settings(settings: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Parse the values of `--set PART.NAME=VALUE` into a dictionary of values for each part.

    Raises:
        InputError: a setting is not of that form.
    """
    parts: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for setting in settings:
        path, equals, value = setting.partition("=")
        # From the right, as the name of a detector may have a dot and the name of a parameter has none.
        part, dot, name = path.rpartition(".")
        if not (equals and dot):
            raise InputError(f"--set takes PART.NAME=VALUE, as yolov8-face.threshold=0.2; got {setting!r}.")
        parts[part][name] = parse_value(value)
    return dict(parts)


def build_settings(name: str, kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    """Build settings of a type from untyped values; `name` stands for them in an error.

    Raises:
        InputError: a value is unknown, or wrong.
    """
    try:
        return msgspec.convert(dict(values), kind)
    except msgspec.ValidationError as error:
        known = ", ".join(kind.__struct_fields__)
        raise InputError(f"{name} has a wrong setting: {error}. The settings are {known}.") from error
