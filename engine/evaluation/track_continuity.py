"""Whether a face stays hidden for as long as it is in view."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np

from engine.evaluation.judgements import FaceFinding, Findings
from engine.evaluation.scores import Exposure, TrackScores
from engine.statistics.bootstrap import rates


def score_tracks(findings: Findings) -> TrackScores:
    """Coverage of whole tracks.

    A clip with one face a frame is one track; elsewhere the column `track` of the truth tells, and faces for which it
    is empty belong to none. Photographs, having one frame, have no tracks.
    """
    clips = _clips(findings)
    tracks = {(clip, name): track for clip, faces in clips.items() for name, track in _tracks(faces).items()}
    exposures = tuple(exposure for (clip, name), track in tracks.items() for exposure in _exposures(clip, name, track))
    showing = {(exposure.clip, exposure.track) for exposure in exposures}
    covered = np.array([[key not in showing] for key in tracks], dtype=np.float64).reshape(-1, 1)
    criteria = findings.criteria
    (rate,) = rates(
        covered,
        np.ones_like(covered),
        confidence=criteria.confidence,
        resamples=criteria.resamples,
        seed=criteria.seed,
    )
    untracked = tuple(clip for clip, faces in clips.items() if not _tracks(faces))
    return TrackScores(rate.total, rate.count, rate.value, rate.interval, untracked, exposures)


def _clips(findings: Findings) -> Mapping[str, Sequence[FaceFinding]]:
    """Faces by clip, of the clips that show faces in several frames."""
    clips: dict[str, list[FaceFinding]] = defaultdict(list)
    for face in findings.faces:
        clips[face.clip].append(face)
    return {clip: faces for clip, faces in clips.items() if len({face.frame for face in faces}) > 1}


def _tracks(faces: Sequence[FaceFinding]) -> Mapping[str, Sequence[FaceFinding]]:
    """Tracks of a clip by name, each by rising frame; none when nothing tells them apart."""
    named = [face for face in faces if face.truth.track is not None]
    if not named and len({face.frame for face in faces}) == len(faces):
        return {"": faces}
    tracks: dict[str, list[FaceFinding]] = defaultdict(list)
    for face in named:
        tracks[face.truth.track or ""].append(face)
    return tracks


def _exposures(clip: str, name: str, track: Sequence[FaceFinding]) -> Iterator[Exposure]:
    """Runs of frames that show; frames the truth does not list, or ignores, neither end a run nor count."""
    runs = [(covered, list(run)) for covered, run in groupby(track, key=lambda face: face.covered)]
    for position, (covered, run) in enumerate(runs):
        if not covered:
            between = 0 < position < len(runs) - 1
            yield Exposure(clip, name, run[0].frame, run[-1].frame, len(run), between)
