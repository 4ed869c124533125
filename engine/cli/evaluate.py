"""The verb `veil evaluate`: its arguments, and what it says."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.cli.options import build_criteria, build_detect_options
from engine.cli.terminal import Terminal
from engine.errors import InputError
from engine.evaluation import ground_truth, pairing, summary
from engine.evaluation.dataset import detect_dataset
from engine.evaluation.ground_truth import Truth
from engine.evaluation.judgements import Criteria, judge_records
from engine.evaluation.scores import MissedFace
from engine.evaluation.text_table import format_table
from engine.masking.presets import parse_style
from engine.record import Record, encode_document, read_record
from engine.storage.files import write_file

_ONE_SOURCE_MESSAGE = "Give records, or say what to run with --mode or --detectors; not both."


def add_arguments(verb: ArgumentParser, add_detection_options: Callable[[ArgumentParser], None]) -> None:
    """The arguments of the verb; `add_detection_options` adds those of a detection."""
    verb.add_argument(
        "truth", type=Path, metavar="TRUTH.csv", help="columns file,frame,x,y,w,h and perhaps ignore,track"
    )
    verb.add_argument("records", type=Path, nargs="*", metavar="RECORD", help="detection records of the table's files")
    verb.add_argument("--iou", type=float, default=0.35, help="overlap at which a box found a face (default: 0.35)")
    verb.add_argument(
        "--hidden", type=float, default=0.9, help="share of a face under the mask that counts as covered (default: 0.9)"
    )
    verb.add_argument(
        "--centre",
        type=float,
        default=1.0,
        help="share of width and height of a marked box that is the face (default: 1)",
    )
    verb.add_argument("--frames", choices=("listed", "all"), default="listed", help="frames that are judged")
    verb.add_argument(
        "--only", metavar="COLUMN=A,B", help="ignore faces whose COLUMN is none of these, as view=frontal,profile"
    )
    verb.add_argument("--partial", action="store_true", help="leave files without a record out")
    verb.add_argument("--misses", type=int, default=0, metavar="N", help="also list the N largest faces not found")
    verb.add_argument("--keep", type=Path, metavar="FOLDER", help="write the records that --mode or --detectors made")
    verb.add_argument("--style", default="strong", metavar="PRESET[,NAME=VALUE...]", help="what covers the faces")
    add_detection_options(verb)
    verb.set_defaults(mode=None)


def evaluate(options: Namespace, terminal: Terminal) -> int:
    """`veil evaluate`."""
    marked = ground_truth.read_truth(options.truth)
    judged = _filter_truth(marked, options.only)
    findings = judge_records(
        judged,
        _load_or_detect_records(marked, options, terminal),
        _build_criteria(options),
        parse_style(options.style),
        partial=options.partial,
    )
    figures = summary.summarise(findings)
    misses = summary.find_worst_misses(findings, options.misses)
    document: dict[str, Any] = {**msgspec.structs.asdict(figures), "misses": misses}
    terminal.print_result(document, format_table(figures).rstrip("\n") + _format_misses(misses))
    return 0


def _load_or_detect_records(ground_truth: Truth, options: Namespace, terminal: Terminal) -> Mapping[str, Record]:
    """The records that were given, or those of a detection."""
    runs = options.mode is not None or options.detectors is not None
    if runs == bool(options.records):
        raise InputError(_ONE_SOURCE_MESSAGE)
    if not runs:
        return pairing.pair_records(ground_truth, {path: read_record(path) for path in options.records}, options.truth)
    options.mode = options.mode or "on-prem"
    made = detect_dataset(
        ground_truth, options.truth, build_detect_options(options), data=options.data, listener=terminal
    )
    if options.keep is not None:
        _write_records(made, options.keep)
    return made


def _write_records(made: Mapping[str, Record], folder: Path) -> None:
    for name, record in made.items():
        place = folder / f"{name}.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        write_file(place, encode_document(record))


def _filter_truth(ground_truth: Truth, choice: str | None) -> Truth:
    if choice is None:
        return ground_truth
    column, equals, values = choice.partition("=")
    if not equals:
        raise InputError(f"--only takes COLUMN=A,B; got {choice!r}.")
    return ground_truth.ignore_others(column, set(values.split(",")))


def _build_criteria(options: Namespace) -> Criteria:
    return build_criteria(iou=options.iou, hidden=options.hidden, centre=options.centre, frames=options.frames)


def _format_misses(misses: tuple[MissedFace, ...]) -> str:
    lines = [f"  missed: {miss.file} frame {miss.frame}, {miss.height:g} px high" for miss in misses]
    return "\n".join(["", *lines])
