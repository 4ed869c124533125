"""`veil run` and `veil work`: detections as runs, which the workbench shows too."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from engine import runs
from engine.cli import reports
from engine.cli.arguments import add_person_option
from engine.cli.identity import open_session
from engine.cli.options import build_detect_options
from engine.cli.terminal import Terminal
from engine.errors import InputError, RunError
from engine.jobs.queue import work_through_queue as work_off
from engine.jobs.worker import perform_run, start_run
from engine.runs import Run
from engine.storage.data_folder import DataFolder, find_data_folder


def add_arguments(
    verb: argparse.ArgumentParser, add_detection_options: Callable[[argparse.ArgumentParser], None]
) -> None:
    """The arguments of `veil run`; `add_detection_options` adds those of a detection."""
    verb.add_argument("source", type=Path, nargs="?", help="video to make a run of")
    verb.add_argument("--resume", metavar="RUN", help="go on with a run that came to no end, with the options it has")
    add_detection_options(verb)
    add_person_option(verb)


def run_detection(options: Namespace, terminal: Terminal) -> int:
    """`veil run`."""
    if (options.source is None) == (options.resume is None):
        raise InputError("Give a video to make a run of, or --resume and a run; not both.")
    data = find_data_folder(options.data)
    chosen = _find_resumable_run(data, options.resume) if options.resume else _create_run(data, options)
    terminal.notice(f"Run {chosen.id}")
    summary = reports.DetectSummary.from_record(perform_run(data, chosen, terminal), chosen.folder.record)
    terminal.print_result({"run": chosen.id, **_to_dict(summary)}, f"Run {chosen.id}\n{summary.to_text()}")
    return 0


def run_queue(options: Namespace, terminal: Terminal) -> int:
    """`veil work`."""
    done = work_off(find_data_folder(options.data))
    terminal.print_result({"runs": done}, f"{done} run{'' if done == 1 else 's'} done; nothing waits.")
    return 0


def _create_run(data: DataFolder, options: Namespace) -> Run:
    if not options.source.exists():
        raise InputError(f"{options.source} is not there; give the path of a video.")
    return start_run(data, open_session(data, options)[0].person, options.source, build_detect_options(options))


def _find_resumable_run(data: DataFolder, run_id: str) -> Run:
    chosen = runs.load_run(data, run_id)
    if chosen.status != "queued":
        if not chosen.resumable:
            raise RunError(f"The run {run_id} is {chosen.status}; only one that came to no end can be resumed.")
        chosen.folder.cancel_marker.unlink(missing_ok=True)
    return chosen


def _to_dict(summary: reports.DetectSummary) -> dict[str, object]:
    return {name: getattr(summary, name) for name in summary.__struct_fields__}
