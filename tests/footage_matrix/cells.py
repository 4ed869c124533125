"""What a cell of the footage matrix is: a kind of file, how it is made, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Outcome = Literal["kept", "converted", "refused"]
Maker = Callable[[Path], object]


@dataclass(frozen=True)
class Cell:
    """A kind of footage.

    Attributes:
        group: heading under which the table lists it.
        name: what it is.
        suffix: of the file.
        make: writes the file.
        outcome: "kept" if the output is in the source's container with its samples, "converted" if container or
            samples are stored in another way, "refused" if there is none.
        note: how it is converted, or what is special; for the table.
        muxer: FFmpeg's name of the output's container.
        pixels: pixel format of the output.
        sentence: words of the refusal.
        target: suffix of the output; None for the source's.
        on_damage: "cover" to go on after damage.
        checks: what plain decoding can be compared with; a source that a reader has to interpret leaves some out.
        notice: words of a notice that the person gets.
    """

    group: str
    name: str
    suffix: str
    make: Maker
    outcome: Outcome = "kept"
    note: str = ""
    muxer: str = ""
    pixels: str = "yuv420p"
    sentence: str = ""
    target: str | None = None
    on_damage: Literal["stop", "cover"] = "stop"
    checks: frozenset[str] = frozenset({"times", "pictures", "audio", "starts"})
    notice: str = ""

    @property
    def title(self) -> str:
        """Return a name that no other cell has."""
        return f"{self.group}: {self.name}, {self.suffix}"
