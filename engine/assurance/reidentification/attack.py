"""From frames to embeddings: what the attacker gets to see of each person, under each style."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.assurance.reidentification.base import Embeddings, Placement, Recogniser
from engine.assurance.reidentification.people import PersonTrack, find_track_box
from engine.assurance.reidentification.pictures import Clip, mask_frame, read_frames
from engine.core.geometry import Box
from engine.core.picture import Rgb
from engine.masking.style import Style

FaceCutter = Callable[[Rgb, Box], Rgb]


@dataclass(slots=True)
class UnmaskedEmbeddings:
    """A sitting unmasked, aligned by landmarks: both halves, and where the landmarks put the faces of the gallery."""

    gallery: Embeddings
    probes: Embeddings
    placements: list[Placement]


@dataclass(slots=True)
class MaskedEmbeddings:
    """A sitting under one style, aligned by the box; `superposed` is of the mean picture of all probes.

    `gallery` is empty where it was not asked for.
    """

    gallery: Embeddings
    probes: Embeddings
    superposed: Embeddings


def embed_unmasked(
    recogniser: Recogniser, clip: Clip, person_tracks: Sequence[PersonTrack]
) -> list[UnmaskedEmbeddings]:
    """What is known of each sitting of a clip before anything is masked."""
    cuts: defaultdict[tuple[PersonTrack, bool], list[Rgb]] = defaultdict(list)
    placements: defaultdict[PersonTrack, list[Placement]] = defaultdict(list)
    for frame, here in _read_wanted_frames(clip, person_tracks):
        picture = frame.rgb()
        for sitting, is_probe in here:
            box = find_track_box(clip.record, frame.index, sitting.track)
            placement = recogniser.find_placement(picture, box)
            cuts[sitting, is_probe].append(recogniser.cut_face(picture, box, placement))
            if not is_probe:
                placements[sitting].append(placement)
    return [
        UnmaskedEmbeddings(
            recogniser.embed_faces(cuts[one, False]), recogniser.embed_faces(cuts[one, True]), placements[one]
        )
        for one in person_tracks
    ]


@dataclass(frozen=True, slots=True)
class AttackView:
    """A way of looking at faces: under a style (None leaves them as they are), the `with_gallery` in the same way or
    not.
    """

    style: Style | None
    with_gallery: bool


@dataclass(slots=True)
class _AlignedPictures:
    """Aligned pictures of a sitting in one way of looking."""

    gallery: list[Rgb] = field(default_factory=list)
    probes: list[Rgb] = field(default_factory=list)


def embed_masked(
    recogniser: Recogniser,
    clip: Clip,
    person_tracks: Sequence[PersonTrack],
    attack_views: Sequence[AttackView],
    placement: Placement,
) -> Iterator[Mapping[AttackView, MaskedEmbeddings]]:
    """What each sitting of a clip gives away, in each way of looking, aligned at a fixed place relative to the box."""
    seen: defaultdict[tuple[PersonTrack, AttackView], _AlignedPictures] = defaultdict(_AlignedPictures)
    for frame, here in _read_wanted_frames(clip, person_tracks):
        for look, picture in zip(
            attack_views, mask_frame(clip, frame, [look.style for look in attack_views]), strict=True
        ):
            for sitting, is_probe in here:
                if is_probe or look.with_gallery:
                    cut = recogniser.cut_face(
                        picture, find_track_box(clip.record, frame.index, sitting.track), placement
                    )
                    (seen[sitting, look].probes if is_probe else seen[sitting, look].gallery).append(cut)
    for sitting in person_tracks:
        yield {look: _embed_pictures(recogniser, seen.pop((sitting, look))) for look in attack_views}


def _embed_pictures(recogniser: Recogniser, pictures: _AlignedPictures) -> MaskedEmbeddings:
    mean = np.mean(np.array(pictures.probes, dtype=np.float64), axis=0)
    superposed: NDArray[Any] = np.rint(mean).astype(np.uint8)
    prints = recogniser.embed_faces([*pictures.gallery, *pictures.probes, superposed])
    known = len(pictures.gallery)
    return MaskedEmbeddings(prints[:known], prints[known:-1], prints[-1:])


def _read_wanted_frames(
    clip: Clip, person_tracks: Sequence[PersonTrack]
) -> Iterator[tuple[Any, list[tuple[PersonTrack, bool]]]]:
    """The frames that any sitting asks for, each with the sittings that do and whether as a probe."""
    asked: defaultdict[int, list[tuple[PersonTrack, bool]]] = defaultdict(list)
    for sitting in person_tracks:
        for index in sitting.gallery:
            asked[index].append((sitting, False))
        for index in sitting.probes:
            asked[index].append((sitting, True))
    for frame in read_frames(clip, asked):
        yield frame, asked[frame.index]
