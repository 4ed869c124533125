"""The four modes of detection and their options, as the Detect page describes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import streamlit as st

from engine.detectors.modes import MODES
from engine.detectors.registry import detector_names, local_detector_names
from engine.record import DetectOptions


@dataclass(frozen=True, slots=True)
class ModeCard:
    """The title of a mode and what it means for a user."""

    title: str
    description: str


MODE_CARDS = {
    "on-prem": ModeCard(
        "On-prem",
        "Nothing leaves this machine. Two detectors; a face that either finds is masked. Quick, and nearly as thorough "
        "as Hybrid.",
    ),
    "hybrid": ModeCard(
        "Hybrid",
        "Nothing leaves this machine. The detectors of On-prem and a further, independent one; finds the most faces. "
        "For regulated submissions.",
    ),
    "cloud": ModeCard(
        "Cloud",
        "Frames are sent to Amazon Rekognition with the faces visible, and each call costs money. Fast, for hours of "
        "footage.",
    ),
    "live": ModeCard("Live", "Nothing leaves this machine. The fast detectors of the Live page, for a first look."),
}
_POLICY_LABELS = {
    "all": "every frame",
    "every:2": "every second frame",
    "every:5": "every fifth frame",
    "contested": "only frames in which a local detector is unsure",
}


def choose() -> DetectOptions:
    """Show the choice of mode and options, and return what was chosen."""
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
    defaults, local_detectors = list(MODES[mode].detectors), local_detector_names()
    # The cost fields depend on the detectors, which are chosen below them; the container keeps their place.
    costs = st.container()
    chosen = st.multiselect(
        "Detectors",
        detector_names(),
        default=defaults,
        format_func=lambda name: name if name in local_detectors else f"{name} (sends frames to Amazon)",
        help="A face that any of them finds is masked. More detectors find more faces and take longer.",
        # A key for each mode, so that a mode starts with its own detectors.
        key=f"detectors-{mode}",
        placeholder=f"{', '.join(defaults)} (default)",
        persist_state="session",
    )
    needs_cloud = not set(chosen or defaults) <= set(local_detectors)
    with costs:
        asking, max_cost = _choose_cost_limits() if needs_cloud else ({}, None)
    damage = st.radio(
        "If a frame is damaged",
        ("stop", "cover"),
        format_func={"stop": "stop", "cover": "mask the whole frame"}.__getitem__,
        horizontal=True,
        help="A damaged frame is never shown. Either the run stops and names the frame, or it continues and masks the "
        "whole frame.",
        key="damage",
        persist_state="session",
    )
    workers = st.number_input(
        "Parallel processes",
        min_value=1,
        max_value=64,
        value=None,
        placeholder="automatic",
        help="Processes for each local detector, or parallel calls to a cloud service. The result is the same.",
        key="workers",
        persist_state="session",
    )
    return DetectOptions(
        mode=mode,
        detectors=None if chosen == defaults or not chosen else tuple(chosen),
        asking=asking,
        max_cost=max_cost,
        workers=workers,
        on_damage=cast("Literal['stop', 'cover']", damage),
    )


def _choose_cost_limits() -> tuple[dict[str, bool | int | float | str | None], float | None]:
    """Show which frames may be sent and what they may cost, and return what was chosen."""
    policy = st.selectbox(
        "Frames to send",
        list(_POLICY_LABELS),
        format_func=_POLICY_LABELS.__getitem__,
        help="Faces are tracked between the frames that are sent. Sending fewer frames costs less and discloses less.",
        key="policy",
        persist_state="session",
    )
    left, right = st.columns(2)
    with left:
        max_cost = st.number_input(
            "Cost limit per run (USD)",
            min_value=0.0,
            value=None,
            placeholder="no limit",
            help="The run stops before it exceeds this limit.",
            key="most",
            persist_state="session",
        )
    with right:
        price = st.number_input(
            "Price per call (USD)",
            min_value=0.0,
            value=0.001,
            format="%.4f",
            help="The price in your contract with Amazon. Cost estimates use it.",
            key="price",
            persist_state="session",
        )
    return {"policy": policy, "price": float(price)}, None if max_cost is None else float(max_cost)
