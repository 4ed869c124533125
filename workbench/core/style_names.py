"""Names and descriptions of presets on the pages."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import msgspec

from engine.masking.methods import METHODS
from engine.masking.presets import PRESETS, find_preset
from engine.masking.shapes import SHAPES
from engine.masking.style import Style
from workbench.core.formatting import shorten_hash

OWN_STYLE = "own"
"""Name of a style that is not a preset."""
STYLE_NAMES = MappingProxyType({name: preset.label for name, preset in PRESETS.items()} | {OWN_STYLE: "Custom"})
STYLE_DESCRIPTIONS = MappingProxyType(
    {name: preset.caption for name, preset in PRESETS.items()} | {OWN_STYLE: "Set every value yourself"}
)


def describe_style(style: Style) -> str:
    """Describe a style in words: the preset that it equals, and every value that its method and shape use."""
    image = {"image_name": Path(style.image or "").name, "image_hash": shorten_hash(style.image_sha256 or "")}
    how = METHODS[style.method].summary.format(**msgspec.structs.asdict(style), **image)
    name = STYLE_NAMES[find_preset(style) or OWN_STYLE]
    corner = f" (corners {style.corner:g})" if "corner" in SHAPES[style.shape].parameters else ""
    return f"{name}: {how}; {style.shape}{corner} of {style.scale:g} face boxes, edge softness {style.feather:g}"
