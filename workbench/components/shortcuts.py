"""The shortcuts of all pages. Those of Review are read from the table that the canvas obeys."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import streamlit as st

_KEYS_FILE = Path(__file__).parent / "canvas" / "js" / "keys.js"
_SHOWN_KEY = re.compile(r'shown: "(?P<shown>[^"]+)", what: "(?P<what>[^"]+)"')
_EVERYWHERE = (
    ("Tab Shift+Tab", "Go to the next, previous field, button or link"),
    ("Enter", "Press the button or open the link; in a form, send it"),
    ("Space", "Press the button, tick the box"),
    ("↑ ↓", "Choose in a list or among steps"),
    ("Esc", "Close a list, a menu or a dialog"),
    ("?", "On Review: show its shortcuts beside the picture"),
)
_LIVE = (("p", "Mask the whole picture at once, and show it again"),)


@cache
def list_review_keys() -> tuple[tuple[str, str], ...]:
    """Return the keys of Review, each with what it does, in the order of their table."""
    return tuple((found["shown"], found["what"]) for found in _SHOWN_KEY.finditer(_KEYS_FILE.read_text("utf-8")))


def show_shortcuts() -> None:
    """Show the shortcuts of all pages."""
    for title, keys in (("On every page", _EVERYWHERE), ("Live", _LIVE), ("Review", list_review_keys())):
        rows = "\n".join(f"| {_format_keys(shown)} | {what} |" for shown, what in keys)
        st.markdown(f"**{title}**\n\n| Keys | What they do |\n|---|---|\n{rows}")


def _format_keys(shown: str) -> str:
    return " ".join(f"`{key}`" for key in shown.split(" "))
