"""From frames to embeddings: what the attacker gets to see of each person, under each style."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.assurance.reidentification.base import Placement, Prints, Recogniser
from engine.assurance.reidentification.people import Sitting, box_of
from engine.assurance.reidentification.pictures import Clip, frames, views
from engine.core.geometry import Box
from engine.core.picture import Rgb
from engine.masking.style import Style

Cut = Callable[[Rgb, Box], Rgb]


@dataclass(slots=True)
class Plain:
    """A sitting unmasked, aligned by landmarks: both halves, and where the landmarks put the faces of the gallery."""

    gallery: Prints
    probes: Prints
    placements: list[Placement]


@dataclass(slots=True)
class Masked:
    """A sitting under one style, aligned by the box; `superposed` is of the mean picture of all probes.

    `gallery` is empty where it was not asked for.
    """

    gallery: Prints
    probes: Prints
    superposed: Prints


def plain(recogniser: Recogniser, clip: Clip, sittings: Sequence[Sitting]) -> list[Plain]:
    """What is known of each sitting of a clip before anything is masked."""
    cuts: defaultdict[tuple[Sitting, bool], list[Rgb]] = defaultdict(list)
    placements: defaultdict[Sitting, list[Placement]] = defaultdict(list)
    for frame, here in _visits(clip, sittings):
        picture = frame.rgb()
        for sitting, is_probe in here:
            box = box_of(clip.record, frame.index, sitting.track)
            placement = recogniser.place(picture, box)
            cuts[sitting, is_probe].append(recogniser.cut(picture, box, placement))
            if not is_probe:
                placements[sitting].append(placement)
    return [
        Plain(recogniser.describe(cuts[one, False]), recogniser.describe(cuts[one, True]), placements[one])
        for one in sittings
    ]


@dataclass(frozen=True, slots=True)
class Look:
    """A way of looking at faces: under a style (None leaves them as they are), the `gallery` in the same way or not."""

    style: Style | None
    gallery: bool


@dataclass(slots=True)
class _Seen:
    """Aligned pictures of a sitting in one way of looking."""

    gallery: list[Rgb] = field(default_factory=list)
    probes: list[Rgb] = field(default_factory=list)


def masked(
    recogniser: Recogniser, clip: Clip, sittings: Sequence[Sitting], looks: Sequence[Look], placement: Placement
) -> Iterator[Mapping[Look, Masked]]:
    """What each sitting of a clip gives away, in each way of looking, aligned at a fixed place relative to the box."""
    seen: defaultdict[tuple[Sitting, Look], _Seen] = defaultdict(_Seen)
    for frame, here in _visits(clip, sittings):
        for look, picture in zip(looks, views(clip, frame, [look.style for look in looks]), strict=True):
            for sitting, is_probe in here:
                if is_probe or look.gallery:
                    cut = recogniser.cut(picture, box_of(clip.record, frame.index, sitting.track), placement)
                    (seen[sitting, look].probes if is_probe else seen[sitting, look].gallery).append(cut)
    for sitting in sittings:
        yield {look: _described(recogniser, seen.pop((sitting, look))) for look in looks}


def _described(recogniser: Recogniser, seen: _Seen) -> Masked:
    mean = np.mean(np.array(seen.probes, dtype=np.float64), axis=0)
    superposed: NDArray[Any] = np.rint(mean).astype(np.uint8)
    prints = recogniser.describe([*seen.gallery, *seen.probes, superposed])
    known = len(seen.gallery)
    return Masked(prints[:known], prints[known:-1], prints[-1:])


def _visits(clip: Clip, sittings: Sequence[Sitting]) -> Iterator[tuple[Any, list[tuple[Sitting, bool]]]]:
    """The frames that any sitting asks for, each with the sittings that do and whether as a probe."""
    asked: defaultdict[int, list[tuple[Sitting, bool]]] = defaultdict(list)
    for sitting in sittings:
        for index in sitting.gallery:
            asked[index].append((sitting, False))
        for index in sitting.probes:
            asked[index].append((sitting, True))
    for frame in frames(clip, asked):
        yield frame, asked[frame.index]
