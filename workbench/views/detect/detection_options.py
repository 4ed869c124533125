"""How faces are to be found: the four modes and their options, in the words of who chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import streamlit as st

from engine.detectors.modes import MODES
from engine.detectors.registry import detector_names, local_detector_names
from engine.record import DetectOptions


@dataclass(frozen=True, slots=True)
class ModeCard:
    """A mode in the words of who uses it."""

    title: str
    description: str


MODE_CARDS = {
    "on-prem": ModeCard(
        "On-prem",
        "Nothing leaves this machine. One detector, MTCNN: reliable on large faces; misses more of the small ones than "
        "Hybrid.",
    ),
    "hybrid": ModeCard(
        "Hybrid",
        "Nothing leaves this machine. Two independent detectors, and what either sees is covered: finds the most "
        "faces. For regulated submissions.",
    ),
    "cloud": ModeCard(
        "Cloud",
        "Frames are sent to Amazon Rekognition as they are, and each call costs money. Quick, for hours of footage.",
    ),
    "live": ModeCard(
        "Live", "Nothing leaves this machine. The light detectors of the Live page: the quickest, for a first look."
    ),
}
_POLICY_LABELS = {
    "all": "every frame",
    "every:2": "every second frame",
    "every:5": "every fifth frame",
    "contested": "only frames in which a detector here is in doubt",
}


def choose() -> DetectOptions:
    """Let a person choose how faces are found."""
    chooser, options = st.columns([3, 2], gap="large")
    with chooser:
        mode = st.radio(
            "Mode",
            list(MODE_CARDS),
            format_func=lambda name: MODE_CARDS[name].title,
            captions=[card.description for card in MODE_CARDS.values()],
            key="mode",
            persist_state="session",
        )
    with options, st.expander("Options", expanded=mode == "cloud"):
        return _choose_details(mode)


def _choose_details(mode: str) -> DetectOptions:
    usual, here = list(MODES[mode].detectors), local_detector_names()
    costs = st.container()
    chosen = st.multiselect(
        "Detectors",
        detector_names(),
        default=usual,
        format_func=lambda name: name if name in here else f"{name} (sends frames to Amazon)",
        help="What any of them sees is covered. More of them find more faces, and take longer.",
        key=f"detectors-{mode}",
        placeholder=f"{', '.join(usual)}, as usual",
        persist_state="session",
    )
    asks = not set(chosen or usual) <= set(here)
    with costs:
        asking, most = _choose_cost_limits() if asks else ({}, None)
    damage = st.radio(
        "A frame that cannot be decoded",
        ("stop", "cover"),
        format_func={"stop": "ends the run", "cover": "is covered whole"}.__getitem__,
        horizontal=True,
        help="A damaged frame is never let through: the run ends and says which it is, or goes on and masks all of it.",
        key="damage",
        persist_state="session",
    )
    workers = st.number_input(
        "Work at once",
        min_value=1,
        max_value=64,
        value=None,
        placeholder="as much as this machine can do",
        help="Processes for each detector, or calls to a service under way at once. The result does not depend on it.",
        key="workers",
        persist_state="session",
    )
    return DetectOptions(
        mode=mode,
        detectors=None if chosen == usual or not chosen else tuple(chosen),
        asking=asking,
        max_cost=most,
        workers=workers,
        on_damage=cast("Literal['stop', 'cover']", damage),
    )


def _choose_cost_limits() -> tuple[dict[str, bool | int | float | str | None], float | None]:
    """What may be sent, and what it may cost."""
    policy = st.selectbox(
        "What is sent",
        list(_POLICY_LABELS),
        format_func=_POLICY_LABELS.__getitem__,
        help="Between the frames that are sent, faces are followed. Fewer frames cost less, and show Amazon less.",
        key="policy",
        persist_state="session",
    )
    left, right = st.columns(2)
    with left:
        most = st.number_input(
            "Most a run may cost, USD",
            min_value=0.0,
            value=None,
            placeholder="no limit",
            help="It stops before it costs more.",
            key="most",
            persist_state="session",
        )
    with right:
        price = st.number_input(
            "Price of a call, USD",
            min_value=0.0,
            value=0.001,
            format="%.4f",
            help="As your contract with Amazon says; costs are reckoned with it.",
            key="price",
            persist_state="session",
        )
    return {"policy": policy, "price": float(price)}, None if most is None else float(most)
