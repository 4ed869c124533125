"""Choose the tracks of people, and split their frames into a gallery and probes.

The gallery holds the frames that the attacker knows, the probes are those that the attacker tries to identify. There is
time between them: two frames in a row are nearly the same picture, and to recognise that would prove nothing.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from engine.core.geometry import Box
from engine.errors import InputError
from engine.record import Document, Face, Record, parse_ratio

_LABEL_COLUMNS = ("clip", "track", "person")

PersonLabels = Mapping[str, Mapping[int, str]]
"""The name of the person, by clip and track."""


class Sampling(Document, frozen=True):
    """The choice of frames, and of people.

    Attributes:
        gallery: Largest number of frames of a person that the attacker knows.
        probes: Largest number of frames of a person that the attacker tries.
        fewest: Number of frames of each kind that a person needs to count.
        apart: Share of the duration of a track between the last gallery frame and the first probe.
        size: Shortest longer side of a face in pixels.
        same: Distance of the unmasked galleries up to which two clips show the same person.
    """

    gallery: Annotated[int, msgspec.Meta(ge=1)] = 10
    probes: Annotated[int, msgspec.Meta(ge=1)] = 10
    fewest: Annotated[int, msgspec.Meta(ge=1)] = 4
    apart: Annotated[float, msgspec.Meta(ge=0.0, lt=1.0)] = 0.2
    size: Annotated[float, msgspec.Meta(ge=1.0)] = 24.0
    same: Annotated[float, msgspec.Meta(ge=0.0)] = 0.4


class PersonTrack(Document, frozen=True):
    """A track of one person, with its frames.

    Attributes:
        clip: Name of the clip.
        track: Number of the track in the record of the clip.
        person: Name from the labels, None without labels.
        gallery: Frames that the attacker knows, unmasked.
        probes: Frames that the attacker tries.
        apart: Seconds between the last frame of the gallery and the first probe.
    """

    clip: str
    track: int
    person: str | None
    gallery: tuple[int, ...]
    probes: tuple[int, ...]
    apart: float


def read_labels(path: Path) -> PersonLabels:
    """Read the labels from a CSV table with the columns clip, track and person.

    Raises:
        InputError: The file cannot be read, or a line is invalid; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text ({error}). Give a table of labels.") from error
    table = csv.DictReader(io.StringIO(text, newline=""))
    if missing := [column for column in _LABEL_COLUMNS if column not in (table.fieldnames or ())]:
        raise InputError(f"{path} line 1: column {', '.join(missing)} is missing; name {', '.join(_LABEL_COLUMNS)}.")
    labels: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for row in table:
        if not (row["clip"] and row["person"] and (row["track"] or "").isdecimal()):
            raise InputError(f"{path} line {table.line_num}: expected a clip, the number of a track, and a person.")
        labels[row["clip"]][int(row["track"])] = row["person"]
    return labels


def choose_person_tracks(
    clip: str, record: Record, sampling: Sampling, labels: PersonLabels | None
) -> Iterator[PersonTrack]:
    """Choose the tracks of a clip that show long enough: those with a label, or without labels the dominant track.

    Raises:
        InputError: A label names a track that the record does not have.
    """
    faces_by_track = _collect_large_faces(record, sampling.size)
    if labels is None:
        chosen: Mapping[int, str | None] = dict.fromkeys(_find_dominant_track(faces_by_track))
    else:
        chosen = labels.get(clip, {})
        known = {face.track for frame in record.frames for face in frame.faces}
        for track in sorted(set(chosen) - known):
            raise InputError(
                f"The labels name track {track} of {clip}, which its record does not have; correct the labels."
            )
    for track, person in chosen.items():
        frames = [index for index, _ in faces_by_track.get(track, ())]
        gallery, probes, apart = _split_gallery_and_probes(record, frames, sampling)
        if gallery and probes:
            yield PersonTrack(clip, track, person, gallery, probes, apart)


def find_track_box(record: Record, index: int, track: int) -> Box:
    """Return the box of a track in a frame that shows it."""
    return next(face.box for face in record.frames[index].faces if face.track == track)


def _collect_large_faces(record: Record, min_side_px: float) -> Mapping[int, Sequence[tuple[int, Face]]]:
    """Return the detected faces that are large enough, with their frames, by track."""
    faces_by_track: defaultdict[int, list[tuple[int, Face]]] = defaultdict(list)
    for frame in record.frames:
        for face in frame.faces:
            if face.origin == "detected" and max(face.box.width, face.box.height) >= min_side_px:
                faces_by_track[face.track].append((frame.index, face))
    return faces_by_track


def _find_dominant_track(faces_by_track: Mapping[int, Sequence[tuple[int, Face]]]) -> list[int]:
    """Return the track with the largest area summed over its frames, as a list; empty without any track."""
    areas = {track: sum(face.box.area for _, face in faces) for track, faces in faces_by_track.items()}
    return sorted(areas, key=lambda track: (-areas[track], track))[:1]


def _split_gallery_and_probes(
    record: Record, frames: Sequence[int], sampling: Sampling
) -> tuple[tuple[int, ...], tuple[int, ...], float]:
    """Split frames into gallery and probes: the first part of the time and the last, and the seconds in between."""
    if not frames:
        return (), (), 0.0
    # Seconds and not frame numbers: the frame rate may vary, and frames without a large face are missing here.
    time = {index: float(record.frames[index].pts * parse_ratio(record.source.video.time_base)) for index in frames}
    start, end = time[frames[0]], time[frames[-1]]
    share = (1 - sampling.apart) / 2
    first = [index for index in frames if time[index] <= start + share * (end - start)]
    last = [index for index in frames if time[index] >= end - share * (end - start) and index not in first]
    if min(len(first), len(last)) < sampling.fewest:
        return (), (), 0.0
    gallery, probes = sample_evenly(first, sampling.gallery), sample_evenly(last, sampling.probes)
    return gallery, probes, time[probes[0]] - time[gallery[-1]]


def sample_evenly(frames: Sequence[int], max_count: int) -> tuple[int, ...]:
    """Choose at most `max_count` frames, evenly spaced, the first and the last included."""
    if len(frames) <= max_count:
        return tuple(frames)
    return tuple(frames[round(place * (len(frames) - 1) / max(1, max_count - 1))] for place in range(max_count))
