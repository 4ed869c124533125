"""How reviewers arrange tracks into people: joins, splits and names, appended to a file beside the review.

The file arranges what a reviewer sees and changes no mask: decisions about a person are amendments of tracks, which
need no people to be read. So it is not signed, and a run without the file has the people that `join_tracks` finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec

from engine.core.json_decoder import decode_json
from engine.errors import RecordError, ReviewError, TargetError
from engine.record import Count, Document, Sha256, Timestamp, encode_document
from engine.review.amendments import AmendmentNumber, Author
from engine.review.people import TrackCourse, find_overlap
from engine.storage.append_only import append_durably, open_append_only, read_file_end, repair_torn_line
from engine.storage.locks import lock_descriptor

SCHEMA: Literal["veil/people/1"] = "veil/people/1"

Tracks = Annotated[tuple[Count, ...], msgspec.Meta(min_length=1, max_length=10_000)]


class Join(Document, frozen=True, tag_field="kind", tag="join"):
    """All people that have one of these tracks are one person."""

    tracks: Tracks


class Split(Document, frozen=True, tag_field="kind", tag="split"):
    """These tracks are a person of their own."""

    tracks: Tracks


class Name(Document, frozen=True, tag_field="kind", tag="name"):
    """The person who has this track is called so; an empty name takes the name away."""

    track: Count
    name: Annotated[str, msgspec.Meta(max_length=80)]


class UndoArrangement(Document, frozen=True, tag_field="kind", tag="undo"):
    """The last arrangement that counts is to count no longer."""


PeopleAction = Join | Split | Name | UndoArrangement


class Arrangement(Document, frozen=True):
    """One line of the file.

    Attributes:
        schema: Always "veil/people/1".
        record: SHA-256 of the record whose tracks are meant; lines about another record do not count.
        by: Who.
        at: When.
        action: What.
    """

    schema: Literal["veil/people/1"]
    record: Sha256
    by: Author
    at: Timestamp
    action: PeopleAction


class PersonOnCard(Document, frozen=True):
    """A person.

    Attributes:
        tracks: In rising order.
        name: Empty if nobody gave one.
        arranged: Number of the last arrangement that changed the tracks; None if they are as found.
    """

    tracks: tuple[int, ...]
    name: str = ""
    arranged: AmendmentNumber | None = None


def parse_people_action(values: object) -> PeopleAction:
    """Parse an action from plain values, as JSON gives them.

    Raises:
        RecordError: The values are not an action.
    """
    try:
        return cast("PeopleAction", msgspec.convert(values, cast("Any", PeopleAction)))
    except (msgspec.ValidationError, ValueError) as error:
        raise RecordError(f"The people cannot be arranged so: {error}.") from error


def read_arrangements(path: Path, record_sha256: Sha256) -> tuple[Arrangement, ...]:
    """Read the arrangements of a record; a line that a crash left unfinished does not count.

    Raises:
        ReviewError: The file cannot be read, or a line of it is damaged.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ReviewError(f"{path} cannot be read: {error.strerror}. Make the file readable.") from error
    return tuple(_decode_lines(data, record_sha256, path))


def append_arrangement(path: Path, record_sha256: Sha256, action: PeopleAction, by: Author) -> None:
    """Append an arrangement; it is on stable storage when this returns. `arrange_people` checks what it may say.

    Raises:
        TargetError: The file cannot be written.
    """
    line = encode_document(Arrangement(SCHEMA, record_sha256, by, datetime.now(UTC).replace(microsecond=0), action))
    try:
        with open_append_only(path) as descriptor, lock_descriptor(descriptor):
            # An unfinished line was never acknowledged, so it is dropped.
            repair_torn_line(descriptor, read_file_end(descriptor), is_complete=False)
            append_durably(descriptor, line)
    except OSError as error:
        raise TargetError(f"{path} cannot be written: {error.strerror}. Free some space and try again.") from error


def arrange_people(
    found: Sequence[tuple[int, ...]], courses: Sequence[TrackCourse], actions: Sequence[PeopleAction]
) -> tuple[PersonOnCard, ...]:
    """Arrange the people that were found as reviewers said, in order.

    Args:
        found: The tracks of each person, as `join_tracks` returns them.
        courses: All tracks.
        actions: What reviewers said.

    Raises:
        RecordError: The actions join tracks that are in one frame together, or name a track that does not exist.
    """
    people = _People(found, courses)
    for number, action in find_effective_arrangements(actions):
        people.apply(number, action)
    return people.list_people()


def find_effective_arrangements(actions: Sequence[PeopleAction]) -> tuple[tuple[int, PeopleAction], ...]:
    """Return the actions that count, with their numbers from 1; each undo takes back the last one before it."""
    counting: list[tuple[int, PeopleAction]] = []
    for number, action in enumerate(actions, start=1):
        if not isinstance(action, UndoArrangement):
            counting.append((number, action))
        elif counting:
            counting.pop()
    return tuple(counting)


class _People:
    """Groups of tracks that actions change."""

    def __init__(self, found: Sequence[tuple[int, ...]], courses: Sequence[TrackCourse]) -> None:
        self._courses = {course.track: course for course in courses}
        self._people = {track: PersonOnCard(tracks) for tracks in found for track in tracks}

    def apply(self, number: int, action: PeopleAction) -> None:
        match action:
            case Join(tracks):
                joined = [self._get_person(track) for track in tracks]
                name = next((person.name for person in joined if person.name), "")
                self._put(PersonOnCard(_collect_tracks(joined), name, number))
            case Split(tracks):
                for person in {self._get_person(track) for track in tracks}:
                    rest = tuple(track for track in person.tracks if track not in tracks)
                    if rest:
                        self._put(PersonOnCard(rest, person.name, number))
                self._put(PersonOnCard(tuple(sorted(set(tracks))), "", number))
            case Name(track, name):
                self._put(msgspec.structs.replace(self._get_person(track), name=name.strip()))
            case UndoArrangement():
                pass

    def list_people(self) -> tuple[PersonOnCard, ...]:
        return tuple(sorted(set(self._people.values()), key=lambda person: person.tracks))

    def _get_person(self, track: int) -> PersonOnCard:
        if track not in self._people:
            raise RecordError(f"There is no track {track}; reload the page.")
        return self._people[track]

    def _put(self, person: PersonOnCard) -> None:
        together = find_overlap(self._courses[track] for track in person.tracks)
        if together is not None:
            one, other, frame = together
            raise RecordError(
                f"Tracks {one} and {other} are both in frame {frame}, so they are two people and cannot be joined."
            )
        self._people |= dict.fromkeys(person.tracks, person)


def _collect_tracks(people: Sequence[PersonOnCard]) -> tuple[int, ...]:
    return tuple(sorted({track for person in people for track in person.tracks}))


def _decode_lines(data: bytes, record_sha256: Sha256, path: Path) -> Iterator[Arrangement]:
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            arrangement = decode_json(line, type=Arrangement)
        except msgspec.MsgspecError as error:
            raise ReviewError(
                f"{path}, line {number}, is not an arrangement of people: {error}. Remove the file; no mask changes."
            ) from error
        if arrangement.record == record_sha256:
            yield arrangement
