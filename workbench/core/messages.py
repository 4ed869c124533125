"""Messages under the canvas of Review."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CanvasMessage:
    """What is said under the canvas after an action; `serial` tells one from the next."""

    text: str
    serial: int
    bad: bool = False
