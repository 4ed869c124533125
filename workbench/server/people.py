"""The route of the cards: the people of a run, with their best faces and what was decided about them."""

from __future__ import annotations

from typing import Any

from engine.core.frame_ranges import merge_ranges
from engine.review.amendments import Accept, find_effective_amendments
from engine.review.people import TrackCourse
from engine.review.people_file import PersonOnCard, find_effective_arrangements
from workbench.core.people import PeopleOfRun
from workbench.core.reviewed_run import ReviewedRun
from workbench.server.frame_json import to_edges

_MAX_FACES = 6
"""Most faces on a card."""


def encode_people(reviewed: ReviewedRun) -> dict[str, Any]:
    """Encode the people of a run for the canvas.

    Raises:
        InputError: the source or the arrangements cannot be read.
    """
    people = PeopleOfRun(reviewed)
    courses = {course.track: course for course in people.courses}
    accepted = {
        amendment.action.spot
        for amendment in find_effective_amendments(reviewed.review.amendments)
        if isinstance(amendment.action, Accept)
    }
    states = _find_track_states(reviewed, people, accepted)
    encoded = [
        _encode_person(person, [courses[track] for track in person.tracks], states) for person in people.arrange()
    ]
    return {"people": encoded, "arranged": len(find_effective_arrangements(people.actions))}


def encode_person_key(course: TrackCourse) -> str:
    """Return the key that is accepted when a reviewer says that the masks of a track are right."""
    return f"person:{course.track}:{course.start}-{course.stop}"


def _find_track_states(reviewed: ReviewedRun, people: PeopleOfRun, accepted: set[str]) -> dict[int, str]:
    """Return what was decided about each track: "visible", "removed", "masked", or "open"."""
    states = {course.track: "masked" if encode_person_key(course) in accepted else "open" for course in people.courses}
    left: dict[int, set[bool]] = {}
    recorded: dict[int, int] = {}
    for index in reviewed.amended.changed_frames:
        for face in reviewed.amended.build_frame(index).faces:
            left.setdefault(face.track, set()).add(face.visible)
        for recorded_face in reviewed.record.frames[index].faces:
            recorded[recorded_face.track] = recorded.get(recorded_face.track, 0) + 1
    for course in people.courses:
        total = sum(stop - start for start, stop in course.stretches)
        if left.get(course.track) == {True}:
            states[course.track] = "visible"
        elif course.track not in left and recorded.get(course.track) == total:
            states[course.track] = "removed"
    return states


def _encode_person(person: PersonOnCard, courses: list[TrackCourse], states: dict[int, str]) -> dict[str, Any]:
    samples = [sample for course in courses for sample in course.samples]
    samples.sort(key=lambda sample: (sample.frame, sample.track))
    count = min(_MAX_FACES, len(samples))
    shown = [samples[place * len(samples) // count] for place in range(count)]
    decided = {states[course.track] for course in courses}
    return {
        "tracks": person.tracks,
        "keys": [encode_person_key(course) for course in courses],
        "spans": [(course.start, course.stop) for course in courses],
        "name": person.name,
        "arranged": person.arranged is not None,
        "faces": [{"frame": sample.frame, "track": sample.track, "box": to_edges(sample.box)} for sample in shown],
        "stretches": merge_ranges(span for course in courses for span in course.stretches),
        "state": decided.pop() if len(decided) == 1 else "open",
    }
