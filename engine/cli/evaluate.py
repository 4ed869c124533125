"""`veil evaluate`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.cli import arguments
from engine.cli.command import Command
from engine.cli.options import build_detect_options, build_settings
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
from engine.storage.file_use import FileUse, check_file_use
from engine.storage.files import write_file


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "truth",
        type=Path,
        metavar="TRUTH.csv",
        help="ground truth: columns file,frame,x,y,w,h, optionally ignore,track",
    )
    parser.add_argument(
        "records", type=Path, nargs="*", metavar="RECORD", help="detection records of the files in TRUTH.csv"
    )
    parser.add_argument(
        "--iou", type=float, default=0.35, help="least overlap (IoU) of a box and the face it found (default: 0.35)"
    )
    parser.add_argument(
        "--hidden",
        type=float,
        default=0.9,
        metavar="SHARE",
        help="least share of a face under the mask that counts as covered (default: 0.9)",
    )
    parser.add_argument(
        "--centre",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="share of the width and height of a marked box that is the face (default: 1)",
    )
    parser.add_argument(
        "--frames",
        choices=("listed", "all"),
        default="listed",
        help="evaluate the frames listed in TRUTH.csv (default), or all frames",
    )
    parser.add_argument(
        "--only", metavar="COLUMN=A,B", help="ignore faces with other values of COLUMN, as view=frontal,profile"
    )
    parser.add_argument("--partial", action="store_true", help="skip files without a record")
    parser.add_argument("--misses", type=int, default=0, metavar="N", help="also list the N largest missed faces")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="store the records that --mode or --detectors made in this folder"
    )
    arguments.add_overwrite(parser)
    parser.add_argument(
        "--style", default="strong", metavar=arguments.STYLE_METAVAR, help="style of the masks (default: strong)"
    )
    arguments.add_detection(parser)
    # No default mode: naming one means to run a detection instead of reading records.
    parser.set_defaults(mode=None)


def _evaluate(options: Namespace, terminal: Terminal) -> int:
    truth = ground_truth.read_truth(options.truth)
    # --only selects which faces count, not which files: every file of the table still needs its record.
    judgements = judge_records(
        _filter_truth(truth, options.only),
        _load_or_detect_records(truth, options, terminal),
        _build_criteria(options),
        parse_style(options.style),
        partial=options.partial,
    )
    figures = summary.summarise(judgements)
    misses = summary.find_worst_misses(judgements, options.misses)
    document: dict[str, Any] = {**msgspec.structs.asdict(figures), "misses": misses}
    terminal.print_result(document, "\n".join([format_table(figures).rstrip("\n"), *_format_misses(misses)]))
    return 0


def _load_or_detect_records(truth: Truth, options: Namespace, terminal: Terminal) -> Mapping[str, Record]:
    detects = options.mode is not None or options.detectors is not None
    if detects == bool(options.records):
        raise InputError("Give records, or choose detectors with --mode or --detectors, and not both.")
    if not detects:
        return pairing.pair_records(truth, {path: read_record(path) for path in options.records}, options.truth)
    options.mode = options.mode or "on-prem"
    if options.keep is not None:
        kept = [_kept_path(options.keep, clip.name) for clip in truth.clips]
        check_file_use(FileUse([options.truth], kept), overwrite=options.overwrite)
    detected = detect_dataset(truth, options.truth, build_detect_options(options), data=options.data, listener=terminal)
    if options.keep is not None:
        _write_records(detected, options.keep)
    return detected


def _write_records(detected: Mapping[str, Record], folder: Path) -> None:
    for name, record in detected.items():
        path = _kept_path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, encode_document(record))


def _kept_path(folder: Path, clip_name: str) -> Path:
    return folder / f"{clip_name}.json"


def _filter_truth(truth: Truth, text: str | None) -> Truth:
    if text is None:
        return truth
    column, equals, values = text.partition("=")
    if not equals:
        raise InputError(f"--only takes COLUMN=A,B; got {text!r}.")
    return truth.ignore_others(column, set(values.split(",")))


def _build_criteria(options: Namespace) -> Criteria:
    names = ("iou", "hidden", "centre", "frames")
    return build_settings("the evaluation", Criteria, {name: getattr(options, name) for name in names})


def _format_misses(misses: tuple[MissedFace, ...]) -> Iterator[str]:
    for miss in misses:
        yield f"  missed: {miss.file} frame {miss.frame}, {miss.height:g} px high"


COMMANDS = {"evaluate": Command(_add_arguments, _evaluate, reads_media=True)}
