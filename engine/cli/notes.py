"""`veil notes`: list the notes of a run, write one, and say that one is done."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

import msgspec

from engine.access.run_context import RunContext
from engine.approval.notes import Note, SettleNote, add_to_notes, parse_note_action, read_notes
from engine.cli import arguments
from engine.cli.command import Command
from engine.cli.identity import identify_person
from engine.cli.terminal import Terminal
from engine.core.wording import format_count
from engine.errors import InputError
from engine.record import Record
from engine.review.load import load_record
from engine.review.queue import ReviewItem, build_review_queue
from engine.review.review_file import read_review
from engine.runs import Run
from engine.storage.data_folder import find_data_folder


class _WrittenLine(msgspec.Struct, frozen=True):
    """The line that was added to the notes of a run, as `--json` prints it."""

    run: str
    number: int


def _add_list_arguments(parser: ArgumentParser) -> None:
    _add_run(parser)
    parser.add_argument("--open", action="store_true", help="only notes that are not done")


def _list_notes(options: Namespace, terminal: Terminal) -> int:
    context = _open_context(options)
    notes = [note for note in read_notes(context.run) if not (options.open and note.done_by)]
    lines = [_format_note(note) for note in notes]
    terminal.print_result(notes, "\n".join([*lines, f"{format_count(len(notes), 'note')}."]))
    return 0


def _format_note(note: Note) -> str:
    about = "run" if note.frame is None else f"frame {note.frame}"
    about += f", item {note.item}" if note.item else ""
    done = f"  (done by {note.done_by.name})" if note.done_by else ""
    return f"{note.number}  {note.at:%Y-%m-%d %H:%M %Z}  {note.by.name}  {about}: {note.text}{done}"


def _add_write_arguments(parser: ArgumentParser) -> None:
    _add_run(parser)
    parser.add_argument("text", help="what there is to say")
    parser.add_argument("--frame", type=int, metavar="N", help="frame that it is about (default: the whole run)")
    parser.add_argument("--item", metavar="KEY", help="item to check that it is about, as veil review lists it")


def _write_note(options: Namespace, terminal: Terminal) -> int:
    context = _open_context(options)
    record, record_sha256 = load_record(context.run.folder.record)
    frame = options.frame
    if options.item is not None and frame is None:
        frame = _find_item(context.run, record, record_sha256, options.item).frame
    elif options.item is not None:
        _find_item(context.run, record, record_sha256, options.item)
    place = {"frame": frame, "item": options.item}
    given = {name: value for name, value in place.items() if value is not None}
    number = add_to_notes(
        context, len(record.frames), parse_note_action({"kind": "note", "text": options.text, **given})
    )
    terminal.print_result(_WrittenLine(context.run.id, number), f"Note {number} is written.")
    return 0


def _find_item(run: Run, record: Record, record_sha256: str, key: str) -> ReviewItem:
    """Find an item to check by its key."""
    review = read_review(run.folder.review, record_sha256) if run.folder.review.exists() else None
    for item in build_review_queue(record, review):
        if item.key == key:
            return item
    raise InputError(f"{run.title} has no item {key}; veil review {run.folder.record} lists them.")


def _add_done_arguments(parser: ArgumentParser) -> None:
    _add_run(parser)
    parser.add_argument("number", type=arguments.parse_positive, metavar="NUMBER", help="number of the note")


def _settle_note(options: Namespace, terminal: Terminal) -> int:
    context = _open_context(options)
    record, _ = load_record(context.run.folder.record)
    number = add_to_notes(context, len(record.frames), SettleNote(options.number))
    terminal.print_result(_WrittenLine(context.run.id, number), f"Note {options.number} is done.")
    return 0


def _add_run(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="run, as the address of Review names it")
    arguments.add_account_option(parser)


def _open_context(options: Namespace) -> RunContext:
    """Open the run for a person who may see its frames: notes may say who is in them."""
    data = find_data_folder(options.data)
    return RunContext.open(data, options.run, identify_person(data, options)).authorise("look")


COMMANDS = {
    "notes list": Command(_add_list_arguments, _list_notes),
    "notes add": Command(_add_write_arguments, _write_note),
    "notes done": Command(_add_done_arguments, _settle_note),
}
