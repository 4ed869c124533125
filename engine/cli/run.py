"""`veil run` and `veil work`: detections as runs, which the workbench shows too."""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

import msgspec

from engine import runs
from engine.cli import arguments, reports
from engine.cli.command import RESUMABLE_MESSAGE, Command
from engine.cli.identity import identify_person
from engine.cli.options import build_cluster_choice, build_detect_options
from engine.cli.terminal import Terminal
from engine.core.wording import format_count
from engine.errors import InputError, RunError
from engine.jobs.queue import work_through_queue
from engine.jobs.worker import perform_run, start_run
from engine.runs import Run
from engine.storage.data_folder import DataFolder, find_data_folder

_WAIT_INTERVAL_S = 5.0
"""Seconds between two looks at an empty queue."""


def _add_run_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", type=Path, nargs="?", help="video to detect faces in")
    parser.add_argument("--resume", metavar="RUN", help="resume an unfinished run with its original options")
    parser.add_argument("--title", type=_parse_title, help="title of the run in lists (default: the name of the file)")
    arguments.add_detection(parser)
    arguments.add_cluster(parser)
    arguments.add_account_option(parser)


def _parse_title(text: str) -> str:
    title = text.strip()
    if not title or not title.isprintable() or len(title) > runs.MAX_TITLE_LENGTH:
        raise ArgumentTypeError(f"must have 1 to {runs.MAX_TITLE_LENGTH} printable characters, got {text[:80]!r}")
    return title


def _run_detection(options: Namespace, terminal: Terminal) -> int:
    if (options.source is None) == (options.resume is None):
        raise InputError("Give a video, or --resume with the id of a run, and not both.")
    data = find_data_folder(options.data)
    run = _find_resumable_run(data, options.resume) if options.resume else _create_run(data, options)
    # Printed first too: a run that is interrupted can be resumed only by its id.
    terminal.notice(f"Run {run.id}")
    summary = reports.DetectSummary.from_record(
        perform_run(data, run, terminal, build_cluster_choice(options)), run.folder.record
    )
    terminal.print_result({"run": run.id, **msgspec.structs.asdict(summary)}, f"Run {run.id}\n{summary.to_text()}")
    return 0


def _create_run(data: DataFolder, options: Namespace) -> Run:
    # Checked before the password is asked for.
    if not options.source.exists():
        raise InputError(f"{options.source} does not exist; give the path of a video.")
    detect_options = build_detect_options(options)
    return start_run(data, identify_person(data, options), options.source, detect_options, options.title)


def _find_resumable_run(data: DataFolder, run_id: str) -> Run:
    run = runs.load_run(data, run_id)
    if run.status != "queued":
        if not run.resumable:
            raise RunError(f"The run {run_id} is {run.status}; only an unfinished run can be resumed.")
        run.folder.cancel_marker.unlink(missing_ok=True)
    return run


def _add_work_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--wait", action="store_true", help="wait for more runs when the queue is empty, until Ctrl-C")


def _work_through_queue(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    finished = work_through_queue(data)
    while options.wait:
        # Other machines add runs too, and tell nobody.
        time.sleep(_WAIT_INTERVAL_S)
        work_through_queue(data)
    terminal.print_result({"runs": finished}, f"{format_count(finished, 'run')} done; the queue is empty.")
    return 0


COMMANDS = {
    "run": Command(
        _add_run_arguments, _run_detection, is_configurable=True, interrupted=RESUMABLE_MESSAGE, reads_media=True
    ),
    "work": Command(_add_work_arguments, _work_through_queue, interrupted=RESUMABLE_MESSAGE),
}
