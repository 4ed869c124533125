"""Tiles that show one face of a still with its surroundings, and boxes over it if they are given."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from engine.core.geometry import Box, Size

_TILES_CSS = """<style>
.looks { display: grid; grid-template-columns: repeat(auto-fit, minmax(136px, 1fr)); gap: 12px; }
.looks figure { margin: 0; max-width: 420px; }
.looks .window { position: relative; overflow: hidden; aspect-ratio: 4 / 3; border-radius: 4px; background: #0b0d0f; }
.looks .chosen .window { outline: 3px solid light-dark(#00659e, #56b4e9); outline-offset: 1px; }
.looks img, .looks .boxes { position: absolute; max-width: none; }
.looks .boxes img { width: 100%; height: 100%; }
.looks .boxes i { position: absolute; border: 2px solid #56b4e9; }
.looks .boxes i.different { border: 3px solid #e69f00; }
.looks figcaption { padding-top: 6px; font-size: 0.87rem; } .looks .chosen figcaption { font-weight: 600; }
</style>"""
_WINDOW_HEIGHT_FACES = 3.2
"""Height of a tile in face heights."""


def build_tile(label: str, source: str, box: Box | None, size: Size, *, chosen: bool = False) -> str:
    """Return the HTML of a tile.

    Args:
        label: caption and alternative text.
        source: address of the still.
        box: the face in display pixels; None shows the whole still.
        size: display size of the video.
        chosen: draw an outline around the tile.
    """
    return (
        f'<figure class="{"chosen" if chosen else ""}"><div class="window"><img src="{escape(source)}" '
        f'style="{_position_still(box, size)}" alt="{escape(label)}"></div>'
        f"<figcaption>{escape(label)}</figcaption></figure>"
    )


def build_boxed_tile(label: str, source: str | None, focus: Box, size: Size, boxes: Sequence[tuple[Box, bool]]) -> str:
    """Return the HTML of a tile with boxes drawn over it.

    Args:
        label: caption and alternative text.
        source: address of the still; None draws the boxes alone, for a person who may see no footage.
        focus: the box that the tile shows with its surroundings.
        size: display size of the video.
        boxes: the boxes, each with True if it is what differs.
    """
    marks = "".join(
        f'<i class="{"different" if different else ""}" style="left:{100 * box.left / size.width:.3f}%;'
        f"top:{100 * box.top / size.height:.3f}%;width:{100 * box.width / size.width:.3f}%;"
        f'height:{100 * box.height / size.height:.3f}%"></i>'
        for box, different in boxes
    )
    still = f'<img src="{escape(source)}" alt="{escape(label)}">' if source else ""
    position = f"{_position_still(focus, size)};aspect-ratio:{size.width}/{size.height}"
    return (
        f'<figure><div class="window"><div class="boxes" style="{position}">{still}{marks}</div></div>'
        f"<figcaption>{escape(label)}</figcaption></figure>"
    )


def show_tiles(tile_html: Sequence[str]) -> None:
    """Show tiles side by side."""
    st.html(f'{_TILES_CSS}<div class="looks">{"".join(tile_html)}</div>')


def _position_still(box: Box | None, size: Size) -> str:
    """Return the CSS position of a still in its 4:3 tile, in per cent of the tile."""
    face = box or Box(0, 0, size.width, size.height)
    # The tile is 4:3, so a wide face needs three quarters of its width as height. A quarter of the picture is the
    # closest view, because a small face would be nothing but a few large pixels.
    height = min(
        max(_WINDOW_HEIGHT_FACES * face.height, _WINDOW_HEIGHT_FACES * 0.75 * face.width, size.height / 4),
        float(size.height),
    )
    if box is None:
        height = max(float(size.height), size.width * 0.75)
    elif height * 4 / 3 > size.width:  # the tile must not be wider than the picture
        height = size.width * 0.75
    width = height * 4 / 3
    left = _clamp_start((face.left + face.right - width) / 2, width, size.width)
    top = _clamp_start((face.top + face.bottom - height) / 2, height, size.height)
    place = f"left:{-100 * left / width:.2f}%;top:{-100 * top / height:.2f}%"
    return f"{place};width:{100 * size.width / width:.2f}%"


def _clamp_start(start: float, length: float, whole: float) -> float:
    """Move the start of an interval so that it stays inside; centre it if it is longer than the whole."""
    return (whole - length) / 2 if length > whole else min(max(0.0, start), whole - length)
