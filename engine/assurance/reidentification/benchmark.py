"""The re-identification benchmark: how often a masked face is identified among many people.

Embeddings are biometric data. They are kept in memory and end with the process; no file ever holds one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from engine.assurance.reidentification import attack
from engine.assurance.reidentification.attack import AttackView, MaskedEmbeddings, UnmaskedEmbeddings
from engine.assurance.reidentification.base import Embeddings, Placement, Recogniser, compute_median_placement
from engine.assurance.reidentification.identification import (
    centre_embeddings,
    compute_identified_shares,
    compute_templates,
    group_similar_galleries,
)
from engine.assurance.reidentification.people import PersonLabels, PersonTrack, Sampling, choose_person_tracks
from engine.assurance.reidentification.pictures import Clip
from engine.assurance.reidentification.scores import (
    ATTACKS,
    CHANCE_MARGIN,
    Attack,
    AttackScores,
    ReidentificationReport,
    StyleScores,
    Top1Rate,
)
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import InputError
from engine.masking.style import Style, find_weaknesses
from engine.statistics.binomial import wilson_interval

_UNMASKED_VIEW = AttackView(None, with_gallery=False)


@dataclass(frozen=True, slots=True)
class _UnmaskedTrack:
    """A track of a person with its clip and its unmasked embeddings."""

    clip: Clip
    person_track: PersonTrack
    embeddings: UnmaskedEmbeddings


_Person = list[_UnmaskedTrack]
"""All tracks of one person."""


def reidentify(  # noqa: PLR0913 - clips, styles, model, and options that have defaults
    clips: Sequence[Clip],
    styles: Mapping[str, Style],
    recogniser: Recogniser,
    *,
    sampling: Sampling | None = None,
    labels: PersonLabels | None = None,
    attacks: Sequence[Attack] = ATTACKS,
    listener: ProgressListener | None = None,
) -> ReidentificationReport:
    """Try to identify masked faces among the people of clips.

    Args:
        clips: The clips with their records.
        styles: The styles, by the name under which they are reported.
        recogniser: The face-recognition model of the attacker.
        sampling: The choice of frames.
        labels: Names of the people. Without labels the dominant track is the one person of a clip, and clips whose
            unmasked faces are near each other show the same person.
        attacks: The attacks; "plain" is always tried.
        listener: Receives the progress.

    Raises:
        InputError: Fewer than two people can be identified unmasked, or a label names a track that does not exist.
        SourceError: A clip cannot be decoded.
    """
    sampling, listener = sampling or Sampling(), listener or SilentListener()
    attacks = tuple(dict.fromkeys(("plain", *attacks)))
    tracks = list(_embed_person_tracks(clips, sampling, labels, recogniser, listener))
    all_people = _group_by_person(tracks, sampling.same, labelled=labels is not None)
    # A person whom the model does not even identify unmasked would make every style look good.
    people = _select_identifiable_people(all_people)
    if len(people) < 2:
        raise InputError(
            f"Of {len(all_people)} people only {len(people)} are identified unmasked; give more clips, of people who "
            "show for some seconds."
        )
    placement = compute_median_placement(
        [placement for person in people for track in person for placement in track.embeddings.placements]
    )
    views = [
        _UNMASKED_VIEW,
        *(AttackView(style, with_gallery="parrot" in attacks) for style in dict.fromkeys(styles.values())),
    ]
    embeddings = _embed_attack_views(people, recogniser, views, placement, listener)
    galleries = [_concatenate([track.embeddings.gallery for track in person]) for person in people]
    probes = [_concatenate([track.embeddings.probes for track in person]) for person in people]
    # Masked faces are aligned by the box alone. This control shows how much of the loss comes from that, not the mask.
    by_box = _score_attack(galleries, embeddings[_UNMASKED_VIEW])
    return ReidentificationReport(
        schema="veil/reidentification/1",
        recogniser=recogniser.facts,
        sampling=sampling,
        clips=len({track.clip.name for person in people for track in person}),
        looked_at=len(all_people),
        people=len(people),
        chance=1 / len(people),
        apart=round(median(track.person_track.apart for person in people for track in person), 2),
        control=_compute_top1(compute_identified_shares(probes, compute_templates(galleries))),
        control_by_box=by_box.frame,
        mean_control_by_box=by_box.mean,
        styles=tuple(_score_style(name, style, attacks, galleries, embeddings) for name, style in styles.items()),
    )


def _embed_person_tracks(
    clips: Sequence[Clip],
    sampling: Sampling,
    labels: PersonLabels | None,
    recogniser: Recogniser,
    listener: ProgressListener,
) -> Iterator[_UnmaskedTrack]:
    """Compute the unmasked embeddings of every track."""
    for done, clip in enumerate(clips, start=1):
        person_tracks = list(choose_person_tracks(clip.name, clip.record, sampling, labels))
        unmasked = attack.embed_unmasked(recogniser, clip, person_tracks)
        for person_track, embeddings in zip(person_tracks, unmasked, strict=True):
            yield _UnmaskedTrack(clip, person_track, embeddings)
        listener.progress("survey", done, len(clips))


def _group_by_person(
    unmasked_tracks: Sequence[_UnmaskedTrack], max_distance: float, *, labelled: bool
) -> list[_Person]:
    """Group the tracks by person: by label, or without labels by the distance of their unmasked galleries."""
    if not unmasked_tracks:
        return []
    if not labelled:
        groups = group_similar_galleries([track.embeddings.gallery for track in unmasked_tracks], max_distance)
        return [[unmasked_tracks[number] for number in group] for group in groups]
    named: defaultdict[str | None, _Person] = defaultdict(list)
    for track in unmasked_tracks:
        named[track.person_track.person].append(track)
    return list(named.values())


def _select_identifiable_people(people: Sequence[_Person]) -> list[_Person]:
    """Select the people who are identified by more than half of their unmasked probes."""
    if not people:
        return []
    templates = compute_templates([_concatenate([track.embeddings.gallery for track in person]) for person in people])
    shares = compute_identified_shares(
        [_concatenate([track.embeddings.probes for track in person]) for person in people], templates
    )
    return [person for person, share in zip(people, shares, strict=True) if share > 0.5]


def _embed_attack_views(
    people: Sequence[_Person],
    recogniser: Recogniser,
    attack_views: Sequence[AttackView],
    placement: Placement,
    listener: ProgressListener,
) -> Mapping[AttackView, list[MaskedEmbeddings]]:
    """Compute the embeddings of each person in each attack view; the clips are read once for all views."""
    clips = {track.clip.name: track.clip for person in people for track in person}
    embeddings: dict[PersonTrack, Mapping[AttackView, MaskedEmbeddings]] = {}
    for done, (name, clip) in enumerate(clips.items(), start=1):
        person_tracks = [track.person_track for person in people for track in person if track.clip.name == name]
        masked = attack.embed_masked(recogniser, clip, person_tracks, attack_views, placement)
        embeddings.update(zip(person_tracks, masked, strict=True))
        listener.progress("attack", done, len(clips))
    return {
        view: [_merge_masked([embeddings[track.person_track][view] for track in person]) for person in people]
        for view in attack_views
    }


def _merge_masked(parts: Sequence[MaskedEmbeddings]) -> MaskedEmbeddings:
    return MaskedEmbeddings(
        _concatenate([part.gallery for part in parts]),
        _concatenate([part.probes for part in parts]),
        _concatenate([part.superposed for part in parts]),
    )


def _concatenate(parts: Sequence[Embeddings]) -> Embeddings:
    return np.concatenate(parts)


def _score_style(
    name: str,
    style: Style,
    attacks: Sequence[Attack],
    known_galleries: Sequence[Embeddings],
    masked_by_view: Mapping[AttackView, list[MaskedEmbeddings]],
) -> StyleScores:
    masked = masked_by_view[AttackView(style, with_gallery="parrot" in attacks)]
    galleries = {"plain": known_galleries, "parrot": [person.gallery for person in masked]}
    scores = {kind: _score_attack(galleries[kind], masked) for kind in attacks}
    limit = 1 / len(known_galleries) + CHANCE_MARGIN
    return StyleScores(name, style, tuple(find_weaknesses(style)), scores, scores["plain"].frame.share <= limit)


def _score_attack(galleries: Sequence[Embeddings], masked_people: Sequence[MaskedEmbeddings]) -> AttackScores:
    """Score one attack, from single frames and from several."""
    templates, probes = compute_templates(galleries), [person.probes for person in masked_people]
    centred_templates = _concatenate(centre_embeddings([row[None, :] for row in templates]))
    centred_probes = centre_embeddings(probes)
    return AttackScores(
        frame=_compute_top1(compute_identified_shares(probes, templates)),
        mean=_compute_top1(compute_identified_shares(_average_groups(probes), templates)),
        superposed=_compute_top1(compute_identified_shares([person.superposed for person in masked_people], templates)),
        centred=_compute_top1(compute_identified_shares(centred_probes, centred_templates)),
        centred_mean=_compute_top1(compute_identified_shares(_average_groups(centred_probes), centred_templates)),
    )


def _average_groups(groups: Sequence[Embeddings]) -> list[Embeddings]:
    return [group.mean(axis=0, keepdims=True) for group in groups]


def _compute_top1(shares: NDArray[np.float64]) -> Top1Rate:
    share = float(shares.mean())
    # The trials are people, not probes: probes of one person are alike, and counting each would narrow the interval.
    interval = wilson_interval(share, len(shares))
    assert interval is not None, "fewer than two people are refused before anything is scored"
    return Top1Rate(round(share, 4), (round(interval[0], 4), round(interval[1], 4)))
