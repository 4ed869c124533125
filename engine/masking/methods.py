"""The methods of hiding what is inside a mask, one row each.

To add a method, add a row to `METHODS` and the function that draws it to `engine.masking.painter.FILLINGS`. The two are
apart because a style is checked against this table, and drawing needs a style.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class MaskMethod(NamedTuple):
    """A row of the table of methods.

    Attributes:
        label: name on pages.
        parameters: the fields of `Style` that this method uses, in the order in which a page shows them.
        summary: what it does in words, with the values of the style in braces (`str.format`). `image_name` and
            `image_hash` stand for the name of an image's file and the beginning of its hash.
        needs_file: the method reads a file. Pages do not offer it, because no page may name a file of the server.
    """

    label: str
    parameters: tuple[str, ...]
    summary: str
    needs_file: bool = False


METHODS: Mapping[str, MaskMethod] = {
    "gaussian": MaskMethod(
        "Blur",
        ("sigma", "samples", "levels"),
        "blur of {sigma:g} faces, {samples} samples a face, {levels} colour levels",
    ),
    "pixelate": MaskMethod("Mosaic", ("blocks", "levels"), "mosaic of {blocks} blocks a face, {levels} colour levels"),
    "solid": MaskMethod("One colour", ("colour",), "the colour {colour}"),
    "pattern": MaskMethod(
        "Pattern",
        ("pattern", "tile", "colour", "second_colour"),
        "{pattern} of {colour} and {second_colour}, {tile:g} faces a tile",
    ),
    "image": MaskMethod(
        "Picture", ("image", "image_sha256", "colour"), "the picture {image_name} ({image_hash})", needs_file=True
    ),
}
"""Every method by the name it has in a style."""
