"""`veil review` and `veil amend`: list the items to check in a record, and amend it."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from engine import runs
from engine.access.run_context import RunContext
from engine.approval.reviewer_actions import ReviewerActions
from engine.cli import amend_with_source, arguments
from engine.cli.amend_values import ValuesFormatError, parse_boxes, parse_key, parse_number, parse_range, parse_track
from engine.cli.command import Command
from engine.cli.identity import identify_person
from engine.cli.reports import describe_kept_visible, format_parts
from engine.cli.terminal import Terminal
from engine.core.wording import format_count
from engine.errors import InputError
from engine.record import Document, Sha256, read_hashed_record
from engine.review.amendments import Amendment, Author, find_effective_amendments
from engine.review.apply import AmendedRecord, KeptVisible
from engine.review.descriptions import describe_action
from engine.review.editor import ReviewEditor
from engine.review.load import load_record
from engine.review.queue import ReviewItem, build_review_queue
from engine.review.review_file import make_empty_review, read_review
from engine.runs import Run
from engine.storage.data_folder import RECORD_NAME, REVIEW_NAME, DataFolder, find_data_folder

_ACTIONS_HELP = """\
actions (START-STOP ends before STOP; BOX is LEFT,TOP,RIGHT,BOTTOM in pixels):
  add FRAME=BOX ...              add a missed face, interpolated between boxes
  follow FRAME=BOX [START-STOP]  follow a missed face both ways, and add it
  find FRAME=BOX                 add items to check where it looks alike
  resize TRACK FRAME=BOX ...     change the boxes of a track
  delete TRACK START-STOP        remove what is not a face; needs --reason
  keep-visible TRACK START-STOP  leave a person unmasked; needs --reason
  extend TRACK START-STOP        extend a track through these frames
  cover START-STOP               cover whole frames
  accept KEY                     accept an item of veil review as it is
  undo NUMBER                    undo an earlier amendment
  repair                         remove an incomplete last line, left by a crash
  adopt                          take over unlogged amendments of a run

