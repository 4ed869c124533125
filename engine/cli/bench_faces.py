"""`veil bench make` and `veil bench score`: a benchmark of video with exact truth."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path

from engine.cli import arguments
from engine.cli.command import Command
from engine.cli.options import build_detect_options
from engine.cli.terminal import Terminal
from engine.errors import CheckFailedError, InputError
from engine.evaluation.benchmark.clip_table import FRAME_SIZES, KINDS
from engine.evaluation.benchmark.make import TRUTH_FILE, BenchmarkDescription, BenchmarkSettings, make_benchmark
from engine.evaluation.benchmark.score import list_weak_cells, score_records, score_videos
from engine.evaluation.benchmark.score_table import format_score
from engine.evaluation.benchmark.scores import BenchmarkScore
from engine.evaluation.benchmark.tool_runs import detect_clips, find_masked_copies, run_command
from engine.evaluation.ground_truth import Truth, read_truth
from engine.evaluation.pairing import pair_records
from engine.masking.presets import parse_style
from engine.record import encode_document, read_record
from engine.storage.files import write_file


def _add_make_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder for the clips and their truth")
    parser.add_argument("--quick", action="store_true", help="a part of the clips, at 1080 lines only")
    parser.add_argument(
        "--resolutions",
        default=",".join(FRAME_SIZES),
        metavar="A,B",
        help=f"sizes of the clips (default: {','.join(FRAME_SIZES)})",
    )
    parser.add_argument("--kinds", default="", metavar="A,B", help=f"kinds of clips (default: all: {','.join(KINDS)})")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of everything random (default: 0)")


def _make(options: Namespace, terminal: Terminal) -> int:
    settings = BenchmarkSettings(
        seed=options.seed,
        quick=options.quick,
        resolutions=tuple(options.resolutions.split(",")),
        kinds=tuple(options.kinds.split(",")) if options.kinds else (),
    )
    made = make_benchmark(options.folder, settings, terminal)
    terminal.print_result(made, _describe_made(options.folder, made))
    return 0


def _describe_made(folder: Path, made: BenchmarkDescription) -> str:
    frames, faces = sum(clip.frames for clip in made.clips), sum(clip.faces for clip in made.clips)
    return f"{folder / TRUTH_FILE}: {len(made.clips)} clips, {frames} frames, {faces} faces"


def _add_score_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder that veil bench make has filled")
    parser.add_argument("--records", type=Path, metavar="FOLDER", help="score these records of the clips")
    parser.add_argument(
        "--videos", type=Path, metavar="FOLDER", help="score these masked copies, named as the clips are"
    )
    parser.add_argument(
        "--command",
        dest="tool_command",
        metavar="COMMAND",
        help="run this command for each clip and score its outputs, as 'deface {input} -o {output}'",
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="store the records or outputs in this folder")
    parser.add_argument(
        "--style",
        default="strong",
        metavar=arguments.STYLE_METAVAR,
        help="style of the masks of records (default: strong)",
    )
    parser.add_argument("--name", metavar="TEXT", help="name of the tool in the report")
    parser.add_argument(
        "--least", type=float, metavar="SHARE", help="exit with 3 if fewer frames of any cell are covered, as 0.95"
    )
    arguments.add_report(parser)
    arguments.add_detection(parser)
    # No default mode: naming one means to run a detection.
    parser.set_defaults(mode=None)


def _score(options: Namespace, terminal: Terminal) -> int:
    truth = read_truth(options.folder / TRUTH_FILE)
    detects = options.mode is not None or options.detectors is not None
    chosen = [options.records is not None, options.videos is not None, options.tool_command is not None, detects]
    if sum(chosen) != 1:
        raise InputError("Choose one: --records, --videos, --command, or a detection with --mode or --detectors.")
    score = _score_detection(truth, options, terminal) if detects else _score_files(truth, options, terminal)
    if options.report is not None:
        write_file(options.report, encode_document(score))
    terminal.print_result(score, format_score(score))
    weak = list(list_weak_cells(score, options.least)) if options.least is not None else []
    for cell in weak:
        terminal.notice(f"{cell.kind} {cell.value} {cell.resolution}: only {cell.frame_coverage} of the frames.")
    return CheckFailedError.exit_code if weak else 0


def _score_detection(truth: Truth, options: Namespace, terminal: Terminal) -> BenchmarkScore:
    options.mode = options.mode or "on-prem"
    table, style = options.folder / TRUTH_FILE, parse_style(options.style)
    records, cost = detect_clips(truth, table, build_detect_options(options), options.data, terminal)
    if options.keep is not None:
        for name, record in records.items():
            path = options.keep / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, encode_document(record))
    name = options.name or options.detectors or options.mode
    return score_records(truth, records, name, style=style, cost=cost)


def _score_files(truth: Truth, options: Namespace, terminal: Terminal) -> BenchmarkScore:
    table = options.folder / TRUTH_FILE
    if options.records is not None:
        paths = sorted(options.records.rglob("*.json"))
        records = pair_records(truth, {path: read_record(path) for path in paths}, table)
        return score_records(truth, records, options.name or str(options.records), style=parse_style(options.style))
    if options.videos is not None:
        find = find_masked_copies(options.folder, options.videos)
        return score_videos(truth, find, options.name or str(options.videos), listener=terminal)
    with tempfile.TemporaryDirectory(prefix="veil-bench-") as scratch:
        outputs = options.keep or Path(scratch)
        cost = run_command(truth, options.folder, options.tool_command, outputs, terminal)
        find = find_masked_copies(options.folder, outputs)
        return score_videos(truth, find, options.name or options.tool_command, cost=cost, listener=terminal)


COMMANDS = {
    "bench make": Command(_add_make_arguments, _make, uses_data=False),
    "bench score": Command(_add_score_arguments, _score, reads_media=True),
}
