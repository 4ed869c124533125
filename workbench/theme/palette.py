"""Colours of the workbench: the Okabe-Ito palette, which people with any kind of colour vision can tell apart.

Masataka Okabe and Kei Ito, "Color universal design", 2008. Charts and canvas use one meaning for each colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.detectors.table import DETECTORS

BLACK = "#000000"
ORANGE = "#e69f00"
SKY = "#56b4e9"
GREEN = "#009e73"
YELLOW = "#f0e442"
BLUE = "#0072b2"
VERMILLION = "#d55e00"
PURPLE = "#cc79a7"
TEAL = "#44aa99"
WINE = "#aa4499"
"""From Paul Tol's muted scheme (2021): the palette above has no colour left after six detectors."""

ORIGIN_COLOURS: Mapping[str, str] = {
    "detected": BLUE,
    "carried": SKY,
    "interpolated": ORANGE,
    "extended": YELLOW,
    "reviewer": GREEN,
}
"""Colour of each origin of a face."""
DOUBTFUL = VERMILLION

_DETECTOR_COLOURS = (GREEN, BLUE, PURPLE, VERMILLION, ORANGE, YELLOW, TEAL, WINE)
"""Colours of the detectors, in the order of `engine.detectors.table.DETECTORS`."""


def get_detector_colour(name: str) -> str:
    """Return the colour of a detector; one that is not in the table, or for which no colour is left, is sky blue."""
    names = list(DETECTORS)
    position = names.index(name) if name in names else len(_DETECTOR_COLOURS)
    return _DETECTOR_COLOURS[position] if position < len(_DETECTOR_COLOURS) else SKY


@dataclass(frozen=True, slots=True)
class ChartColours:
    """The colours of a chart other than those of its data.

    Attributes:
        text: labels.
        background: background of the chart.
        grid: grid lines.
        muted: axis titles and outlines.
    """

    text: str
    background: str
    grid: str
    muted: str


LIGHT = ChartColours("#1b2328", "#ffffff", "#e3e8ec", "#5b6770")
DARK = ChartColours("#e4e9ed", "#12171b", "#2a343b", "#9aa7b0")


def get_chart_colours(*, dark: bool) -> ChartColours:
    """Return the colours for the dark or the light theme."""
    return DARK if dark else LIGHT
