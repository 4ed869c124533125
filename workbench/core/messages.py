"""Messages below the canvas of Review."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CanvasMessage:
    """The message below the canvas after an action.

    Attributes:
        text: the message.
        serial: number of the action, so that the canvas shows each message once.
        bad: True for an error.
        numbers: numbers of the amendments that were added, which are undone together.
    """

    text: str
    serial: int
    bad: bool = False
    numbers: tuple[int, ...] = ()
