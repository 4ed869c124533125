"""Check that faces stay covered for as long as they are in view."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np

from engine.evaluation.judgements import FaceJudgement, Judgements
from engine.evaluation.scores import Exposure, TrackScores
from engine.statistics.bootstrap import compute_rates


def score_tracks(judgements: Judgements) -> TrackScores:
    """Compute the coverage of whole tracks.

    A clip with one face per frame is one track. In other clips the column `track` of the truth names the track, and
    faces without a name belong to none. Photographs have one frame, so they have no tracks.
    """
    clips = _group_by_clip(judgements)
    tracks = {(clip, name): track for clip, faces in clips.items() for name, track in _group_by_track(faces).items()}
    exposures = tuple(
        exposure for (clip, name), track in tracks.items() for exposure in _find_exposures(clip, name, track)
    )
    showing = {(exposure.clip, exposure.track) for exposure in exposures}
    covered = np.array([[key not in showing] for key in tracks], dtype=np.float64).reshape(-1, 1)
    criteria = judgements.criteria
    (rate,) = compute_rates(
        covered,
        np.ones_like(covered),
        confidence=criteria.confidence,
        resamples=criteria.resamples,
        seed=criteria.seed,
    )
    untracked = tuple(clip for clip, faces in clips.items() if not _group_by_track(faces))
    return TrackScores(rate.total, rate.count, rate.value, rate.interval, untracked, exposures)


def _group_by_clip(judgements: Judgements) -> Mapping[str, Sequence[FaceJudgement]]:
    """Group the faces by clip; only clips with faces in several frames count."""
    clips: dict[str, list[FaceJudgement]] = defaultdict(list)
    for face in judgements.faces:
        clips[face.clip].append(face)
    return {clip: faces for clip, faces in clips.items() if len({face.frame for face in faces}) > 1}


def _group_by_track(faces: Sequence[FaceJudgement]) -> Mapping[str, Sequence[FaceJudgement]]:
    """Group the faces of a clip by the name of their track; empty if the tracks cannot be distinguished."""
    # One face in each frame can only be one track, so such a clip needs no track column.
    named = [face for face in faces if face.truth.track is not None]
    if not named and len({face.frame for face in faces}) == len(faces):
        return {"": faces}
    tracks: dict[str, list[FaceJudgement]] = defaultdict(list)
    for face in named:
        tracks[face.truth.track or ""].append(face)
    return tracks


def _find_exposures(clip: str, name: str, track: Sequence[FaceJudgement]) -> Iterator[Exposure]:
    """Find the runs of frames in which a face shows. Frames that the truth does not list do not end a run."""
    runs = [(covered, list(run)) for covered, run in groupby(track, key=lambda face: face.covered)]
    for position, (covered, run) in enumerate(runs):
        if not covered:
            between = 0 < position < len(runs) - 1
            yield Exposure(clip, name, run[0].frame, run[-1].frame, len(run), between)
