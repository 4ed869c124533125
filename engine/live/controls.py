"""What can be changed while a live run goes on, from any thread."""

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


class LiveControlsState(Document, frozen=True):
    """How frames are shown from some moment on.

    Attributes:
        style: name of a preset.
        strength: how many times coarser than the preset; an opaque style has none.
        shape: of the masks; None for the preset's own.
        confidence: least score with which a face begins to be covered.
        cover_all: cover every frame whole, whatever is in it.
    """

    style: PresetName = DEFAULT_PRESET
    strength: Strength = 1.0
    shape: styles.Shape | None = None
    confidence: Score = 0.3
    cover_all: bool = False

    def build_style(self) -> Style:
        """The style that faces are hidden with; it always hides a face.

        Raises:
            StyleError: it would not.
        """
        base = PRESETS[self.style].style
        # A preset is sized for its own shape; another one must not leave corners of the face box open.
        least_scale = SHAPES[self.shape].full_cover_scale if self.shape else base.scale
        made = style_from_preset(
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
        styles.check_style(made)
        return made


class LiveControls:
    """The look that holds now. Safe to use from several threads.

    A change is whole or not at all; an unsafe one is refused and the look stays as it was.
    """

    def __init__(self, state: LiveControlsState | None = None) -> None:
        self._lock = threading.Lock()
        self._state = state or LiveControlsState()
        self._style = self._state.build_style()
        self._revision = 0

    @property
    def state(self) -> LiveControlsState:
        """What holds now."""
        return self._state

    def read_state(self) -> tuple[int, LiveControlsState, Style]:
        """How often it was changed, the look, and its style, that belong together."""
        with self._lock:
            return self._revision, self._state, self._style

    def change(self, **changes: Any) -> LiveControlsState:
        """Change some fields of the look.

        Args:
            changes: fields of `Look` by name.

        Raises:
            InputError: there is no such field, or its value is out of range.
            StyleError: the style would not hide a face.
        """
        with self._lock:
            look = _apply_changes(self._state, changes)
            self._style, self._state = look.build_style(), look
            self._revision += 1
            return look

    def cover_all(self, on: bool | None = None) -> LiveControlsState:  # noqa: FBT001 - the one thing a panic key says
        """Cover everything from the next frame on, or stop doing so; None turns it round."""
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
            f"That cannot be changed: {error}; there are {', '.join(LiveControlsState.__struct_fields__)}."
        ) from error
