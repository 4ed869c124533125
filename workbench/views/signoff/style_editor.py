"""The style section of the Sign off page: presets and a custom style, compared on one frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from types import MappingProxyType
from typing import Any

import msgspec
import streamlit as st

from engine import release
from engine.masking.methods import METHODS
from engine.masking.patterns import PATTERNS
from engine.masking.presets import PRESETS, find_preset
from engine.masking.shapes import SHAPES
from engine.masking.style import COLOUR_PATTERN, LIMITS, Style, read_field_rules
from engine.runs import Run
from workbench.components.face_tiles import build_tile, show_tiles
from workbench.core import reviewed_run, session, shown_style, style_names
from workbench.core.formatting import escape_markdown
from workbench.views.signoff import summary

_FIELD_LABELS = MappingProxyType({
    "method": "Method",
    "shape": "Mask shape",
    "scale": "Mask size (face boxes)",
    "feather": "Edge softness",
    "sigma": "Blur strength",
    "samples": "Pixels across a face",
    "levels": "Colour levels",
    "blocks": "Blocks across a face",
    "tile": "Tile size",
    "corner": "Corner radius",
    "pattern": "Pattern",
    "colour": "Colour",
    "second_colour": "Second colour",
})  # fmt: skip
_CHOICE_LABELS: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "method": {name: method.label for name, method in METHODS.items() if not method.needs_file},
    "shape": {name: shape.label for name, shape in SHAPES.items()},
    "pattern": {name: pattern.label for name, pattern in PATTERNS.items()},
})  # fmt: skip
"""The labels of the options of each field that is a choice."""
_SLIDER_STEPS = MappingProxyType({"sigma": 0.005, "tile": 0.05, "corner": 0.05})
"""Step of the sliders for which 0.01 is too coarse or finer than anyone can see. Whole numbers have steps of 1."""


def show_style_decision(run: Run, snapshot: release.SignOffSnapshot) -> None:
    """Show the choice of style, and a comparison of all styles."""
    st.header("Mask style", anchor=False)
    style = snapshot.terms.style
    current = find_preset(style) or style_names.OWN_STYLE
    names = [*PRESETS, style_names.OWN_STYLE]
    picked = st.radio(
        "Style", names, names.index(current), format_func=style_names.STYLE_NAMES.__getitem__, key=f"style-{run.id}",
        captions=[style_names.STYLE_DESCRIPTIONS[name] for name in names], horizontal=True,
    )  # fmt: skip
    wanted = PRESETS[picked].style if picked in PRESETS else _edit_own_style(run, style)
    st.caption(escape_markdown(summary.describe_signed_style(snapshot)))
    # The page above was drawn with the old style, so it is drawn again before anything can be signed.
    if wanted != style:
        session.CHOSEN_STYLES.set({**session.CHOSEN_STYLES.get(), run.id: wanted})
        st.rerun()
    if weak_values := list(describe_weak_values(style)):
        consequence = (
            "It was forced when it was signed." if snapshot.terms.forced else "It cannot be approved. Make it stronger."
        )
        st.error(
            f"This style would not hide a face. {consequence}  \n" + "  \n".join(weak_values), icon=":material/warning:"
        )
    _show_comparison(run, style)


def describe_weak_values(style: Style) -> Iterator[str]:
    """Describe each value that is too weak, with the labels of this page."""
    for limit in LIMITS:
        if limit.is_applicable(style) and limit.is_violated(getattr(style, limit.field)):
            statement = f"{_FIELD_LABELS[limit.field]} is {getattr(style, limit.field):g}"
            yield f"{statement}. It must be at {limit.side} {limit.value:g}, because {limit.reason}."


def _edit_own_style(run: Run, style: Style) -> Style:
    """Show controls for every value that the method and shape use, and return the edited style."""
    if METHODS[style.method].needs_file:
        st.caption(
            f"Faces are masked with the picture {style.image}, as signed on the command line. This stays unless you "
            "choose another style."
        )
        return style
    with st.container(border=True):
        return msgspec.structs.replace(style, **_choose_values(f"style-{run.id}", style))


def _choose_values(key_prefix: str, style: Style) -> dict[str, Any]:
    """Show a control for each value that the chosen method and shape use, and return the values by field."""
    # Endless rows of four: which fields follow is known only after method and shape were chosen.
    columns = (column for _row in count() for column in st.columns(4, gap="medium"))

    def choose(field: str) -> Any:
        with next(columns):
            return _choose_value(field, getattr(style, field), f"{key_prefix}-{field}")

    values = {field: choose(field) for field in ("method", "shape", "scale", "feather")}
    parameters = (*METHODS[values["method"]].parameters, *SHAPES[values["shape"]].parameters)
    return values | {field: choose(field) for field in parameters}


def _choose_value(field: str, current: Any, key: str) -> Any:
    """Show the control that fits the type of a field; its range is the one that the type allows."""
    label, rule = _FIELD_LABELS[field], read_field_rules()[field]
    if rule.words:
        labels = _CHOICE_LABELS[field]
        names = list(labels)
        return st.selectbox(label, names, names.index(current), format_func=labels.__getitem__, key=key)
    if rule.pattern == COLOUR_PATTERN:
        return st.color_picker(label, current, key=key)
    step = 1 if isinstance(current, int) else _SLIDER_STEPS.get(field, 0.01)
    # Streamlit shows two decimals unless a format asks for more.
    finely = "%.3f" if step < 0.01 else None
    # The slider adds up its steps in floating point, so 0.3 may come back as 0.30000000000000004.
    return round(st.slider(label, rule.minimum, rule.maximum, current, step, format=finely, key=key), 4)


def _show_comparison(run: Run, style: Style) -> None:
    reviewed = reviewed_run.load_reviewed_run(run)
    last, size = len(reviewed.record.frames) - 1, reviewed.record.source.video.display
    index = int(
        st.number_input("Frame for the comparison", 0, last, summary.find_showcase_frame(reviewed.record), width=200)
    )
    boxes = [face.box for face in reviewed.amended.build_frame(index).faces]
    face = max(boxes, key=lambda box: box.area, default=None)
    styles = [
        *([] if find_preset(style) else [(style_names.OWN_STYLE, style)]),
        *((name, preset.style) for name, preset in PRESETS.items()),
    ]
    tiles = [build_tile("Source", summary.build_still_address(run, index), face, size)]
    for name, tile_style in styles:
        source = summary.build_still_address(
            run, index, shown_style.to_address_name(tile_style), reviewed.review.sha256
        )
        chosen = tile_style == style
        label = style_names.STYLE_NAMES[name] + (" (chosen)" if chosen else "")
        tiles.append(build_tile(label, source, face, size, chosen=chosen))
    show_tiles(tiles)
    if face is None:
        st.caption("This frame has no mask, so all styles look the same.")
