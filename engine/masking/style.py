"""What a hidden face looks like, and which styles do not hide one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Literal, NamedTuple, get_args, get_type_hints

import msgspec

from engine.errors import StyleError
from engine.record import Document, Sha256

Method = Literal["gaussian", "pixelate", "solid", "pattern", "image"]
Shape = Literal["ellipse", "rectangle", "rounded"]
Pattern = Literal["stripes", "checker", "grid"]


class Style(Document, frozen=True):
    """How faces are hidden. Lengths are relative to the face (the longer side of its box) unless stated otherwise.

    Attributes:
        method: "gaussian" (reduced to few samples, blurred, quantised), "pixelate" (means of square blocks), "solid"
            (one colour), "pattern" (a built-in pattern, tiled) or "image" (a picture stretched over the mask).
        shape: of the mask.
        scale: sides of the mask in sides of the face box. An ellipse covers the whole box from 1.4143 on.
        feather: width of the soft edge in half-axes of the mask; it lies outside, the mask itself is covered fully.
        corner: radius of rounded corners in half of the mask's shorter side.
        sigma: gaussian: standard deviation of the blur.
        samples: gaussian: samples across the face that are kept before the blur.
        levels: gaussian, pixelate: values a colour component can take.
        blocks: pixelate: blocks across the face.
        colour: solid, pattern, image where it is transparent: "#rrggbb".
        second_colour: pattern: the other colour.
        pattern: name of the built-in pattern.
        tile: pattern: side of a tile.
        image: image: path of a picture file.
        image_sha256: image: what its bytes must hash to.

    Raises:
        ValueError: a value is out of its range, or an image is missing or not pinned.
    """

    method: Method = "gaussian"
    shape: Shape = "ellipse"
    scale: Annotated[float, msgspec.Meta(ge=0.5, le=4.0)] = 1.45
    feather: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.1
    corner: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.4
    sigma: Annotated[float, msgspec.Meta(ge=0.01, le=1.0)] = 0.25
    samples: Annotated[int, msgspec.Meta(ge=2, le=64)] = 16
    levels: Annotated[int, msgspec.Meta(ge=2, le=256)] = 64
    blocks: Annotated[int, msgspec.Meta(ge=1, le=64)] = 6
    colour: Annotated[str, msgspec.Meta(pattern="^#[0-9a-fA-F]{6}$")] = "#808080"
    second_colour: Annotated[str, msgspec.Meta(pattern="^#[0-9a-fA-F]{6}$")] = "#404040"
    pattern: Pattern = "stripes"
    tile: Annotated[float, msgspec.Meta(ge=0.05, le=2.0)] = 0.25
    image: str | None = None
    image_sha256: Sha256 | None = None

    def __post_init__(self) -> None:
        for complaint in _find_errors(self):
            raise ValueError(complaint)


def find_weaknesses(style: Style) -> list[str]:
    """Why a face under this style might be recognised or restored, one sentence a value; empty when it is safe."""
    return [
        f"{limit.field} {getattr(style, limit.field)} is too weak for {limit.scope}: "
        f"at {limit.side} {limit.value} is needed, because {limit.reason}"
        for limit in LIMITS
        if limit.is_applicable(style) and limit.is_violated(getattr(style, limit.field))
    ]


def check_style(style: Style) -> None:
    """Refuse a style under which a face might be recognised or restored.

    Raises:
        StyleError: names each value that is too weak and the least (or most) allowed one.
    """
    if weak := find_weaknesses(style):
        raise StyleError(f"This style would not hide a face: {'; '.join(weak)}. Make it stronger, or force it.")


class StyleLimit(NamedTuple):
    """A value from which on a style is safe: a field may be `side` ("least" or "most") `value`."""

    field: str
    side: Literal["least", "most"]
    value: float
    reason: str
    method: Method | None = None
    shape: Shape | None = None

    @property
    def scope(self) -> str:
        """What it holds for, in a word."""
        return self.method or self.shape or "any style"

    def is_applicable(self, style: Style) -> bool:
        """Whether a style has to keep this limit."""
        return self.method in {None, style.method} and self.shape in {None, style.shape}

    def is_violated(self, value: float) -> bool:
        """Whether a value is beyond the limit."""
        return value < self.value if self.side == "least" else value > self.value


LIMITS = (
    StyleLimit("scale", "least", 1.0, "a mask smaller than the face box shows its outline"),
    StyleLimit(
        "scale", "least", 1.2, "a smaller ellipse leaves more than a twentieth of the face box open", shape="ellipse"
    ),
    StyleLimit(
        "sigma", "least", 0.125, "a narrower blur keeps the distances of eyes, nose and mouth", method="gaussian"
    ),
    StyleLimit("samples", "most", 32, "more samples let a known blur be undone", method="gaussian"),
    StyleLimit("levels", "most", 64, "finer steps let a known blur be undone", method="gaussian"),
    StyleLimit(
        "blocks", "most", 8, "from ten blocks on, frames laid over each other tell who somebody is", method="pixelate"
    ),
)
"""What a style is refused beyond; docs/measurements/reidentification.md has the figures.

Opaque methods (solid, pattern, image) have no strength to fall short of.
"""


def _find_errors(style: Style) -> Iterator[str]:
    for name, (kinds, meta) in _read_field_rules().items():
        value = getattr(style, name)
        if kinds and value not in kinds:
            yield f"{name} must be one of {', '.join(kinds)}, got {value!r}"
        if meta and value is not None:
            yield from _check_range(name, value, meta)
    if style.method == "image" and (style.image is None or style.image_sha256 is None):
        yield "method image needs image (a path) and image_sha256 (the hash of that file)"


def _check_range(name: str, value: float | str, meta: msgspec.Meta) -> Iterator[str]:
    if isinstance(value, str):
        if meta.pattern and not re.search(meta.pattern, value):
            yield f"{name} must match {meta.pattern}, got {value!r}"
    elif meta.ge is not None and meta.le is not None and not meta.ge <= value <= meta.le:
        yield f"{name} must be from {meta.ge} to {meta.le}, got {value}"


@cache
def _read_field_rules() -> dict[str, tuple[tuple[str, ...], msgspec.Meta | None]]:
    """For each field its allowed words and its range, read from the annotations that the JSON Schema is made of."""
    rules: dict[str, tuple[tuple[str, ...], msgspec.Meta | None]] = {}
    for name, hint in get_type_hints(Style, include_extras=True).items():
        parts = [part for option in (hint, *get_args(hint)) for part in getattr(option, "__metadata__", ())]
        meta = next((part for part in parts if isinstance(part, msgspec.Meta)), None)
        words = tuple(word for word in get_args(hint) if isinstance(word, str))
        if words or meta:
            rules[name] = words, meta
    return rules
