"""Colours of the workbench: the Okabe-Ito palette, which people with any kind of colour vision can tell apart.

Masataka Okabe and Kei Ito, "Color universal design", 2008. What a colour stands for is fixed here, for charts and
canvas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BLACK = "#000000"
ORANGE = "#e69f00"
SKY = "#56b4e9"
GREEN = "#009e73"
YELLOW = "#f0e442"
BLUE = "#0072b2"
VERMILLION = "#d55e00"
PURPLE = "#cc79a7"

ORIGIN_COLOURS: Mapping[str, str] = {
    "detected": BLUE,
    "interpolated": ORANGE,
    "extended": YELLOW,
    "reviewer": GREEN,
}
"""How a face came to be in the record."""
DOUBTFUL = VERMILLION

_DETECTOR_COLOURS: Mapping[str, str] = {
    "yolov8-face": BLUE,
    "centerface": VERMILLION,
    "mtcnn": GREEN,
    "mediapipe": PURPLE,
    "rekognition": ORANGE,
}


def get_detector_colour(name: str) -> str:
    """The colour of a detector; one that is not known gets the one that is left."""
    return _DETECTOR_COLOURS.get(name, SKY)


@dataclass(frozen=True, slots=True)
class ChartColours:
    """The colours around the data.

    Attributes:
        text: of labels.
        background: behind a chart.
        grid: lines of a chart.
        muted: of what matters less.
    """

    text: str
    background: str
    grid: str
    muted: str


LIGHT = ChartColours("#1b2328", "#ffffff", "#e3e8ec", "#5b6770")
DARK = ChartColours("#e4e9ed", "#12171b", "#2a343b", "#9aa7b0")


def get_chart_colours(*, dark: bool) -> ChartColours:
    """The colours for a dark or a light screen."""
    return DARK if dark else LIGHT
