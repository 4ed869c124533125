"""The review canvas: still, boxes, timeline and lists. It runs in the browser and needs no rerun for a step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from workbench.components.bundle import bundle

_HERE = Path(__file__).parent


def _read_asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


_component = st.components.v2.component(
    "veil_review", html=_read_asset("canvas.html"), css=_read_asset("canvas.css"), js=bundle(_HERE / "js" / "main.js")
)


def show_review_canvas(key: str, run_id: str, data: dict[str, Any], on_act: Callable[[str], None]) -> None:
    """Show the canvas.

    Args:
        key: key of the widget.
        run_id: the run that is shown; each run has a canvas of its own.
        data: what it shows, as `workbench.views.review.canvas_data.CanvasState.to_data` returns it.
        on_act: called with `run_id` after a person did something and before the page runs again; `get_action` then
            returns what it was.
    """
    _component(key=_canvas_key(key, run_id), data=data, on_act_change=partial(on_act, run_id))


def get_action(key: str, run_id: str) -> dict[str, Any] | None:
    """Return what the person has just done in the canvas; call it inside `on_act`.

    Returns:
        `action` (of an amendment, in plain values), `reason`, `serial`, `revision`, `run` and `frame`; None if the
        canvas sent nothing.
    """
    action: dict[str, Any] | None = st.session_state.get(_canvas_key(key, run_id), {}).get("act")
    return action


def _canvas_key(key: str, run_id: str) -> str:
    return f"{key}-{run_id}"
