"""Compute the embeddings that an attacker gets of each person: unmasked, and masked with each style."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.assurance.reidentification.base import Embeddings, Placement, Recogniser
from engine.assurance.reidentification.people import PersonTrack, find_track_box
from engine.assurance.reidentification.pictures import Clip, mask_frame, read_frames
from engine.core.picture import Rgb
from engine.masking.style import Style


@dataclass(slots=True)
class UnmaskedEmbeddings:
    """The embeddings of an unmasked track, aligned by landmarks.

    Attributes:
        gallery: Embeddings of the frames that the attacker knows.
        probes: Embeddings of the frames that the attacker tries to identify.
        placements: Placements of the faces of the gallery.
    """

    gallery: Embeddings
    probes: Embeddings
    placements: list[Placement]


@dataclass(slots=True)
class MaskedEmbeddings:
    """The embeddings of a track under one style, aligned by the box alone.

    Attributes:
        gallery: Embeddings of the masked gallery; empty if the attack view has none.
        probes: Embeddings of the masked probes.
        superposed: Embedding of the mean picture of all probes.
    """

    gallery: Embeddings
    probes: Embeddings
    superposed: Embeddings


def embed_unmasked(
    recogniser: Recogniser, clip: Clip, person_tracks: Sequence[PersonTrack]
) -> list[UnmaskedEmbeddings]:
    """Compute the embeddings of the unmasked tracks of a clip, in the order of the tracks."""
    cuts: defaultdict[tuple[PersonTrack, bool], list[Rgb]] = defaultdict(list)
    placements: defaultdict[PersonTrack, list[Placement]] = defaultdict(list)
    for frame, uses in _read_wanted_frames(clip, person_tracks):
        picture = frame.rgb()
        for person_track, is_probe in uses:
            box = find_track_box(clip.record, frame.index, person_track.track)
            placement = recogniser.find_placement(picture, box)
            cuts[person_track, is_probe].append(recogniser.cut_face(picture, box, placement))
            if not is_probe:
                placements[person_track].append(placement)
    return [
        UnmaskedEmbeddings(
            recogniser.embed_faces(cuts[person_track, False]),
            recogniser.embed_faces(cuts[person_track, True]),
            placements[person_track],
        )
        for person_track in person_tracks
    ]


@dataclass(frozen=True, slots=True)
class AttackView:
    """How the attacker gets the faces.

    Attributes:
        style: Style of the masks, None for unmasked faces.
        with_gallery: True if the faces that the attacker knows are masked in the same way.
    """

    style: Style | None
    with_gallery: bool


@dataclass(slots=True)
class _AlignedPictures:
    """The aligned pictures of one track in one attack view."""

    gallery: list[Rgb] = field(default_factory=list)
    probes: list[Rgb] = field(default_factory=list)


def embed_masked(
    recogniser: Recogniser,
    clip: Clip,
    person_tracks: Sequence[PersonTrack],
    attack_views: Sequence[AttackView],
    placement: Placement,
) -> Iterator[Mapping[AttackView, MaskedEmbeddings]]:
    """Yield the embeddings of each track of a clip in each attack view, aligned at a fixed place relative to the box.

    The attacker cannot align masked faces by landmarks, because the mask hides them.
    """
    pictures: defaultdict[tuple[PersonTrack, AttackView], _AlignedPictures] = defaultdict(_AlignedPictures)
    for frame, uses in _read_wanted_frames(clip, person_tracks):
        masked = mask_frame(clip, frame, [view.style for view in attack_views])
        for view, picture in zip(attack_views, masked, strict=True):
            for person_track, is_probe in uses:
                if is_probe or view.with_gallery:
                    box = find_track_box(clip.record, frame.index, person_track.track)
                    face = recogniser.cut_face(picture, box, placement)
                    aligned = pictures[person_track, view]
                    (aligned.probes if is_probe else aligned.gallery).append(face)
    for person_track in person_tracks:
        # The pictures of a track are dropped as soon as they are embedded: all of them are many times the clip.
        yield {view: _embed_pictures(recogniser, pictures.pop((person_track, view))) for view in attack_views}


def _embed_pictures(recogniser: Recogniser, pictures: _AlignedPictures) -> MaskedEmbeddings:
    # Noise and compression average out over many frames, and what a mask leaves of the face does not.
    mean = np.mean(np.array(pictures.probes, dtype=np.float64), axis=0)
    superposed: NDArray[Any] = np.rint(mean).astype(np.uint8)
    embeddings = recogniser.embed_faces([*pictures.gallery, *pictures.probes, superposed])
    gallery_count = len(pictures.gallery)
    return MaskedEmbeddings(embeddings[:gallery_count], embeddings[gallery_count:-1], embeddings[-1:])


def _read_wanted_frames(
    clip: Clip, person_tracks: Sequence[PersonTrack]
) -> Iterator[tuple[Any, list[tuple[PersonTrack, bool]]]]:
    """Read the frames that any track uses, each with these tracks and whether the frame is a probe."""
    uses: defaultdict[int, list[tuple[PersonTrack, bool]]] = defaultdict(list)
    for person_track in person_tracks:
        for index in person_track.gallery:
            uses[index].append((person_track, False))
        for index in person_track.probes:
            uses[index].append((person_track, True))
    for frame in read_frames(clip, uses):
        yield frame, uses[frame.index]
