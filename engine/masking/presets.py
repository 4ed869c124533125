"""Styles by name, to start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.errors import StyleError
from engine.masking.style import Style

DEFAULT_PRESET = "strong"

PRESETS: Mapping[str, Style] = {
    # nothing but a soft patch of skin colour is left; covers the whole face box
    "strong": Style(method="gaussian", shape="ellipse", scale=1.45, feather=0.1, sigma=0.25, samples=16, levels=64),
    # the mosaic viewers know, hard-edged; six blocks and more let people be recognised (re-identification measurements)
    "broadcast": Style(method="pixelate", shape="ellipse", scale=1.45, feather=0.0, blocks=5, levels=64),
    # keeps the light of the scene, wide soft edge
    "editorial": Style(method="gaussian", shape="ellipse", scale=1.42, feather=0.3, sigma=0.16, samples=24, levels=64),
    # nothing of the face and no texture a model could learn
    "training-data": Style(method="solid", shape="rectangle", scale=1.1, feather=0.0, colour="#808080"),
}


def find_preset(style: Style) -> str | None:
    """The preset that a style is, None when it is none."""
    return next((name for name, one in PRESETS.items() if one == style), None)


def format_style(style: Style) -> str:
    """A style as `style_spelled` reads it: the preset that is nearest, and what is different, as `strong,sigma=0.3`."""
    values = msgspec.structs.asdict(style)

    def list_differences(preset: str) -> list[str]:
        return [name for name, value in values.items() if value != getattr(PRESETS[preset], name)]

    nearest = min(PRESETS, key=lambda preset: len(list_differences(preset)))
    return ",".join([nearest, *(f"{name}={values[name]}" for name in list_differences(nearest))])


def parse_style(text: str) -> Style:
    """The style that `PRESET[,NAME=VALUE...]` spells.

    Raises:
        StyleError: it is not spelled like that, or the preset, a name or a value is none.
    """
    preset, *rest = text.split(",")
    overrides = dict(pair.partition("=")[::2] for pair in rest if pair)
    return style_from_preset(preset, overrides)


def style_from_preset(preset: str = DEFAULT_PRESET, overrides: Mapping[str, Any] | None = None) -> Style:
    """The style of a preset with some values replaced.

    Args:
        preset: one of `PRESETS`.
        overrides: by field name; numbers may be written as text, as a command line has them.

    Raises:
        StyleError: there is no such preset or field, or a value is out of range.
    """
    if preset not in PRESETS:
        raise StyleError(f"There is no style {preset!r}; choose one of {', '.join(PRESETS)}.")
    values = msgspec.structs.asdict(PRESETS[preset]) | dict(overrides or {})
    try:
        return msgspec.convert(values, Style, strict=False)
    except msgspec.ValidationError as error:
        raise StyleError(f"The style {preset!r} cannot be changed that way: {error}.") from error
