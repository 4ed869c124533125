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
from engine.assurance.reidentification.attack import Look, Masked, Plain
from engine.assurance.reidentification.base import Placement, Prints, Recogniser, typical
from engine.assurance.reidentification.identification import alike, centred, identified, templates, wilson
from engine.assurance.reidentification.people import Labels, Sampling, Sitting, sittings
from engine.assurance.reidentification.pictures import Clip
from engine.assurance.reidentification.scores import (
    ATTACKS,
    MARGIN,
    Attack,
    Attacked,
    Reidentification,
    StyleScores,
    Top1,
)
from engine.core.progress import Listener, Silent
from engine.errors import InputError
from engine.masking.style import Style, weaknesses

_UNMASKED = Look(None, gallery=False)


@dataclass(frozen=True, slots=True)
class _Sat:
    """A sitting with its clip and what it looks like unmasked."""

    clip: Clip
    sitting: Sitting
    plain: Plain


_Person = list[_Sat]
"""All sittings of one person."""


def reidentify(  # noqa: PLR0913 - clips, styles, model, and how they are looked at
    clips: Sequence[Clip],
    styles: Mapping[str, Style],
    recogniser: Recogniser,
    *,
    sampling: Sampling | None = None,
    labels: Labels | None = None,
    attacks: Sequence[Attack] = ATTACKS,
    listener: Listener | None = None,
) -> Reidentification:
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
    sampling, listener = sampling or Sampling(), listener or Silent()
    attacks = tuple(dict.fromkeys(("plain", *attacks)))
    found = list(_survey(clips, sampling, labels, recogniser, listener))
    everybody = _people(found, sampling.same, labelled=labels is not None)
    people = _recognised(everybody)
    if len(people) < 2:
        raise InputError(
            f"Of {len(everybody)} people only {len(people)} are identified unmasked; give more clips, of people who "
            "show for some seconds."
        )
    placement = typical([where for person in people for sat in person for where in sat.plain.placements])
    looks = [_UNMASKED, *(Look(style, gallery="parrot" in attacks) for style in dict.fromkeys(styles.values()))]
    seen = _attacked(people, recogniser, looks, placement, listener)
    known = [_joined([sat.plain.gallery for sat in person]) for person in people]
    by_box = _scores(known, seen[_UNMASKED])
    return Reidentification(
        schema="veil/reidentification/1",
        recogniser=recogniser.facts,
        sampling=sampling,
        clips=len({sat.clip.name for person in people for sat in person}),
        looked_at=len(everybody),
        people=len(people),
        chance=1 / len(people),
        apart=round(median(sat.sitting.apart for person in people for sat in person), 2),
        control=_top1(identified([_joined([sat.plain.probes for sat in one]) for one in people], templates(known))),
        control_by_box=by_box.frame,
        mean_control_by_box=by_box.mean,
        styles=tuple(_style(name, style, attacks, known, seen) for name, style in styles.items()),
    )


def _survey(
    clips: Sequence[Clip], sampling: Sampling, labels: Labels | None, recogniser: Recogniser, listener: Listener
) -> Iterator[_Sat]:
    """Every sitting unmasked."""
    for done, clip in enumerate(clips, start=1):
        here = list(sittings(clip.name, clip.record, sampling, labels))
        for sitting, plain in zip(here, attack.plain(recogniser, clip, here), strict=True):
            yield _Sat(clip, sitting, plain)
        listener.progress("survey", done, len(clips))


def _people(found: Sequence[_Sat], same: float, *, labelled: bool) -> list[_Person]:
    """Sittings of one person together: those with one label, or those whose unmasked galleries are near each other."""
    if not found:
        return []
    if not labelled:
        groups = alike([sat.plain.gallery for sat in found], same)
        return [[found[number] for number in group] for group in groups]
    named: defaultdict[str | None, _Person] = defaultdict(list)
    for sat in found:
        named[sat.sitting.person].append(sat)
    return list(named.values())


def _recognised(everybody: Sequence[_Person]) -> list[_Person]:
    """The people of whom more than half of the unmasked probes are identified among everybody."""
    if not everybody:
        return []
    known = templates([_joined([sat.plain.gallery for sat in person]) for person in everybody])
    shares = identified([_joined([sat.plain.probes for sat in person]) for person in everybody], known)
    return [person for person, share in zip(everybody, shares, strict=True) if share > 0.5]


def _attacked(
    people: Sequence[_Person],
    recogniser: Recogniser,
    looks: Sequence[Look],
    placement: Placement,
    listener: Listener,
) -> Mapping[Look, list[Masked]]:
    """For each way of looking, what is seen of each person."""
    clips = {sat.clip.name: sat.clip for person in people for sat in person}
    seen: dict[Sitting, Mapping[Look, Masked]] = {}
    for done, (name, clip) in enumerate(clips.items(), start=1):
        here = [sat.sitting for person in people for sat in person if sat.clip.name == name]
        seen.update(zip(here, attack.masked(recogniser, clip, here, looks, placement), strict=True))
        listener.progress("attack", done, len(clips))
    return {look: [_together([seen[sat.sitting][look] for sat in person]) for person in people] for look in looks}


def _together(parts: Sequence[Masked]) -> Masked:
    return Masked(
        _joined([part.gallery for part in parts]),
        _joined([part.probes for part in parts]),
        _joined([part.superposed for part in parts]),
    )


def _joined(parts: Sequence[Prints]) -> Prints:
    return np.concatenate(parts)


def _style(
    name: str,
    style: Style,
    attacks: Sequence[Attack],
    known: Sequence[Prints],
    seen: Mapping[Look, list[Masked]],
) -> StyleScores:
    masked = seen[Look(style, gallery="parrot" in attacks)]
    galleries = {"plain": known, "parrot": [one.gallery for one in masked]}
    scores = {kind: _scores(galleries[kind], masked) for kind in attacks}
    limit = 1 / len(known) + MARGIN
    return StyleScores(name, style, tuple(weaknesses(style)), scores, scores["plain"].frame.share <= limit)


def _scores(galleries: Sequence[Prints], seen: Sequence[Masked]) -> Attacked:
    """One attack, from single frames and from several."""
    known, probes = templates(galleries), [one.probes for one in seen]
    level, shifted = _joined(centred([row[None, :] for row in known])), centred(probes)
    return Attacked(
        frame=_top1(identified(probes, known)),
        mean=_top1(identified(_means(probes), known)),
        superposed=_top1(identified([one.superposed for one in seen], known)),
        centred=_top1(identified(shifted, level)),
        centred_mean=_top1(identified(_means(shifted), level)),
    )


def _means(groups: Sequence[Prints]) -> list[Prints]:
    return [group.mean(axis=0, keepdims=True) for group in groups]


def _top1(shares: NDArray[np.float64]) -> Top1:
    share = float(shares.mean())
    low, high = wilson(share, len(shares))
    return Top1(round(share, 4), (round(low, 4), round(high, 4)))
