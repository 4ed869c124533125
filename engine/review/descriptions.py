"""Descriptions of amendments in words."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.frame_ranges import describe_range
from engine.core.wording import format_count
from engine.review.amendments import (
    Accept,
    Action,
    Add,
    Cover,
    Delete,
    Extend,
    Flag,
    KeepVisible,
    Keyframe,
    Resize,
    Undo,
)


def describe_action(action: Action) -> str:  # noqa: PLR0911 - one phrase for each action
    """Describe an action without its reason, such as "remove the mask of track 3 in frames 10 to 19"."""
    match action:
        case Add(keyframes):
            return f"add a face in {_describe_keyframes(keyframes)}"
        case Resize(track, keyframes):
            return f"resize track {track} in {_describe_keyframes(keyframes)}"
        case Delete(track, start, stop):
            return f"remove the mask of track {track} in {describe_range(start, stop)}"
        case KeepVisible(track, start, stop):
            return f"keep track {track} visible in {describe_range(start, stop)}"
        case Extend(track, start, stop):
            return f"extend track {track} through {describe_range(start, stop)}"
        case Cover(start, stop):
            return f"cover {describe_range(start, stop)} whole"
        case Accept(spot):
            return f"accept the item {spot}"
        case Flag(frame, _, places):
            return f"ask to check {format_count(len(places), 'place')} similar to the one in frame {frame}"
        case Undo(amendment):
            return f"undo amendment {amendment}"


def _describe_keyframes(keyframes: Sequence[Keyframe]) -> str:
    return describe_range(keyframes[0].index, keyframes[-1].index + 1)
