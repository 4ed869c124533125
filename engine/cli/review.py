"""`veil review` and `veil amend`: what leaves doubt in a record, and what a reviewer says of it."""

from __future__ import annotations

import argparse
import getpass
import re
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from engine.cli.terminal import Terminal
from engine.core.frame_ranges import describe_range
from engine.errors import InputError
from engine.record import Document, Sha256, decode_record, read_document_bytes, sha256_hex
from engine.review.amendments import Amendment, Author, Review, find_effective_amendments
from engine.review.apply import AmendedRecord, KeptVisible
from engine.review.descriptions import describe_action
from engine.review.editor import ReviewEditor
from engine.review.queue import ReviewItem, build_review_queue
from engine.review.review_file import make_empty_review, read_review

_ACTIONS_HELP = """\
actions (a range START-STOP ends before STOP; a box is LEFT,TOP,RIGHT,BOTTOM in display pixels):
  add FRAME=BOX [FRAME=BOX ...]           a face that was missed; boxes between are interpolated
  resize TRACK FRAME=BOX [FRAME=BOX ...]  other boxes for a track
  delete TRACK START-STOP                 no face after all
  keep-visible TRACK START-STOP           a person who is to be seen; needs --reason
  extend TRACK START-STOP                 a track goes on through these frames
  cover START-STOP                        cover whole frames
  accept SPOT                             a spot, as `veil review` names it, is right as it is
  undo NUMBER                             an earlier amendment no longer counts
  repair                                  remove a last line that a crash tore
"""


class ReviewSummary(Document, frozen=True):
    """What a review made of a record.

    Attributes:
        review_sha256: of the review's stored bytes.
        amendments: all of them, in order.
        kept_visible: faces that are shown on purpose.
        spots: by falling risk, each with its state.
    """

    record: str
    record_sha256: Sha256
    review_sha256: Sha256
    amendments: tuple[Amendment, ...]
    kept_visible: tuple[KeptVisible, ...]
    spots: tuple[ReviewItem, ...]


def add_review_arguments(verb: ArgumentParser) -> None:
    """The arguments of `veil review`."""
    verb.add_argument("record", type=Path, help="detection record")
    verb.add_argument("--review", type=Path, metavar="FILE", help="its amendments, as veil amend writes them")
    verb.add_argument("--open", action="store_true", help="only the spots that are not dealt with")
    verb.add_argument("--limit", type=int, default=25, metavar="N", help="spots that are listed as text (default: 25)")


def add_amend_arguments(verb: ArgumentParser) -> None:
    """The arguments of `veil amend`."""
    verb.formatter_class = argparse.RawDescriptionHelpFormatter
    verb.epilog = _ACTIONS_HELP
    verb.add_argument("record", type=Path, help="detection record")
    verb.add_argument("review", type=Path, help="file of amendments; it is made when it does not exist")
    verb.add_argument("action", choices=(*_ACTION_HANDLERS, "repair"), metavar="ACTION", help="what to do, see below")
    verb.add_argument("values", nargs="*", metavar="VALUE", help="to what")
    verb.add_argument("--by", required=True, metavar="NAME", help="who says so, as it is to be printed")
    verb.add_argument("--account", default=None, help="of that person (default: the login name)")
    verb.add_argument("--reason", default="", help="why")


def show_review(options: Namespace, terminal: Terminal) -> int:
    """`veil review`."""
    data = read_document_bytes(options.record)
    record, sha256 = decode_record(data, str(options.record)), sha256_hex(data)
    found = make_empty_review(sha256) if options.review is None else read_review(options.review, sha256)
    folded = AmendedRecord(record, found)
    listed = tuple(spot for spot in build_review_queue(record, found) if not options.open or spot.state == "open")
    summary = ReviewSummary(
        str(options.record), sha256, found.sha256, found.amendments, folded.find_kept_visible(), listed
    )
    terminal.print_result(summary, "\n".join(_format_summary(summary, found, options.limit)))
    return 0


def amend_record(options: Namespace, terminal: Terminal) -> int:
    """`veil amend`."""
    sheet = ReviewEditor(options.record, options.review, Author(options.account or getpass.getuser(), options.by))
    if options.action == "repair":
        whole = sheet.repair_file()
        terminal.print_result(whole, f"{options.review} holds {len(whole.amendments)} whole amendments.")
        return 0
    try:
        amendment = _ACTION_HANDLERS[options.action](sheet, options.values, options.reason)
    except _ValuesFormatError as error:
        raise InputError(f"veil amend {options.action}: {error}; see veil amend --help.") from error
    terminal.print_result(
        amendment, f"Amendment {amendment.number} is stored in {options.review}: {_describe_amendment(amendment)}"
    )
    return 0


