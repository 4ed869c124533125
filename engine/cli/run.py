"""`veil run` and `veil work`: detections as runs, which the workbench shows too."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from engine import runs
from engine.cli import reports
from engine.cli.arguments import add_person
from engine.cli.identity import session_of
from engine.cli.options import detect_options
from engine.cli.terminal import Terminal
from engine.errors import InputError, RunError
from engine.jobs.queue import work as work_off
from engine.jobs.requests import asked_of
from engine.jobs.worker import begin, perform
from engine.runs import Run
from engine.storage.files import Data, data_folder


def add_arguments(verb: argparse.ArgumentParser, add_detection: Callable[[argparse.ArgumentParser], None]) -> None:
    """The arguments of `veil run`; `add_detection` adds those of a detection."""
    verb.add_argument("source", type=Path, nargs="?", help="video to make a run of")
    verb.add_argument("--resume", metavar="RUN", help="go on with a run that came to no end, with the options it has")
    add_detection(verb)
    add_person(verb)


def run(options: Namespace, terminal: Terminal) -> int:
    """`veil run`."""
    if (options.source is None) == (options.resume is None):
        raise InputError("Give a video to make a run of, or --resume and a run; not both.")
    data = data_folder(options.data)
    chosen = _resumed(data, options.resume) if options.resume else _new(data, options)
    terminal.notice(f"Run {chosen.id}")
    summary = reports.DetectSummary.of(perform(data, chosen, terminal), chosen.folder.record)
    terminal.result({"run": chosen.id, **_plain(summary)}, f"Run {chosen.id}\n{summary.text()}")
    return 0


def work(options: Namespace, terminal: Terminal) -> int:
    """`veil work`."""
    done = work_off(data_folder(options.data))
    terminal.result({"runs": done}, f"{done} run{'' if done == 1 else 's'} done; nothing waits.")
    return 0


def _new(data: Data, options: Namespace) -> Run:
    if not options.source.exists():
        raise InputError(f"{options.source} is not there; give the path of a video.")
    return begin(data, session_of(data, options)[0].person, options.source, asked_of(detect_options(options)))


def _resumed(data: Data, run_id: str) -> Run:
    chosen = runs.get(data, run_id)
    if chosen.status != "queued":
        if not chosen.resumable:
            raise RunError(f"The run {run_id} is {chosen.status}; only one that came to no end can be resumed.")
        chosen.folder.cancel.unlink(missing_ok=True)
    return chosen


def _plain(summary: reports.DetectSummary) -> dict[str, object]:
    return {name: getattr(summary, name) for name in summary.__struct_fields__}
