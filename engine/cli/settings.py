"""From words on the command line to settings of the engine."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from engine.analysis.findings import Criteria
from engine.errors import InputError
from engine.media.encode import EncoderSettings
from engine.options import DetectOptions
from engine.record import Document, FusionSettings, SmoothingSettings, TrackingSettings
from engine.redact.presets import style_from
from engine.redact.style import Style
from engine.rendering import RenderOptions

Kind = TypeVar("Kind", bound=Document)

_ASKING = ("policy", "price", "rate")
_TIMELINE = ("fusion", "tracking", "smoothing")


def add_set(verb: ArgumentParser, purpose: str) -> None:
    """The argument `--set PART.NAME=VALUE`, for `parts_of`."""
    verb.add_argument("--set", dest="settings", action="append", default=[], metavar="PART.NAME=VALUE", help=purpose)


def detect_options(options: Namespace) -> DetectOptions:
    """Options of a detection.

    Raises:
        InputError: a setting is not spelled PART.NAME=VALUE, is unknown, or has a wrong value.
    """
    parts = parts_of(options.settings)
    detectors = tuple(options.detectors.split(",")) if options.detectors else None
    return DetectOptions(
        mode=options.mode,
        detectors=detectors,
        parameters={part: values for part, values in parts.items() if part not in _TIMELINE},
        fusion=document("fusion", FusionSettings, parts.get("fusion", {})),
        tracking=document("tracking", TrackingSettings, parts.get("tracking", {})),
        smoothing=document("smoothing", SmoothingSettings, parts.get("smoothing", {})),
        asking={name: value for name in _ASKING if (value := getattr(options, name)) is not None},
        max_cost=options.max_cost,
        workers=options.workers,
        on_damage=options.on_damage,
    )


def render_options(options: Namespace) -> RenderOptions:
    """Options of a render.

    Raises:
        InputError: the preset or a setting is unknown, or a value is wrong.
    """
    return RenderOptions(
        style=style(options),
        encoder=document("--encoder", EncoderSettings, pairs("--encoder", options.encoder)),
        force=options.force,
        y4m=getattr(options, "y4m", None),
    )


def style(options: Namespace) -> Style:
    """What covers the faces.

    Raises:
        InputError: the preset or a setting is unknown, or a value is wrong.
    """
    return style_named(options.style)


def style_named(text: str) -> Style:
    """The style that `PRESET[,NAME=VALUE...]` spells.

    Raises:
        InputError: the preset or a setting is unknown, or a value is wrong.
    """
    preset, _, overrides = text.partition(",")
    return style_from(preset, pairs("--style", overrides))


def criteria(**values: float | str) -> Criteria:
    """What counts as what in an evaluation.

    Raises:
        InputError: a value is out of range.
    """
    return document("the evaluation", Criteria, values)


def parts_of(settings: Iterable[str]) -> dict[str, dict[str, Any]]:
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
        parts[part][name] = _value(value)
    return dict(parts)


def pairs(flag: str, text: str) -> dict[str, Any]:
    """The values of `NAME=VALUE,...`.

    Raises:
        InputError: it is not spelled like that.
    """
    found = {}
    for pair in filter(None, text.split(",")):
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"{flag} takes NAME=VALUE pairs separated by commas; got {pair!r}.")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    """A JSON value where it is one, else the text itself."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def document(name: str, kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    """Settings of some kind with these values, called `name` in an error.

    Raises:
        InputError: a value is unknown, or wrong.
    """
    try:
        return msgspec.convert(dict(values), kind)
    except msgspec.ValidationError as error:
        known = ", ".join(kind.__struct_fields__)
        raise InputError(f"{name} cannot be set to that: {error}; it has {known}.") from error
