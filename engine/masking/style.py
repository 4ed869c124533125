"""The style of a mask, and the limits beyond which a style does not hide a face."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, get_args, get_type_hints

import msgspec

from engine.errors import StyleError
from engine.masking.methods import METHODS
from engine.masking.patterns import PATTERNS
from engine.masking.shapes import SHAPES
from engine.record import Document, Sha256

# The names of the tables are the values that the parser and the JSON Schema allow. mypy knows no `Literal` that is
# computed, so it takes them for text; a wrong name is refused when the style is built.
if TYPE_CHECKING:
    Method = str
    Shape = str
    Pattern = str
else:
    Method = Literal[tuple(METHODS)]
    Shape = Literal[tuple(SHAPES)]
    Pattern = Literal[tuple(PATTERNS)]

COLOUR_PATTERN = "^#[0-9a-fA-F]{6}$"
HexColour = Annotated[str, msgspec.Meta(pattern=COLOUR_PATTERN)]
"""A colour as "#rrggbb"."""


_SWITCHES = ("dither", "steady")


class Style(Document, frozen=True):
    """All parameters of how a mask looks. Lengths are relative to the face (the longer side of its box), unless stated
    otherwise.

    Attributes:
        method: "gaussian" (reduced to few samples, blurred, quantised), "pixelate" (means of square blocks), "solid"
            (one colour), "pattern" (a built-in pattern, tiled) or "image" (a picture stretched over the mask).
        shape: outline of the mask, one of `SHAPES`.
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
        dither: gaussian: steps of brightness are broken up by a fixed pattern, so that no bands show on a large face.
            Unset, and left out of the JSON: they are not, as in renders before 0.1.1.
        steady: pixelate: blocks keep their place in the picture while the face moves over them, and change their side
            only by large steps, so that the mosaic does not flicker. Unset: blocks move with the mask.
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
    colour: HexColour = "#808080"
    second_colour: HexColour = "#404040"
    pattern: Pattern = "stripes"
    tile: Annotated[float, msgspec.Meta(ge=0.05, le=2.0)] = 0.25
    image: str | None = None
    image_sha256: Sha256 | None = None
    dither: bool | msgspec.UnsetType = msgspec.UNSET
    steady: bool | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        # What is off is left out of the JSON: styles that were signed before these fields existed keep their hash.
        for name in _SWITCHES:
            if getattr(self, name) is False:
                msgspec.structs.force_setattr(self, name, msgspec.UNSET)
        # msgspec checks annotations only when it parses, and a style is also built in Python.
        for complaint in _find_errors(self):
            raise ValueError(complaint)


def find_weaknesses(style: Style) -> list[str]:
    """List the reasons why a face under this style might be recognised or restored, one per value; empty if none."""
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
    """A value up to which a style is safe.

    Attributes:
        field: the field of `Style`.
        side: whether `value` is the least or the most that is allowed.
        value: the limit itself, which is still allowed.
        reason: why a value beyond it does not hide a face, as the end of a sentence.
        method: the only method that has the limit; None for all.
        shape: the only shape that has the limit; None for all.
    """

    field: str
    side: Literal["least", "most"]
    value: float
    reason: str
    method: Method | None = None
    shape: Shape | None = None

    @property
    def scope(self) -> str:
        """Name the styles that have the limit, in a word or two."""
        return self.method or self.shape or "any style"

    def is_applicable(self, style: Style) -> bool:
        """Return True if a style has to keep this limit."""
        return self.method in {None, style.method} and self.shape in {None, style.shape}

    def is_violated(self, value: float) -> bool:
        """Return True if a value is beyond the limit."""
        return value < self.value if self.side == "least" else value > self.value


LIMITS = (
    StyleLimit("scale", "least", 1.0, "a mask smaller than the face box shows its outline"),
    *(
        StyleLimit("scale", "least", shape.min_scale, shape.min_scale_reason, shape=name)
        for name, shape in SHAPES.items()
        if shape.min_scale is not None
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
"""The limits of a safe style; docs/measurements/reidentification.md has the measurements behind them.

Opaque methods (solid, pattern, image) keep nothing of the face, so they have limits for the shape only.
"""


class FieldRule(NamedTuple):
    """The values that a field of a style allows.

    Attributes:
        words: the allowed words; empty for a field that is no choice.
        minimum: smallest number, of the field's own type (int or float); None for a field that is no number.
        maximum: largest number.
        pattern: regular expression that a text matches; None when any text is allowed.
    """

    words: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None

    def find_error(self, value: float | str) -> str | None:
        """Describe what is wrong with a value, to follow the name of its field; None if it is allowed."""
        if self.words and value not in self.words:
            return f"must be one of {', '.join(self.words)}, got {value!r}"
        if self.pattern and not re.search(self.pattern, str(value)):
            return f"must match {self.pattern}, got {value!r}"
        # Not `value < minimum or value > maximum`, which is false for NaN.
        if self.minimum is not None and self.maximum is not None and not self.minimum <= float(value) <= self.maximum:
            return f"must be from {self.minimum} to {self.maximum}, got {value}"
        return None


@cache
def read_field_rules() -> dict[str, FieldRule]:
    """Return the rule of each field that has one, by its name.

    They are read from the annotations of `Style`, which the parser and the JSON Schema are made of too, so that a range
    is written in one place. Building a `Style` checks them again, because msgspec checks only what it parses.
    """
    rules: dict[str, FieldRule] = {}
    for name, hint in get_type_hints(Style, include_extras=True).items():
        # An optional field has its annotation inside the union with None.
        parts = [part for option in (hint, *get_args(hint)) for part in getattr(option, "__metadata__", ())]
        meta = next((part for part in parts if isinstance(part, msgspec.Meta)), msgspec.Meta())
        words = tuple(word for word in get_args(hint) if isinstance(word, str))
        rule = FieldRule(words, meta.ge, meta.le, meta.pattern)
        if rule != FieldRule():
            rules[name] = rule
    return rules


def _find_errors(style: Style) -> Iterator[str]:
    for name, rule in read_field_rules().items():
        value = getattr(style, name)
        error = None if value is None else rule.find_error(value)
        if error:
            yield f"{name} {error}"
    # The hash binds an approval to the picture: a path alone would let the file be replaced after it was approved.
    if style.method == "image" and (style.image is None or style.image_sha256 is None):
        yield "method image needs image (a path) and image_sha256 (the hash of that file)"
