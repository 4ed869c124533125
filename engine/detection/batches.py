"""What goes to the detectors a few frames at a time, and what comes back from several passes over a video."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from engine.core.picture import Rgb
from engine.detection.frame_selection import FramePredicate
from engine.media.frame import SourceFrame


class LazyRgbBatch(Sequence[Rgb]):
    """Frames as pictures with a longest side; each is converted when it is first asked for."""

    def __init__(self, frames: Sequence[SourceFrame], longest_side_px: int | None) -> None:
        self._frames, self._longest_side_px = frames, longest_side_px
        self._converted: dict[int, Rgb] = {}

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, place: int) -> Rgb: ...

    @overload
    def __getitem__(self, place: slice) -> list[Rgb]: ...

    def __getitem__(self, place: int | slice) -> Rgb | list[Rgb]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        if place not in self._converted:
            self._converted[place] = self._frames[place].rgb(self._longest_side_px)
        return self._converted[place]


def select_positions(frames: Sequence[SourceFrame], is_selected: FramePredicate) -> list[int]:
    """Which frames of a chunk a service is asked about; never those that are covered whole anyway."""
    return [place for place, frame in enumerate(frames) if is_selected(frame.index) and not frame.damaged]
