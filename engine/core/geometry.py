"""Boxes and sizes, and the conversion from display pixels to the pixels that a file stores."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Annotated, Self

import msgspec


class Size(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Width and height in pixels, both at least 1."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a size needs at least 1x1 pixels, got {self.width}x{self.height}")

    @property
    def longest_side(self) -> int:
        """Return the longer side."""
        return max(self.width, self.height)

    def fit(self, max_side_px: int | None) -> Size:
        """Return the size reduced to a longer side of at most `max_side_px` pixels, with the aspect kept.

        A smaller size is not enlarged. None: no limit.
        """
        if max_side_px is None or self.longest_side <= max_side_px:
            return self
        # A fraction, so that the result does not depend on floating-point rounding.
        ratio = Fraction(max_side_px, self.longest_side)
        return Size(max(1, round(self.width * ratio)), max(1, round(self.height * ratio)))

    def round_to_even(self) -> Size:
        """Return the size rounded down to even numbers, as 4:2:0 needs it, but at least 2x2."""
        return Size(max(2, self.width // 2 * 2), max(2, self.height // 2 * 2))


class Crop(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Numbers of samples that a container hides at the left, top, right and bottom of stored pictures."""

    left: Annotated[int, msgspec.Meta(ge=0)]
    top: Annotated[int, msgspec.Meta(ge=0)]
    right: Annotated[int, msgspec.Meta(ge=0)]
    bottom: Annotated[int, msgspec.Meta(ge=0)]


class Box(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A half-open rectangle (left, top, right, bottom) in pixels, with a positive area.

    The pixel with index `i` covers the interval `[i, i + 1)`.

    Raises:
        ValueError: a coordinate is not finite, or the box has no area.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.left, self.top, self.right, self.bottom))):
            raise ValueError("a box needs four finite numbers")
        if self.right <= self.left or self.bottom <= self.top:
            raise ValueError(
                f"a box needs left < right and top < bottom, got [{self.left}, {self.top}, {self.right}, {self.bottom}]"
            )

    @property
    def width(self) -> float:
        """Return the width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Return the height in pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Return the area in square pixels."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """Return the centre as (x, y)."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def intersection_area(self, other: Box) -> float:
        """Return the area in square pixels that both boxes cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0

    def iou(self, other: Box) -> float:
        """Return the intersection over union, 0 to 1."""
        shared = self.intersection_area(other)
        return shared / (self.area + other.area - shared)

    def hull(self, other: Box) -> Box:
        """Return the smallest box that covers both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def is_within(self, size: Size) -> bool:
        """Return whether no edge crosses the border of the frame; touching it is allowed."""
        return self.left >= 0 and self.top >= 0 and self.right <= size.width and self.bottom <= size.height

    def clip(self, size: Size) -> Box | None:
        """Return the part inside a frame of `size`, or None if there is none."""
        left, top = max(0.0, self.left), max(0.0, self.top)
        right, bottom = min(float(size.width), self.right), min(float(size.height), self.bottom)
        return Box(left, top, right, bottom) if right > left and bottom > top else None

    def scale(self, factor: float) -> Box:
        """Return the box grown or shrunk about its centre, each side times `factor`."""
        (x, y), half_width, half_height = self.centre, self.width * factor / 2, self.height * factor / 2
        return Box(x - half_width, y - half_height, x + half_width, y + half_height)

    def move(self, x: float, y: float) -> Box:
        """Return the box moved to the right by `x` and down by `y`."""
        return Box(self.left + x, self.top + y, self.right + x, self.bottom + y)

    def scale_axes(self, x: float, y: float) -> Box:
        """Return the box for a frame with the width multiplied by `x` and the height by `y`."""
        return Box(self.left * x, self.top * y, self.right * x, self.bottom * y)

    def interpolate(self, other: Box, weight: float) -> Box:
        """Return the box at `weight` (0 to 1) of the way from this one to `other`."""
        # This form gives exactly `self` at 0 and `other` at 1.
        keep = 1.0 - weight
        return Box(
            self.left * keep + other.left * weight,
            self.top * keep + other.top * weight,
            self.right * keep + other.right * weight,
            self.bottom * keep + other.bottom * weight,
        )

    def round_outwards(self, size: Size) -> Box | None:
        """Return the box rounded outwards to 1/100 pixel and clipped to `size`, or None if nothing is left."""
        # The tolerance keeps a coordinate that is on the grid, apart from floating-point error, where it is.
        grown = Box(
            math.floor(self.left * 100 + 1e-6) / 100,
            math.floor(self.top * 100 + 1e-6) / 100,
            math.ceil(self.right * 100 - 1e-6) / 100,
            math.ceil(self.bottom * 100 - 1e-6) / 100,
        )
        return grown.clip(size)

    def to_pixel_bounds(self) -> tuple[int, int, int, int]:
        """Return left, top, right, bottom of the whole pixels that the box touches (rounded outwards)."""
        return math.floor(self.left), math.floor(self.top), math.ceil(self.right), math.ceil(self.bottom)


class Orientation(msgspec.Struct, frozen=True):
    """The conversion from coded pixels to display pixels.

    First the width is multiplied by the sample aspect ratio, then the picture is mirrored left to right if `mirrored`,
    then turned clockwise by `rotation` degrees (0, 90, 180 or 270).
    """

    coded: Size
    sample_aspect_ratio: Fraction = Fraction(1)
    rotation: int = 0
    mirrored: bool = False

    def __post_init__(self) -> None:
        if self.rotation not in {0, 90, 180, 270}:
            raise ValueError(f"rotation must be 0, 90, 180 or 270 degrees, got {self.rotation}")
        if self.sample_aspect_ratio <= 0:
            raise ValueError(f"a sample aspect ratio must be positive, got {self.sample_aspect_ratio}")

    @property
    def unrotated_size(self) -> Size:
        """Return the display size before the rotation: the coded size with square pixels."""
        if self.sample_aspect_ratio == 1:
            return self.coded
        return Size(max(1, round(self.coded.width * self.sample_aspect_ratio)), self.coded.height)

    @property
    def display_size(self) -> Size:
        """Return the size of the picture in display pixels."""
        size = self.unrotated_size
        return size if self.rotation in {0, 180} else Size(size.height, size.width)

    def to_coded(self, box: Box) -> Box:
        """Convert a box from display pixels to coded pixels."""
        # The reverse order of the display: undo the rotation and mirroring, then the aspect ratio.
        return self._undo_rotation(box).scale_axes(self.coded.width / self.unrotated_size.width, 1.0)

    def _undo_rotation(self, box: Box) -> Box:
        width, height = self.unrotated_size.width, self.unrotated_size.height
        match self.rotation:
            case 90:
                unrotated = Box(box.top, height - box.right, box.bottom, height - box.left)
            case 180:
                unrotated = Box(width - box.right, height - box.bottom, width - box.left, height - box.top)
            case 270:
                unrotated = Box(width - box.bottom, box.left, width - box.top, box.right)
            case _:
                unrotated = box
        if not self.mirrored:
            return unrotated
        return Box(width - unrotated.right, unrotated.top, width - unrotated.left, unrotated.bottom)

    @classmethod
    def upright(cls, size: Size) -> Self:
        """Return the orientation of pictures with square pixels that are stored upright."""
        return cls(size)