def _format_summary(summary: ReviewSummary, found: Review, limit: int) -> Iterator[str]:
    counting = len(find_effective_amendments(found.amendments))
    states = Counter(spot.state for spot in summary.spots)
    yield f"{len(summary.amendments)} amendments, of which {counting} count"
    for amendment in summary.amendments:
        what = _describe_amendment(amendment)
        yield f"  {amendment.number}  {amendment.at:%Y-%m-%d %H:%M %Z}  {amendment.by.name}: {what}"
    for face in summary.kept_visible:
        frames = describe_range(face.start, face.stop)
        yield f"Kept visible: track {face.track} in {frames}, by {face.by.name}: {face.reason}"
    yield f"{len(summary.spots)} spots: " + (", ".join(f"{count} {state}" for state, count in states.items()) or "none")
    for spot in summary.spots[: max(0, limit)]:
        yield f"  {spot.risk:.2f}  {spot.state:<8}  {spot.key:<28}  {spot.reason}"
    if len(summary.spots) > limit:
        yield f"  and {len(summary.spots) - limit} of less risk (--limit, --json)"


def _describe_amendment(amendment: Amendment) -> str:
    reason = f" ({amendment.reason})" if amendment.reason else ""
    return describe_action(amendment.action) + reason


class _ValuesFormatError(ValueError):
    """The values of an action are not spelled as they should be; says how they should."""


def _parse_boxes(values: Sequence[str]) -> dict[int, tuple[float, ...]]:
    """`FRAME=LEFT,TOP,RIGHT,BOTTOM` ..."""
    boxes: dict[int, tuple[float, ...]] = {}
    for value in values:
        frame, _, edges = value.partition("=")
        try:
            boxes[int(frame)] = tuple(map(float, edges.split(",")))
        except ValueError as error:
            raise _ValuesFormatError(f"a box is spelled FRAME=LEFT,TOP,RIGHT,BOTTOM, got {value!r}") from error
    if not boxes:
        raise _ValuesFormatError("a box is missing: FRAME=LEFT,TOP,RIGHT,BOTTOM")
    return boxes


def _parse_track(values: Sequence[str]) -> int:
    return _parse_number(values[:1], "track")


def _parse_number(values: Sequence[str], what: str) -> int:
    """One whole number."""
    if len(values) != 1 or not values[0].isdecimal():
        raise _ValuesFormatError(f"the number of one {what} is needed, got {' '.join(values)!r}")
    return int(values[0])


def _parse_range(values: Sequence[str]) -> tuple[int, int]:
    """`START-STOP`."""
    match = re.fullmatch(r"(\d+)-(\d+)", " ".join(values))
    if match is None:
        raise _ValuesFormatError(f"one range of frames START-STOP is needed, got {' '.join(values)!r}")
    return int(match[1]), int(match[2])


def _parse_key(values: Sequence[str]) -> str:
    if len(values) != 1:
        raise _ValuesFormatError(f"the key of one spot is needed, got {' '.join(values)!r}")
    return values[0]


_ACTION_HANDLERS: Mapping[str, Callable[[ReviewEditor, Sequence[str], str], Amendment]] = {
    "add": lambda sheet, values, reason: sheet.add_face(_parse_boxes(values), reason),
    "resize": lambda sheet, values, reason: sheet.resize_face(_parse_track(values), _parse_boxes(values[1:]), reason),
    "delete": lambda sheet, values, reason: sheet.delete_face(_parse_track(values), *_parse_range(values[1:]), reason),
    "keep-visible": lambda sheet, values, reason: sheet.keep_visible(
        _parse_track(values), *_parse_range(values[1:]), reason
    ),
    "extend": lambda sheet, values, reason: sheet.extend_track(_parse_track(values), *_parse_range(values[1:]), reason),
    "cover": lambda sheet, values, reason: sheet.cover_frames(*_parse_range(values), reason),
    "accept": lambda sheet, values, reason: sheet.accept_item(_parse_key(values), reason),
    "undo": lambda sheet, values, reason: sheet.undo_amendment(_parse_number(values, "amendment"), reason),
}
