"""Notes of the people who work on a run: about a frame, an item to check, or the whole run.

Each note is a line that is appended to a file of the run; a line that says that a note is done follows later. A note
changes no mask and is no part of what is signed. The audit log keeps that it was written and its hash, not its words,
so that a purge can remove them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

from engine.access.run_context import RunContext
from engine.audit.entry import DetailValue
from engine.core.json_decoder import decode_json
from engine.errors import InputError, ReviewError, TargetError
from engine.record import Count, Document, Timestamp, encode_document, sha256_hex
from engine.review.amendments import Author
from engine.review.item_key import ReviewItemKeyText
from engine.runs import Run
from engine.storage.append_only import append_durably, open_append_only, read_file_end, repair_torn_line
from engine.storage.locks import lock_descriptor

SCHEMA: Literal["veil/note/1"] = "veil/note/1"
MAX_CHARACTERS = 2000

NoteText = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CHARACTERS)]
NoteNumber = Annotated[int, msgspec.Meta(ge=1)]


class WriteNote(Document, frozen=True, omit_defaults=True, tag_field="kind", tag="note"):
    """A new note.

    Attributes:
        text: What the person has to say.
        frame: The frame that it is about; None: the whole run.
        item: Key of the item to check that it is about, if it is about one.
    """

    text: NoteText
    frame: Count | None = None
    item: ReviewItemKeyText | None = None


class SettleNote(Document, frozen=True, tag_field="kind", tag="done"):
    """What a note asks for is done."""

    note: NoteNumber


NoteAction = WriteNote | SettleNote


class NoteLine(Document, frozen=True):
    """One line of the file.

    Attributes:
        schema: Always "veil/note/1".
        number: Number of the line, from 1; a note is named by it.
        by: Who.
        at: When.
        action: What.
    """

    schema: Literal["veil/note/1"]
    number: NoteNumber
    by: Author
    at: Timestamp
    action: NoteAction


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it stands.

    Attributes:
        number: Its number.
        by: Who wrote it.
        at: When.
        text: What it says.
        frame: The frame that it is about; None: the whole run.
        item: Key of the item to check that it is about, if it is about one.
        done_by: Who said that it is done; None while it is open.
    """

    number: int
    by: Author
    at: datetime
    text: str
    frame: int | None = None
    item: str | None = None
    done_by: Author | None = None


def read_notes(run: Run) -> tuple[Note, ...]:
    """Read the notes of a run, oldest first; a line that a crash left unfinished does not count.

    Raises:
        ReviewError: The file cannot be read, or a line of it is damaged.
    """
    path = run.folder.notes
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ReviewError(f"{path} cannot be read: {error.strerror}. Make the file readable.") from error
    notes: dict[int, Note] = {}
    for line in _decode_lines(run, data):
        match line.action:
            case WriteNote(text, frame, item):
                notes[line.number] = Note(line.number, line.by, line.at, text, frame, item)
            case SettleNote(number):
                if number in notes:
                    notes[number] = _settle(notes[number], line.by)
    return tuple(notes.values())


def list_open_notes(run: Run) -> tuple[Note, ...]:
    """List the notes of a run that are not done, oldest first.

    Raises:
        ReviewError: The file cannot be read, or a line of it is damaged.
    """
    return tuple(note for note in read_notes(run) if note.done_by is None)


def parse_note_action(values: object) -> NoteAction:
    """Parse an action from plain values, as JSON gives them.

    Raises:
        InputError: The values are not an action.
    """
    try:
        action: NoteAction = msgspec.convert(values, NoteAction)
    except msgspec.ValidationError as error:
        raise InputError(f"That is no note: {error}. A note has 1 to {MAX_CHARACTERS} characters.") from error
    return action


def add_to_notes(context: RunContext, frame_count: int, action: NoteAction) -> int:
    """Write a note, or say that one is done; it is logged, and on stable storage when this returns.

    Args:
        context: The run, and a person who may see its frames.
        frame_count: Number of frames of the run.
        action: The note, or the number of one that is done.

    Returns:
        The number of the line, which names a new note.

    Raises:
        AccessError: The person may not see the run.
        InputError: The note is empty or about a frame that does not exist, or there is no such open note.
        ReviewError: The notes cannot be read.
        TargetError: The note cannot be written.
        AuditError: The note cannot be logged; then it is not written.
    """
    context = context.authorise("look")
    _check_action(context.run, frame_count, action)
    by = Author(context.person.account, context.person.name)
    path = context.run.folder.notes
    try:
        with open_append_only(path) as descriptor, lock_descriptor(descriptor):
            # An unfinished line was never acknowledged, so it is dropped.
            repair_torn_line(descriptor, read_file_end(descriptor), is_complete=False)
            number = sum(1 for _ in _decode_lines(context.run, path.read_bytes())) + 1
            line = encode_document(NoteLine(SCHEMA, number, by, datetime.now(UTC).replace(microsecond=0), action))
            context.log_event("note", {"note": sha256_hex(line)}, _describe(number, action))
            append_durably(descriptor, line)
    except OSError as error:
        raise TargetError(f"{path} cannot be written: {error.strerror}. Free some space and try again.") from error
    return number


def _check_action(run: Run, frame_count: int, action: NoteAction) -> None:
    match action:
        case WriteNote(text, frame):
            if not text.strip():
                raise InputError("The note is empty; write something.")
            if frame is not None and frame >= frame_count:
                raise InputError(f"{run.title} has {frame_count} frames, so there is no frame {frame} to note.")
        case SettleNote(number):
            if number not in {note.number for note in list_open_notes(run)}:
                raise InputError(f"There is no open note {number}; reload the page.")


def _describe(number: int, action: NoteAction) -> dict[str, DetailValue]:
    match action:
        case WriteNote(_, frame, item):
            return {"note": number, "action": "write", "frame": frame, "item": item}
        case SettleNote(note):
            return {"note": note, "action": "done"}


def _settle(note: Note, by: Author) -> Note:
    return Note(note.number, note.by, note.at, note.text, note.frame, note.item, by)


def _decode_lines(run: Run, data: bytes) -> Iterator[NoteLine]:
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            yield decode_json(line, type=NoteLine)
        except msgspec.MsgspecError as error:
            raise ReviewError(
                f"{run.folder.notes}, line {number}, is no note: {error}. Remove the file; no mask changes."
            ) from error
