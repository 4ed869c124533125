"""How faces are hidden, on the page Sign off: the presets and a style of one's own, side by side on a frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import streamlit as st

from engine import release
from engine.masking.presets import PRESETS, find_preset
from engine.masking.style import LIMITS, Style
from engine.runs import Run
from workbench.components.face_tiles import build_tile, show_tiles
from workbench.core import reviewed_run, session, shown_style, style_names
from workbench.views.signoff import summary

_METHOD_NAMES = MappingProxyType(
    {"gaussian": "Blur", "pixelate": "Mosaic", "solid": "One colour", "pattern": "Pattern"}
)
_SHAPE_NAMES = MappingProxyType({"ellipse": "Ellipse", "rounded": "Rounded rectangle", "rectangle": "Rectangle"})
_FIELD_LABELS = MappingProxyType({
    "scale": "Mask size, in face boxes",
    "feather": "Soft edge, in masks",
    "sigma": "Blur strength, in faces",
    "samples": "Samples kept across a face",
    "levels": "Steps of a colour",
    "blocks": "Blocks across a face",
    "tile": "Tile size, in faces",
    "corner": "Roundness of corners",
})  # fmt: skip
_PATTERN_NAMES = MappingProxyType({"stripes": "Stripes", "checker": "Checker", "grid": "Grid"})


def show_style_decision(run: Run, snapshot: release.SignOffSnapshot) -> None:
    """Show how faces are to be hidden, and let it be changed."""
    st.header("How faces are hidden", anchor=False)
    style = snapshot.terms.style
    now = find_preset(style) or style_names.OWN_STYLE
    names = [*PRESETS, style_names.OWN_STYLE]
    picked = st.radio(
        "Style", names, names.index(now), format_func=style_names.STYLE_NAMES.__getitem__, key=f"style-{run.id}",
        captions=[style_names.STYLE_DESCRIPTIONS[name] for name in names], horizontal=True,
    )  # fmt: skip
    wanted = PRESETS[picked] if picked in PRESETS else _edit_own_style(run, style)
    if wanted != style:
        session.CHOSEN_STYLES.set({**session.CHOSEN_STYLES.get(), run.id: wanted})
        st.rerun()
    if weak := list(describe_weak_values(style)):
        how = (
            "It was forced when it was signed." if snapshot.terms.forced else "It cannot be approved; make it stronger."
        )
        st.error(f"This style would not hide a face. {how}  \n" + "  \n".join(weak), icon=":material/warning:")
    _show_comparison(run, style)


def describe_weak_values(style: Style) -> Iterator[str]:
    """Each value that is too weak, in a sentence with the words of the page."""
    for limit in LIMITS:
        if limit.is_applicable(style) and limit.is_violated(getattr(style, limit.field)):
            found = f"{_FIELD_LABELS[limit.field]} is {getattr(style, limit.field):g}"
            yield f"{found}: at {limit.side} {limit.value:g} is needed, because {limit.reason}."


def _edit_own_style(run: Run, style: Style) -> Style:
    """Controls for every value that the method and the shape of a style have."""
    if style.method == "image":
        st.caption(
            f"A picture covers the faces ({style.image}), as it was signed at the command line. It stays so unless you "
            "choose another style."
        )
        return style
    with st.container(border=True):
        return msgspec.structs.replace(style, **_choose_values(f"style-{run.id}", style))


def _choose_values(key_prefix: str, style: Style) -> dict[str, Any]:
    places = iter([*st.columns(4, gap="medium"), *st.columns(4, gap="medium")])

    def choose_option(label: str, field: str, labels: Mapping[str, str]) -> None:
        names, now = list(labels), getattr(style, field)
        found[field] = next(places).selectbox(
            label, names, names.index(now), format_func=labels.__getitem__, key=f"{key_prefix}-{field}"
        )

    def choose_number(field: str, minimum: float, maximum: float, step: float) -> None:
        now = getattr(style, field)
        finely = "%.3f" if step < 0.01 else None
        chosen = next(places).slider(
            _FIELD_LABELS[field], minimum, maximum, now, step, format=finely, key=f"{key_prefix}-{field}"
        )
        found[field] = round(chosen, 4)

    def choose_colour(label: str, field: str) -> None:
        found[field] = next(places).color_picker(label, getattr(style, field), key=f"{key_prefix}-{field}")

    found: dict[str, Any] = {}
    choose_option("Method", "method", _METHOD_NAMES)
    choose_option("Mask shape", "shape", _SHAPE_NAMES)
    choose_number("scale", 0.5, 4.0, 0.01)
    choose_number("feather", 0.0, 1.0, 0.01)
    match found["method"]:
        case "gaussian":
            choose_number("sigma", 0.01, 1.0, 0.005)
            choose_number("samples", 2, 64, 1)
            choose_number("levels", 2, 256, 1)
        case "pixelate":
            choose_number("blocks", 1, 64, 1)
            choose_number("levels", 2, 256, 1)
        case "solid":
            choose_colour("Colour", "colour")
        case "pattern":
            choose_option("Pattern", "pattern", _PATTERN_NAMES)
            choose_number("tile", 0.05, 2.0, 0.05)
            choose_colour("Colour", "colour")
            choose_colour("Second colour", "second_colour")
    if found["shape"] == "rounded" and found["method"] != "pattern":
        choose_number("corner", 0.0, 1.0, 0.05)
    return found


def _show_comparison(run: Run, style: Style) -> None:
    case = reviewed_run.load_reviewed_run(run)
    last, size = len(case.record.frames) - 1, case.record.source.video.display
    index = int(st.number_input("Frame to compare on", 0, last, summary.find_showcase_frame(case.record), width=200))
    boxes = [face.box for face in case.amended.build_frame(index).faces]
    face = max(boxes, key=lambda box: box.area, default=None)
    looks = [*([] if find_preset(style) else [(style_names.OWN_STYLE, style)]), *PRESETS.items()]
    found = [build_tile("As recorded", summary.build_still_address(run, index), face, size)]
    for name, look in looks:
        source = summary.build_still_address(run, index, shown_style.to_address_name(look), case.review.sha256)
        chosen = look == style
        label = style_names.STYLE_NAMES[name] + (" (chosen)" if chosen else "")
        found.append(build_tile(label, source, face, size, chosen=chosen))
    show_tiles(found)
    if face is None:
        st.caption("No face is hidden in this frame, so every style shows the same.")
