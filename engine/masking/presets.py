"""The presets, one row each, and styles written as text.

To add a preset, add a row to `PRESETS`. The command line, the live controls and the pages read this table, and a test
compares the table in README.md with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from engine.core.name_value_pairs import parse_pairs
from engine.errors import StyleError
from engine.masking.style import Style

DEFAULT_PRESET = "strong"


@dataclass(frozen=True, slots=True)
class Preset:
    """A style with a name.

    Attributes:
        name: what a person writes on the command line.
        style: the style itself.
        label: its name on pages.
        caption: what it looks like, in a few words, for pages and the help of the command line.
        description: what it looks like, as README.md says it.
    """

    name: str
    style: Style
    label: str
    caption: str
    description: str


_PRESETS = (
    Preset(
        "strong",
        Style(method="gaussian", shape="ellipse", scale=1.45, feather=0.1, sigma=0.25, samples=16, levels=64),
        label="Strong",
        caption="A soft patch of skin colour is left",
        description="an ellipse reduced to few samples, blurred and quantised, with a soft edge",
    ),
    Preset(
        "broadcast",
        # From six blocks on, an attacker who centres the embeddings does better than chance
        # (docs/measurements/reidentification.md).
        Style(method="pixelate", shape="ellipse", scale=1.45, feather=0.0, blocks=5, levels=64),
        label="Broadcast",
        caption="The mosaic that viewers know",
        description="a mosaic of five blocks across the face",
    ),
    Preset(
        "editorial",
        # The smallest ellipse that covers the whole face box, since its edge is wide enough already.
        Style(method="gaussian", shape="ellipse", scale=1.42, feather=0.3, sigma=0.16, samples=24, levels=64),
        label="Editorial",
        caption="Keeps the light, wide soft edge",
        description="a milder blur with a wide soft edge",
    ),
    Preset(
        "close",
        # The smallest curve of its kind that covers the whole face box, a fifth smaller than the ellipse of `strong`.
        Style(
            method="gaussian",
            shape="superellipse",
            scale=1.19,
            feather=0.1,
            sigma=0.25,
            samples=16,
            levels=64,
            dither=True,
        ),
        label="Close",
        caption="The blur of Strong, nearer to the head",
        description="the blur of `strong` in a fuller outline that is nearer to the head, without bands on large faces",
    ),
    Preset(
        "steady",
        Style(method="pixelate", shape="superellipse", scale=1.19, feather=0.0, blocks=5, levels=64, steady=True),
        label="Steady",
        caption="A mosaic that stands still while the face moves",
        description="a mosaic of at most five blocks across the face that keep their place in the picture",
    ),
    Preset(
        "training-data",
        # No texture at all: a blur or a mosaic is a texture that a model could learn to look for.
        Style(method="solid", shape="rectangle", scale=1.1, feather=0.0, colour="#808080"),
        label="Training data",
        caption="Grey, nothing of the face",
        description="a flat grey rectangle",
    ),
)

PRESETS: Mapping[str, Preset] = {preset.name: preset for preset in _PRESETS}
"""Every preset by its name, in the order in which people choose from them."""

# See `engine.masking.style` for why mypy takes the names for text.
if TYPE_CHECKING:
    PresetName = str
else:
    PresetName = Literal[tuple(PRESETS)]


def describe_presets() -> str:
    """List the presets with their captions in one line, for the help of an option."""
    return "; ".join(f"{preset.name} ({preset.caption[:1].lower()}{preset.caption[1:]})" for preset in _PRESETS)


def find_preset(style: Style) -> str | None:
    """Return the name of the preset that equals a style, None if no preset does."""
    return next((preset.name for preset in _PRESETS if preset.style == style), None)


def format_style(style: Style) -> str:
    """Write a style as `parse_style` reads it: the nearest preset and the values that differ, as `strong,sigma=0.3`."""
    values = {name: False if value is msgspec.UNSET else value for name, value in msgspec.structs.asdict(style).items()}

    def list_differences(preset: Preset) -> list[str]:
        return [name for name in values if getattr(style, name) != getattr(preset.style, name)]

    # The fewest differences make the shortest text, and a preset is written as its name alone.
    nearest = min(_PRESETS, key=lambda preset: len(list_differences(preset)))
    return ",".join([nearest.name, *(f"{name}={values[name]}" for name in list_differences(nearest))])


def parse_style(text: str) -> Style:
    """Return the style that `PRESET[,NAME=VALUE...]` describes.

    Raises:
        InputError: it is not written like that.
        StyleError: there is no such preset or field, or a value is out of range.
    """
    preset, _, overrides = text.partition(",")
    return style_from_preset(preset, parse_pairs("--style", overrides))


def style_from_preset(preset: str = DEFAULT_PRESET, overrides: Mapping[str, Any] | None = None) -> Style:
    """Return the style of a preset with some values replaced.

    Args:
        preset: one of `PRESETS`.
        overrides: by field name; numbers may be written as text, as a command line has them.

    Raises:
        StyleError: there is no such preset or field, or a value is out of range.
    """
    if preset not in PRESETS:
        raise StyleError(f"There is no style {preset!r}; choose one of {', '.join(PRESETS)}.")
    fields = msgspec.structs.asdict(PRESETS[preset].style)
    values = {name: value for name, value in fields.items() if value is not msgspec.UNSET} | dict(overrides or {})
    # Not strict, because a command line and an address have numbers as text.
    try:
        return msgspec.convert(values, Style, strict=False)
    except msgspec.ValidationError as error:
        raise StyleError(f"The style {preset!r} cannot be changed that way: {error}.") from error
