"""The benchmark of re-identification: which of many people a masked face is, and how often that is found.

Embeddings are kept in memory and end with the run; no file ever holds one.
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
    """A sitting with its clip and what it looks like unmasked."""

    clip: Clip
    person_track: PersonTrack
    embeddings: UnmaskedEmbeddings


_Person = list[_UnmaskedTrack]
"""All sittings of one person."""


def reidentify(  # noqa: PLR0913 - clips, styles, model, and how they are looked at
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
        clips: with their records.
        styles: by the name to report them under.
        recogniser: the face-recognition model of the attacker.
        sampling: which frames are looked at.
        labels: who is who; without them the track that covers most is the one person of a clip, and clips whose
            unmasked faces are near each other show the same person.
        attacks: which ones are tried; "plain" always is.
        listener: hears of progress.

    Raises:
        InputError: fewer than two people can be identified unmasked, or a label names a track that does not exist.
        SourceError: a clip cannot be decoded.
    """
    sampling, listener = sampling or Sampling(), listener or SilentListener()
    attacks = tuple(dict.fromkeys(("plain", *attacks)))
    found = list(_embed_person_tracks(clips, sampling, labels, recogniser, listener))
    everybody = _group_by_person(found, sampling.same, labelled=labels is not None)
    people = _select_identifiable_people(everybody)
    if len(people) < 2:
        raise InputError(
            f"Of {len(everybody)} people only {len(people)} are identified unmasked; give more clips, of people who "
            "show for some seconds."
        )
    placement = compute_median_placement(
        [where for person in people for sat in person for where in sat.embeddings.placements]
    )
    looks = [
        _UNMASKED_VIEW,
        *(AttackView(style, with_gallery="parrot" in attacks) for style in dict.fromkeys(styles.values())),
    ]
    seen = _embed_attack_views(people, recogniser, looks, placement, listener)
    known = [_concatenate([sat.embeddings.gallery for sat in person]) for person in people]
    by_box = _score_attack(known, seen[_UNMASKED_VIEW])
    return ReidentificationReport(
        schema="veil/reidentification/1",
        recogniser=recogniser.facts,
        sampling=sampling,
        clips=len({sat.clip.name for person in people for sat in person}),
        looked_at=len(everybody),
        people=len(people),
        chance=1 / len(people),
        apart=round(median(sat.person_track.apart for person in people for sat in person), 2),
        control=_compute_top1(
            compute_identified_shares(
                [_concatenate([sat.embeddings.probes for sat in one]) for one in people], compute_templates(known)
            )
        ),
        control_by_box=by_box.frame,
        mean_control_by_box=by_box.mean,
        styles=tuple(_score_style(name, style, attacks, known, seen) for name, style in styles.items()),
    )


def _embed_person_tracks(
    clips: Sequence[Clip],
    sampling: Sampling,
    labels: PersonLabels | None,
    recogniser: Recogniser,
    listener: ProgressListener,
) -> Iterator[_UnmaskedTrack]:
    """Every sitting unmasked."""
    for done, clip in enumerate(clips, start=1):
        here = list(choose_person_tracks(clip.name, clip.record, sampling, labels))
        for sitting, plain in zip(here, attack.embed_unmasked(recogniser, clip, here), strict=True):
            yield _UnmaskedTrack(clip, sitting, plain)
        listener.progress("survey", done, len(clips))


def _group_by_person(
    unmasked_tracks: Sequence[_UnmaskedTrack], max_distance: float, *, labelled: bool
) -> list[_Person]:
    """Sittings of one person together: those with one label, or those whose unmasked galleries are near each other."""
    if not unmasked_tracks:
        return []
    if not labelled:
        groups = group_similar_galleries([sat.embeddings.gallery for sat in unmasked_tracks], max_distance)
        return [[unmasked_tracks[number] for number in group] for group in groups]
    named: defaultdict[str | None, _Person] = defaultdict(list)
    for sat in unmasked_tracks:
        named[sat.person_track.person].append(sat)
    return list(named.values())


def _select_identifiable_people(everybody: Sequence[_Person]) -> list[_Person]:
    """The people of whom more than half of the unmasked probes are identified among everybody."""
    if not everybody:
        return []
    known = compute_templates([_concatenate([sat.embeddings.gallery for sat in person]) for person in everybody])
    shares = compute_identified_shares(
        [_concatenate([sat.embeddings.probes for sat in person]) for person in everybody], known
    )
    return [person for person, share in zip(everybody, shares, strict=True) if share > 0.5]


def _embed_attack_views(
    people: Sequence[_Person],
    recogniser: Recogniser,
    attack_views: Sequence[AttackView],
    placement: Placement,
    listener: ProgressListener,
) -> Mapping[AttackView, list[MaskedEmbeddings]]:
    """For each way of looking, what is seen of each person."""
    clips = {sat.clip.name: sat.clip for person in people for sat in person}
    seen: dict[PersonTrack, Mapping[AttackView, MaskedEmbeddings]] = {}
    for done, (name, clip) in enumerate(clips.items(), start=1):
        here = [sat.person_track for person in people for sat in person if sat.clip.name == name]
        seen.update(zip(here, attack.embed_masked(recogniser, clip, here, attack_views, placement), strict=True))
        listener.progress("attack", done, len(clips))
    return {
        look: [_merge_masked([seen[sat.person_track][look] for sat in person]) for person in people]
        for look in attack_views
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
    known: Sequence[Embeddings],
    masked_by_view: Mapping[AttackView, list[MaskedEmbeddings]],
) -> StyleScores:
    masked = masked_by_view[AttackView(style, with_gallery="parrot" in attacks)]
    galleries = {"plain": known, "parrot": [one.gallery for one in masked]}
    scores = {kind: _score_attack(galleries[kind], masked) for kind in attacks}
    limit = 1 / len(known) + CHANCE_MARGIN
    return StyleScores(name, style, tuple(find_weaknesses(style)), scores, scores["plain"].frame.share <= limit)


def _score_attack(galleries: Sequence[Embeddings], masked_people: Sequence[MaskedEmbeddings]) -> AttackScores:
    """One attack, from single frames and from several."""
    known, probes = compute_templates(galleries), [one.probes for one in masked_people]
    level, shifted = _concatenate(centre_embeddings([row[None, :] for row in known])), centre_embeddings(probes)
    return AttackScores(
        frame=_compute_top1(compute_identified_shares(probes, known)),
        mean=_compute_top1(compute_identified_shares(_average_groups(probes), known)),
        superposed=_compute_top1(compute_identified_shares([one.superposed for one in masked_people], known)),
        centred=_compute_top1(compute_identified_shares(shifted, level)),
        centred_mean=_compute_top1(compute_identified_shares(_average_groups(shifted), level)),
    )


def _average_groups(groups: Sequence[Embeddings]) -> list[Embeddings]:
    return [group.mean(axis=0, keepdims=True) for group in groups]


def _compute_top1(shares: NDArray[np.float64]) -> Top1Rate:
    share = float(shares.mean())
    # The trials are people, not probes: probes of one person are alike, and counting each would narrow the interval.
    interval = wilson_interval(share, len(shares))
    assert interval is not None, "fewer than two people are refused before anything is scored"
    return Top1Rate(round(share, 4), (round(interval[0], 4), round(interval[1], 4)))
