"""Which style a run is shown in, and how an address of a still names it."""

from __future__ import annotations

from engine.errors import AuditError, SignOffError, StyleError
from engine.masking.presets import DEFAULT_PRESET, format_style, parse_style
from engine.masking.style import Style
from engine.runs import Run
from workbench.core import caches, session

_SIGNED_NAME = "signed"
"""Stands for the style that was signed last. One with a picture has no other name: no address may name a file."""


def get_shown_style_name(run: Run) -> str:
    """The name of the style in which masked stills of a run are shown: as chosen on Sign off, else as signed last."""
    chosen = session.CHOSEN_STYLES.get().get(run.id)
    try:
        return to_address_name(chosen or caches.get_signed_options(session.get_data(), run).style)
    except (SignOffError, AuditError):  # Sign off says what is wrong; until then a still is no statement
        return DEFAULT_PRESET


def to_address_name(style: Style) -> str:
    """What an address says of a style, not yet quoted."""
    return _SIGNED_NAME if style.method == "image" else format_style(style)


def resolve_shown_style(name: str, run: Run) -> Style:
    """The style of a run that an address names.

    Raises:
        StyleError: it names none, or a picture.
        VeilError: it is the signed one, and a signature was tampered with.
    """
    if name == _SIGNED_NAME:
        return caches.get_signed_options(session.get_data(), run).style
    style = parse_style(name)
    if style.method == "image":
        raise StyleError("A style with a picture is shown as it was signed, and no other way.")
    return style
