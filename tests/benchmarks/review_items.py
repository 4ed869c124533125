"""How much a reviewer is asked about: `python -m tests.benchmarks.review_items FOLDER VIDEO...`.

Detects each video with the defaults of `veil run`, unless FOLDER has its record already, and prints one line for each:
seconds of video, tracks, people, items to check, items a minute, and groups of items. Items of one person are one
group, and so are those of a track that is on no card, and those without a track: Review confirms a group in one step.
"""

from __future__ import annotations

import sys
from pathlib import Path

import engine
from engine.core.scenes import Scenes
from engine.media.source.frame_cache import FrameCache
from engine.record import DetectOptions, Record
from engine.record.canonical import read_record
from engine.rendering.portraits import measure_samples
from engine.review.apply import AmendedRecord
from engine.review.people import Appearance, join_tracks, list_track_courses
from engine.review.queue import ReviewItem, find_review_items
from engine.storage.data_folder import find_data_folder

COLUMNS = ("video", "s", "tracks", "people", "items", "items/min", "groups", "groups/min")


def find_people(source: Path, record: Record) -> tuple[tuple[int, ...], ...]:
    """Return the tracks of each person, joined as on the cards of Review."""
    courses = list_track_courses(AmendedRecord(record, None))
    samples = [sample for course in courses for sample in course.samples]
    looks: dict[int, list[Appearance]] = {}
    with FrameCache(source, record) as frames:
        for sample, appearance in measure_samples(frames, samples):
            looks.setdefault(sample.track, []).append(appearance)
    return join_tracks(courses, looks, Scenes(record.cuts, len(record.frames)))


def count_groups(items: tuple[ReviewItem, ...], people: tuple[tuple[int, ...], ...]) -> int:
    """Return in how many groups Review shows the items when they are grouped by person."""
    person_by_track = {track: place for place, tracks in enumerate(people) for track in tracks}
    return len({person_by_track.get(item.track, f"track {item.track}") for item in items})


def measure(source: Path, folder: Path) -> tuple[object, ...]:
    """Return the row of a video."""
    path = folder / f"{source.parent.name}-{source.name}.json"
    if not path.exists():
        engine.detect(source, path, DetectOptions(), data=find_data_folder().root)
    record = read_record(path)
    items, people = find_review_items(record), find_people(source, record)
    seconds = record.to_seconds(len(record.frames) - 1) + record.frame_s
    tracks = {face.track for frame in record.frames for face in frame.faces}
    groups = count_groups(items, people)
    a_minute = 60 / seconds
    return (
        *(source.name, f"{seconds:.1f}", len(tracks), len(people)),
        *(len(items), f"{len(items) * a_minute:.1f}", groups, f"{groups * a_minute:.1f}"),
    )


def main(folder: Path, *sources: Path) -> None:
    """Print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    sys.stdout.write("\t".join(COLUMNS) + "\n")
    for source in sources:
        sys.stdout.write("\t".join(map(str, measure(source, folder))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