In a run, amendments are logged in the name of the account of --as.
Elsewhere name the reviewer by --by."""


class ReviewSummary(Document, frozen=True):
    """A review and the items to check in its record.

    Attributes:
        record: path of the record.
        record_sha256: of its stored bytes.
        review_sha256: of the stored bytes of the review.
        amendments: all of them, in order.
        kept_visible: faces that a reviewer leaves unmasked.
        spots: items to check, by falling risk, each with its state.
    """

    record: str
    record_sha256: Sha256
    review_sha256: Sha256
    amendments: tuple[Amendment, ...]
    kept_visible: tuple[KeptVisible, ...]
    spots: tuple[ReviewItem, ...]


class AdoptedAmendments(Document, frozen=True):
    """Amendments that a person took over, because they were not logged when they were written."""

    amendments: tuple[Amendment, ...]


def _add_review_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("record", type=Path, help="detection record")
    arguments.add_review(parser)
    parser.add_argument("--open", action="store_true", help="only items that are neither accepted nor amended")
    parser.add_argument("--limit", type=int, default=25, metavar="N", help="items to list as text (default: 25)")


def _show_review(options: Namespace, terminal: Terminal) -> int:
    record, sha256 = read_hashed_record(options.record)
    review = make_empty_review(sha256) if options.review is None else read_review(options.review, sha256)
    items = tuple(item for item in build_review_queue(record, review) if not options.open or item.state == "open")
    kept_visible = AmendedRecord(record, review).find_kept_visible()
    summary = ReviewSummary(str(options.record), sha256, review.sha256, review.amendments, kept_visible, items)
    terminal.print_result(summary, "\n".join(_format_summary(summary, max(0, options.limit))))
    return 0


def _format_summary(summary: ReviewSummary, limit: int) -> Iterator[str]:
    effective_count = len(find_effective_amendments(summary.amendments))
    yield f"{format_count(len(summary.amendments), 'amendment')}, {effective_count} in effect"
    for amendment in summary.amendments:
        description = _describe_amendment(amendment)
        yield f"  {amendment.number}  {amendment.at:%Y-%m-%d %H:%M %Z}  {amendment.by.name}: {description}"
    for face in summary.kept_visible:
        yield describe_kept_visible(face)
    states = Counter(item.state for item in summary.spots)
    yield f"{format_count(len(summary.spots), 'item')} to check: {format_parts(states)}"
    for item in summary.spots[:limit]:
        yield f"  {item.risk:.2f}  {item.state:<8}  {item.key:<28}  {item.reason}"
    if len(summary.spots) > limit:
        yield f"  and {len(summary.spots) - limit} with a lower risk (--limit N lists more, --json all)"


def _add_amend_arguments(parser: ArgumentParser) -> None:
    parser.epilog = _ACTIONS_HELP
    parser.add_argument("record", type=Path, help="detection record")
    parser.add_argument("review", type=Path, help="file of amendments; created if it does not exist")
    actions = (*_ACTION_HANDLERS, "follow", "find", "repair", "adopt")
    parser.add_argument("action", choices=actions, metavar="ACTION", help="see below")
    parser.add_argument("values", nargs="*", metavar="VALUE", help="values of the action, see below")
    parser.add_argument("--by", metavar="NAME", help="name of the reviewer, as it is to be printed; not in a run")
    parser.add_argument("--account", help="account of the reviewer (default: the login name); not in a run")
    arguments.add_account_option(parser)
    parser.add_argument("--reason", default="", help="reason for the amendment")
    amend_with_source.add_source_option(parser)


def _amend_record(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    run = _find_run(data, options.record, options.review)
    if run is not None:
        return _amend_run(data, run, options, terminal)
    if options.by is None or options.action == "adopt" or options.acting_account is not None:
        raise InputError(
            f"{options.review} is not the review of a run in {data.root}: name the reviewer by --by, without --as and "
            "adopt. For a run of another data folder, give it by --data."
        )
    editor = ReviewEditor(options.record, options.review, Author(options.account or getpass.getuser(), options.by))
    # Not among the handlers: it appends no amendment, and a torn file cannot be opened to append one.
    if options.action == "repair":
        review = editor.repair_file()
        count = format_count(len(review.amendments), "complete amendment")
        terminal.print_result(review, f"{options.review} has {count}.")
        return 0
    return _append_amendment(editor, options, None, terminal)


def _find_run(data: DataFolder, record: Path, review: Path) -> Run | None:
    """Return the run whose record or review a path is, None if both are elsewhere."""
    for path in (review.resolve(), record.resolve()):
        if path.parent.parent == data.runs.resolve() and path.name in {RECORD_NAME, REVIEW_NAME}:
            return runs.load_run(data, path.parent.name)
    return None


def _amend_run(data: DataFolder, run: Run, options: Namespace, terminal: Terminal) -> int:
    """Amend a run in the name of the person who is signed in, and log it."""
    if options.by is not None or options.account is not None:
        raise InputError(
            f"{run.title} is a run: its amendments are logged in the name of the account that makes them. Omit --by "
            "and --account; where there are accounts, name yours by --as."
        )
    given, own = (options.record, options.review), (run.folder.record, run.folder.review)
    if any(one.resolve() != other.resolve() for one, other in zip(given, own, strict=True)):
        raise InputError(f"Give both files of the run: {run.folder.record} and {run.folder.review}.")
    record, record_sha256 = load_record(run.folder.record)
    actions = ReviewerActions(RunContext(data, run, identify_person(data, options)), record_sha256)
    if options.action == "repair":
        actions.repair()
        terminal.print_result(read_review(options.review, record_sha256), f"{options.review} is complete.")
        return 0
    if options.action == "adopt":
        adopted = actions.adopt()
        taken_over = format_count(len(adopted), "amendment")
        lines = [f"  {one.number}  {one.by.name}: {_describe_amendment(one)}" for one in adopted]
        terminal.print_result(AdoptedAmendments(adopted), "\n".join([f"You have taken over {taken_over}.", *lines]))
        return 0
    person = actions.context.person
    editor = ReviewEditor(
        options.record,
        options.review,
        Author(person.account, person.name),
        lambda action, reason: actions.amend(record, action, reason),
    )
    return _append_amendment(editor, options, run.source, terminal)


def _append_amendment(editor: ReviewEditor, options: Namespace, source: Path | None, terminal: Terminal) -> int:
    try:
        if amend_with_source.needs_source(options.action):
            amendment = amend_with_source.append_with_source(editor, options, source, terminal)
        else:
            amendment = _ACTION_HANDLERS[options.action](editor, options.values, options.reason)
    except ValuesFormatError as error:
        raise InputError(f"veil amend {options.action} needs {error}; see veil amend --help.") from error
    terminal.print_result(
        amendment, f"Amendment {amendment.number} is stored in {options.review}: {_describe_amendment(amendment)}"
    )
    return 0


def _describe_amendment(amendment: Amendment) -> str:
    reason = f" ({amendment.reason})" if amendment.reason else ""
    return describe_action(amendment.action) + reason


_ACTION_HANDLERS: Mapping[str, Callable[[ReviewEditor, Sequence[str], str], Amendment]] = {
    "add": lambda editor, values, reason: editor.add_face(parse_boxes(values), reason),
    "resize": lambda editor, values, reason: editor.resize_face(parse_track(values), parse_boxes(values[1:]), reason),
    "delete": lambda editor, values, reason: editor.delete_face(parse_track(values), *parse_range(values[1:]), reason),
    "keep-visible": lambda editor, values, reason: editor.keep_visible(
        parse_track(values), *parse_range(values[1:]), reason
    ),
    "extend": lambda editor, values, reason: editor.extend_track(parse_track(values), *parse_range(values[1:]), reason),
    "cover": lambda editor, values, reason: editor.cover_frames(*parse_range(values), reason),
    "accept": lambda editor, values, reason: editor.accept_item(parse_key(values), reason),
    "undo": lambda editor, values, reason: editor.undo_amendment(parse_number(values, "amendment"), reason),
}


COMMANDS = {
    "review": Command(_add_review_arguments, _show_review, uses_data=False),
    "amend": Command(_add_amend_arguments, _amend_record),
}
