"""From words on the command line to settings of the engine."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from engine.audio.spans import AudioSpan, SpanKind
from engine.core.name_value_pairs import parse_pairs, parse_value
from engine.errors import InputError
from engine.evaluation.judgements import Criteria
from engine.masking.presets import parse_style
from engine.media.output.encoder import EncoderSettings
from engine.record import DetectOptions, Document, FusionSettings, SmoothingSettings, TrackingSettings
from engine.rendering.terms import RenderOptions

Kind = TypeVar("Kind", bound=Document)

_SERVICE_OPTIONS = ("policy", "price", "rate")
_TIMELINE_PARTS = ("fusion", "tracking", "smoothing")
_SPAN_PATTERN = re.compile(r"(-?\d+(?:\.\d+)?)-(-?\d+(?:\.\d+)?)(?:@(\d+(?:,\d+)*))?")


def add_set_option(verb: ArgumentParser, purpose: str) -> None:
    """The argument `--set PART.NAME=VALUE`, for `parts_of`."""
    verb.add_argument("--set", dest="settings", action="append", default=[], metavar="PART.NAME=VALUE", help=purpose)


def build_detect_options(options: Namespace) -> DetectOptions:
    """Options of a detection.

    Raises:
        InputError: a setting is not spelled PART.NAME=VALUE, is unknown, or has a wrong value.
    """
    parts = parse_settings(options.settings)
    detectors = tuple(options.detectors.split(",")) if options.detectors else None
    return DetectOptions(
        mode=options.mode,
        detectors=detectors,
        parameters={part: values for part, values in parts.items() if part not in _TIMELINE_PARTS},
        fusion=build_settings("fusion", FusionSettings, parts.get("fusion", {})),
        tracking=build_settings("tracking", TrackingSettings, parts.get("tracking", {})),
        smoothing=build_settings("smoothing", SmoothingSettings, parts.get("smoothing", {})),
        asking={name: value for name in _SERVICE_OPTIONS if (value := getattr(options, name)) is not None},
        max_cost=options.max_cost,
        workers=options.workers,
        on_damage=options.on_damage,
    )


def build_render_options(options: Namespace) -> RenderOptions:
    """Options of a render.

    Raises:
        InputError: the preset or a setting is unknown, or a value is wrong.
    """
    return RenderOptions(
        style=parse_style(options.style),
        encoder=build_settings("--encoder", EncoderSettings, parse_pairs("--encoder", options.encoder)),
        force=options.force,
        y4m=getattr(options, "y4m", None),
        audio=parse_audio_spans(options),
    )


def add_audio_options(verb: ArgumentParser) -> None:
    """The arguments that say what becomes of the audio, for `audio_spans`."""
    group = verb.add_argument_group("audio (default: kept as in the source)")
    for kind, what in (("mute", "silence"), ("bleep", "a tone")):
        group.add_argument(
            f"--{kind}",
            action="append",
            default=[],
            metavar="START-END[@N,...]",
            help=f"seconds to replace by {what}, as 12-15.5; @2 for audio stream 2 only; may be given again",
        )
    group.add_argument("--audio-reason", metavar="TEXT", help="why; needed with --mute and --bleep")


def parse_audio_spans(options: Namespace) -> tuple[AudioSpan, ...]:
    """The spans of audio that are to be replaced, in order.

    Raises:
        InputError: one is not spelled like that, ends before it starts, or there is no reason.
    """
    kinds: tuple[SpanKind, ...] = ("mute", "bleep")
    spans = [_parse_span(kind, text, options.audio_reason) for kind in kinds for text in getattr(options, kind)]
    if options.audio_reason is not None and not spans:
        raise InputError("--audio-reason says why spans are replaced, and none is: give --mute or --bleep.")
    return tuple(sorted(spans, key=lambda span: (span.start, span.end)))


def _parse_span(kind: SpanKind, text: str, reason: str | None) -> AudioSpan:
    match = _SPAN_PATTERN.fullmatch(text)
    if match is None:
        raise InputError(f"--{kind} takes START-END in seconds, as 12-15.5, or 12-15.5@2 for stream 2; got {text!r}.")
    if reason is None:
        raise InputError(f"--{kind} {text} needs --audio-reason: a change of what is heard says why.")
    streams = tuple(map(int, match[3].split(","))) if match[3] else None
    try:
        return AudioSpan(kind, float(match[1]), float(match[2]), reason, streams)
    except ValueError as error:
        raise InputError(f"--{kind} {text} cannot be used: {error}.") from error


def build_criteria(**values: float | str) -> Criteria:
    """What counts as what in an evaluation.

    Raises:
        InputError: a value is out of range.
    """
    return build_settings("the evaluation", Criteria, values)


def parse_settings(settings: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The values of `--set PART.NAME=VALUE`, by part.

    Raises:
        InputError: one is not spelled like that.
    """
    parts: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for setting in settings:
        path, equals, value = setting.partition("=")
        part, dot, name = path.rpartition(".")
        if not (equals and dot):
            raise InputError(f"--set takes PART.NAME=VALUE, as yolov8-face.threshold=0.2; got {setting!r}.")
        parts[part][name] = parse_value(value)
    return dict(parts)


def build_settings(name: str, kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    """Settings of some kind with these values, called `name` in an error.

    Raises:
        InputError: a value is unknown, or wrong.
    """
    try:
        return msgspec.convert(dict(values), kind)
    except msgspec.ValidationError as error:
        known = ", ".join(kind.__struct_fields__)
        raise InputError(f"{name} cannot be set to that: {error}; it has {known}.") from error
