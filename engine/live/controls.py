"""Controls of a live run, which any thread may change while it goes on."""

from __future__ import annotations

import threading
from typing import Annotated, Any

import msgspec

from engine.errors import InputError
from engine.masking import style as styles
from engine.masking.presets import DEFAULT_PRESET, PRESETS, PresetName, style_from_preset
from engine.masking.shapes import SHAPES
from engine.masking.style import Style
from engine.record import Document, Score

Strength = Annotated[float, msgspec.Meta(ge=1.0, le=4.0)]
"""Factor by which a mask is coarser than its preset. Less than 1 would show more than the preset allows."""


class LiveControlsState(Document, frozen=True):
    """State of the controls: how frames are shown from some moment on.

    Attributes:
        style: name of a preset.
        strength: factor by which masks are coarser than the preset; it has no effect on an opaque preset.
        shape: shape of the masks; None: the preset's own.
        confidence: least score with which a face begins to be covered.
        cover_all: cover every frame whole.
    """

    style: PresetName = DEFAULT_PRESET
    strength: Strength = 1.0
    shape: styles.Shape | None = None
    confidence: Score = 0.3
    cover_all: bool = False

    def build_style(self) -> Style:
        """Build the style that faces are hidden with.

        Raises:
            StyleError: the style would not hide a face.
        """
        base = PRESETS[self.style].style
        # A preset is sized for its own shape; another one must not leave corners of the face box open.
        least_scale = SHAPES[self.shape].full_cover_scale if self.shape else base.scale
        style = style_from_preset(
            self.style,
            {
                "shape": self.shape or base.shape,
                "scale": max(base.scale, least_scale),
                "sigma": min(1.0, base.sigma * self.strength),
                "samples": max(2, int(base.samples / self.strength)),
                "blocks": max(1, int(base.blocks / self.strength)),
                "levels": max(2, int(base.levels / self.strength)),
            },
        )
        styles.check_style(style)
        return style


class LiveControls:
    """The current state of the controls. Safe to use from several threads.

    A change applies as a whole or not at all; a change that would not hide faces is refused.

    Args:
        state: the first state.

    Raises:
        StyleError: the style of the first state would not hide a face.
    """

    def __init__(self, state: LiveControlsState | None = None) -> None:
        self._lock = threading.Lock()
        self._state = state or LiveControlsState()
        self._style = self._state.build_style()
        self._revision = 0

    @property
    def state(self) -> LiveControlsState:
        """The current state."""
        return self._state

    def read_state(self) -> tuple[int, LiveControlsState, Style]:
        """Return the number of changes so far, the state after them, and its style, which belong together."""
        with self._lock:
            return self._revision, self._state, self._style

    def change(self, **changes: Any) -> LiveControlsState:
        """Change some fields of the state; return the new state.

        Args:
            changes: fields of `LiveControlsState` by name.

        Raises:
            InputError: a field does not exist, or its value is out of range.
            StyleError: the style would not hide a face.
        """
        with self._lock:
            state = _apply_changes(self._state, changes)
            # The style is built first: if it is refused, nothing has changed.
            self._style, self._state = state.build_style(), state
            self._revision += 1
            return state

    def cover_all(self, on: bool | None = None) -> LiveControlsState:  # noqa: FBT001 - the only thing a panic key says
        """Cover every frame whole from the next one on, or stop doing so; None: toggle."""
        with self._lock:
            wanted = not self._state.cover_all if on is None else on
            self._state = msgspec.structs.replace(self._state, cover_all=wanted)
            self._revision += 1
            return self._state


def _apply_changes(state: LiveControlsState, changes: dict[str, Any]) -> LiveControlsState:
    try:
        return msgspec.convert({**msgspec.structs.asdict(state), **changes}, LiveControlsState)
    except msgspec.ValidationError as error:
        raise InputError(
            f"This change is not possible: {error}. The fields are {', '.join(LiveControlsState.__struct_fields__)}."
        ) from error
