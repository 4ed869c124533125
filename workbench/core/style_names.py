"""Names of the presets on pages, and a style in words."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from engine.masking.presets import find_preset
from engine.masking.style import Style
from workbench.core.formatting import shorten_hash

OWN_STYLE = "own"
"""Stands for a style that is no preset."""
STYLE_NAMES = MappingProxyType({
    "strong": "Strong",
    "broadcast": "Broadcast",
    "editorial": "Editorial",
    "training-data": "Training data",
    OWN_STYLE: "Your own",
})  # fmt: skip
STYLE_DESCRIPTIONS = MappingProxyType({
    "strong": "A soft patch of skin colour is left",
    "broadcast": "The mosaic that viewers know",
    "editorial": "Keeps the light, wide soft edge",
    "training-data": "Grey, nothing of the face",
    OWN_STYLE: "Every value as you set it",
})  # fmt: skip


def describe_style(style: Style) -> str:
    """A style in words: the preset that it is, and every value that counts."""
    match style.method:
        case "gaussian":
            how = f"blur of {style.sigma:g} faces, {style.samples} samples a face, {style.levels} steps of a colour"
        case "pixelate":
            how = f"mosaic of {style.blocks} blocks a face, {style.levels} steps of a colour"
        case "solid":
            how = f"the colour {style.colour}"
        case "pattern":
            how = f"{style.pattern} of {style.colour} and {style.second_colour}, {style.tile:g} faces a tile"
        case "image":
            how = f"the picture {Path(style.image or '').name} ({shorten_hash(style.image_sha256 or '')})"
    name = STYLE_NAMES[find_preset(style) or OWN_STYLE]
    corner = f" (corners {style.corner:g})" if style.shape == "rounded" else ""
    return f"{name}: {how}; {style.shape}{corner} of {style.scale:g} face boxes, soft edge {style.feather:g}"
