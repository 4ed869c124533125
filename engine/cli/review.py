"""`veil review` and `veil amend`: what leaves doubt in a record, and what a reviewer says of it."""

from __future__ import annotations

import argparse
import getpass
import re
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from engine import record as records
from engine.cli.terminal import Terminal
from engine.core.frame_ranges import named
from engine.errors import InputError
from engine.record import Document, Sha256
from engine.review.amendments import Amendment, Author, Review, standing
from engine.review.apply import Folded, KeptVisible
from engine.review.descriptions import described
from engine.review.editor import Sheet
from engine.review.queue import Spot, spots
from engine.review.review_file import no_review, read_review

_ACTIONS = """\
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
    spots: tuple[Spot, ...]


def add_review_arguments(verb: ArgumentParser) -> None:
    """The arguments of `veil review`."""
    verb.add_argument("record", type=Path, help="detection record")
    verb.add_argument("--review", type=Path, metavar="FILE", help="its amendments, as veil amend writes them")
    verb.add_argument("--open", action="store_true", help="only the spots that are not dealt with")
    verb.add_argument("--limit", type=int, default=25, metavar="N", help="spots that are listed as text (default: 25)")


def add_amend_arguments(verb: ArgumentParser) -> None:
    """The arguments of `veil amend`."""
    verb.formatter_class = argparse.RawDescriptionHelpFormatter
    verb.epilog = _ACTIONS
    verb.add_argument("record", type=Path, help="detection record")
    verb.add_argument("review", type=Path, help="file of amendments; it is made when it does not exist")
    verb.add_argument("action", choices=(*_DOINGS, "repair"), metavar="ACTION", help="what to do, see below")
    verb.add_argument("values", nargs="*", metavar="VALUE", help="to what")
    verb.add_argument("--by", required=True, metavar="NAME", help="who says so, as it is to be printed")
    verb.add_argument("--account", default=None, help="of that person (default: the login name)")
    verb.add_argument("--reason", default="", help="why")


def review(options: Namespace, terminal: Terminal) -> int:
    """`veil review`."""
    data = records.read_bytes(options.record)
    record, sha256 = records.decode(data, str(options.record)), records.digest(data)
    found = no_review(sha256) if options.review is None else read_review(options.review, sha256)
    folded = Folded(record, found)
    listed = tuple(spot for spot in spots(record, found) if not options.open or spot.state == "open")
    summary = ReviewSummary(str(options.record), sha256, found.sha256, found.amendments, folded.kept_visible(), listed)
    terminal.result(summary, "\n".join(_text(summary, found, options.limit)))
    return 0


def amend(options: Namespace, terminal: Terminal) -> int:
    """`veil amend`."""
    sheet = Sheet(options.record, options.review, Author(options.account or getpass.getuser(), options.by))
    if options.action == "repair":
        whole = sheet.repair()
        terminal.result(whole, f"{options.review} holds {len(whole.amendments)} whole amendments.")
        return 0
    try:
        amendment = _DOINGS[options.action](sheet, options.values, options.reason)
    except _SpellingError as error:
        raise InputError(f"veil amend {options.action}: {error}; see veil amend --help.") from error
    terminal.result(amendment, f"Amendment {amendment.number} is stored in {options.review}: {_said(amendment)}")
    return 0


def _text(summary: ReviewSummary, found: Review, limit: int) -> Iterator[str]:
    counting = len(standing(found.amendments))
    states = Counter(spot.state for spot in summary.spots)
    yield f"{len(summary.amendments)} amendments, of which {counting} count"
    for amendment in summary.amendments:
        yield f"  {amendment.number}  {amendment.at:%Y-%m-%d %H:%M %Z}  {amendment.by.name}: {_said(amendment)}"
    for face in summary.kept_visible:
        yield f"Kept visible: track {face.track} in {named(face.start, face.stop)}, by {face.by.name}: {face.reason}"
    yield f"{len(summary.spots)} spots: " + (", ".join(f"{count} {state}" for state, count in states.items()) or "none")
    for spot in summary.spots[: max(0, limit)]:
        yield f"  {spot.risk:.2f}  {spot.state:<8}  {spot.key:<28}  {spot.reason}"
    if len(summary.spots) > limit:
        yield f"  and {len(summary.spots) - limit} of less risk (--limit, --json)"


def _said(amendment: Amendment) -> str:
    reason = f" ({amendment.reason})" if amendment.reason else ""
    return described(amendment.action) + reason


class _SpellingError(ValueError):
    """The values of an action are not spelled as they should be; says how they should."""


def _boxes(values: Sequence[str]) -> dict[int, tuple[float, ...]]:
    """`FRAME=LEFT,TOP,RIGHT,BOTTOM` ..."""
    boxes: dict[int, tuple[float, ...]] = {}
    for value in values:
        frame, _, edges = value.partition("=")
        try:
            boxes[int(frame)] = tuple(map(float, edges.split(",")))
        except ValueError as error:
            raise _SpellingError(f"a box is spelled FRAME=LEFT,TOP,RIGHT,BOTTOM, got {value!r}") from error
    if not boxes:
        raise _SpellingError("a box is missing: FRAME=LEFT,TOP,RIGHT,BOTTOM")
    return boxes


def _track(values: Sequence[str]) -> int:
    return _number(values[:1], "track")


def _number(values: Sequence[str], what: str) -> int:
    """One whole number."""
    if len(values) != 1 or not values[0].isdecimal():
        raise _SpellingError(f"the number of one {what} is needed, got {' '.join(values)!r}")
    return int(values[0])


def _range(values: Sequence[str]) -> tuple[int, int]:
    """`START-STOP`."""
    match = re.fullmatch(r"(\d+)-(\d+)", " ".join(values))
    if match is None:
        raise _SpellingError(f"one range of frames START-STOP is needed, got {' '.join(values)!r}")
    return int(match[1]), int(match[2])


def _key(values: Sequence[str]) -> str:
    if len(values) != 1:
        raise _SpellingError(f"the key of one spot is needed, got {' '.join(values)!r}")
    return values[0]


_DOINGS: Mapping[str, Callable[[Sheet, Sequence[str], str], Amendment]] = {
    "add": lambda sheet, values, reason: sheet.add(_boxes(values), reason),
    "resize": lambda sheet, values, reason: sheet.resize(_track(values), _boxes(values[1:]), reason),
    "delete": lambda sheet, values, reason: sheet.delete(_track(values), *_range(values[1:]), reason),
    "keep-visible": lambda sheet, values, reason: sheet.keep_visible(_track(values), *_range(values[1:]), reason),
    "extend": lambda sheet, values, reason: sheet.extend(_track(values), *_range(values[1:]), reason),
    "cover": lambda sheet, values, reason: sheet.cover(*_range(values), reason),
    "accept": lambda sheet, values, reason: sheet.accept(_key(values), reason),
    "undo": lambda sheet, values, reason: sheet.undo(_number(values, "amendment"), reason),
}
