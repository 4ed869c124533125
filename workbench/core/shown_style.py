"""The style in which stills of a run are masked, and its name in addresses."""

from __future__ import annotations

from engine.errors import AuditError, SignOffError, StyleError
from engine.masking.presets import DEFAULT_PRESET, format_style, parse_style
from engine.masking.style import Style
from engine.runs import Run
from workbench.core import caches, session

_SIGNED_NAME = "signed"
"""Name of the style that was signed last. A style with a picture has no other name: no address may name a file."""


def get_shown_style_name(run: Run) -> str:
    """Return the name of the style for masked stills: the one chosen on Sign off, else the one signed last."""
    chosen = session.CHOSEN_STYLES.get().get(run.id)
    try:
        return to_address_name(chosen or caches.get_signed_options(session.get_data(), run).style)
    except (SignOffError, AuditError):  # The Sign off page shows this error; a still does not depend on signatures
        return DEFAULT_PRESET


def to_address_name(style: Style) -> str:
    """Return the name of a style in an address, not yet quoted."""
    return _SIGNED_NAME if style.method == "image" else format_style(style)


def resolve_shown_style(name: str, run: Run) -> Style:
    """Return the style that an address names.

    Raises:
        StyleError: there is no such style, or it uses a picture.
        VeilError: it is the signed style, and a signature is damaged.
    """
    if name == _SIGNED_NAME:
        return caches.get_signed_options(session.get_data(), run).style
    style = parse_style(name)
    if style.method == "image":
        raise StyleError("A style with a picture can only be shown as it was signed.")
    return style
