"""The scenes of a video: the frames from one cut to the next."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from engine.core.frame_ranges import FrameRange


class Scenes:
    """Finds the scene that a frame belongs to.

    Args:
        cuts: first frames of scenes, in rising order; frame 0 begins a scene whether it is listed or not.
        frame_count: number of frames of the video.
    """

    def __init__(self, cuts: Iterable[int], frame_count: int) -> None:
        self._bounds = (0, *(cut for cut in cuts if cut), frame_count)

    def find_scene(self, index: int) -> FrameRange:
        """Return the scene that holds frame `index`; an index past the end belongs to the last scene."""
        # Leaving the end of the video out of the search keeps an index past it in the last scene.
        place = bisect_right(self._bounds, index, hi=len(self._bounds) - 1)
        return self._bounds[place - 1], self._bounds[place]
