"""How faces are hidden, on the page Sign off: the presets and a style of one's own, side by side on a frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import streamlit as st

from engine import release
from engine.masking.presets import PRESETS, name_of
from engine.masking.style import LIMITS, Style
from engine.runs import Run
from workbench.components.face_tiles import tile, tiles
from workbench.core import reviewed_run, session, shown_style, style_names
from workbench.views.signoff import summary

_METHODS = MappingProxyType({"gaussian": "Blur", "pixelate": "Mosaic", "solid": "One colour", "pattern": "Pattern"})
_SHAPES = MappingProxyType({"ellipse": "Ellipse", "rounded": "Rounded rectangle", "rectangle": "Rectangle"})
_LABELS = MappingProxyType({
    "scale": "Mask size, in face boxes",
    "feather": "Soft edge, in masks",
    "sigma": "Blur strength, in faces",
    "samples": "Samples kept across a face",
    "levels": "Steps of a colour",
    "blocks": "Blocks across a face",
    "tile": "Tile size, in faces",
    "corner": "Roundness of corners",
})  # fmt: skip
_PATTERNS = MappingProxyType({"stripes": "Stripes", "checker": "Checker", "grid": "Grid"})


def decision(run: Run, case: release.Case) -> None:
    """Show how faces are to be hidden, and let it be changed."""
    st.header("How faces are hidden", anchor=False)
    style = case.terms.style
    now = name_of(style) or style_names.OWN
    names = [*PRESETS, style_names.OWN]
    picked = st.radio(
        "Style", names, names.index(now), format_func=style_names.STYLE_NAMES.__getitem__, key=f"style-{run.id}",
        captions=[style_names.STYLE_MEANS[name] for name in names], horizontal=True,
    )  # fmt: skip
    wanted = PRESETS[picked] if picked in PRESETS else _own(run, style)
    if wanted != style:
        session.STYLES.set({**session.STYLES.get(), run.id: wanted})
        st.rerun()
    if weak := list(weak_values(style)):
        how = "It was forced when it was signed." if case.terms.forced else "It cannot be approved; make it stronger."
        st.error(f"This style would not hide a face. {how}  \n" + "  \n".join(weak), icon=":material/warning:")
    _side_by_side(run, style)


def weak_values(style: Style) -> Iterator[str]:
    """Each value that is too weak, in a sentence with the words of the page."""
    for limit in LIMITS:
        if limit.applies(style) and limit.broken(getattr(style, limit.field)):
            found = f"{_LABELS[limit.field]} is {getattr(style, limit.field):g}"
            yield f"{found}: at {limit.side} {limit.value:g} is needed, because {limit.reason}."


def _own(run: Run, style: Style) -> Style:
    """Controls for every value that the method and the shape of a style have."""
    if style.method == "image":
        st.caption(
            f"A picture covers the faces ({style.image}), as it was signed at the command line. It stays so unless you "
            "choose another style."
        )
        return style
    with st.container(border=True):
        return msgspec.structs.replace(style, **_values(f"style-{run.id}", style))


def _values(key: str, style: Style) -> dict[str, Any]:
    places = iter([*st.columns(4, gap="medium"), *st.columns(4, gap="medium")])

    def choice(label: str, field: str, words: Mapping[str, str]) -> None:
        names, now = list(words), getattr(style, field)
        found[field] = next(places).selectbox(
            label, names, names.index(now), format_func=words.__getitem__, key=f"{key}-{field}"
        )

    def slider(field: str, least: float, most: float, step: float) -> None:
        now = getattr(style, field)
        finely = "%.3f" if step < 0.01 else None
        chosen = next(places).slider(_LABELS[field], least, most, now, step, format=finely, key=f"{key}-{field}")
        found[field] = round(chosen, 4)

    def colour(label: str, field: str) -> None:
        found[field] = next(places).color_picker(label, getattr(style, field), key=f"{key}-{field}")

    found: dict[str, Any] = {}
    choice("Method", "method", _METHODS)
    choice("Mask shape", "shape", _SHAPES)
    slider("scale", 0.5, 4.0, 0.01)
    slider("feather", 0.0, 1.0, 0.01)
    match found["method"]:
        case "gaussian":
            slider("sigma", 0.01, 1.0, 0.005)
            slider("samples", 2, 64, 1)
            slider("levels", 2, 256, 1)
        case "pixelate":
            slider("blocks", 1, 64, 1)
            slider("levels", 2, 256, 1)
        case "solid":
            colour("Colour", "colour")
        case "pattern":
            choice("Pattern", "pattern", _PATTERNS)
            slider("tile", 0.05, 2.0, 0.05)
            colour("Colour", "colour")
            colour("Second colour", "second_colour")
    if found["shape"] == "rounded" and found["method"] != "pattern":
        slider("corner", 0.0, 1.0, 0.05)
    return found


def _side_by_side(run: Run, style: Style) -> None:
    case = reviewed_run.case_of(run)
    last, size = len(case.record.frames) - 1, case.record.source.video.display
    index = int(st.number_input("Frame to compare on", 0, last, summary.showcase(case.record), width=200))
    boxes = [face.box for face in case.folded.frame(index).faces]
    face = max(boxes, key=lambda box: box.area, default=None)
    looks = [*([] if name_of(style) else [(style_names.OWN, style)]), *PRESETS.items()]
    found = [tile("As recorded", summary.still(run, index), face, size)]
    for name, look in looks:
        source = summary.still(run, index, shown_style.name_in_address(look), case.review.sha256)
        chosen = look == style
        label = style_names.STYLE_NAMES[name] + (" (chosen)" if chosen else "")
        found.append(tile(label, source, face, size, chosen=chosen))
    tiles(found)
    if face is None:
        st.caption("No face is hidden in this frame, so every style shows the same.")
