"""`veil demo`."""

from __future__ import annotations

import sys
from argparse import Namespace

import engine
from engine.cli import reports
from engine.cli.command import RESUMABLE_MESSAGE, Command, add_nothing
from engine.cli.terminal import Terminal
from engine.cli.workbench import exec_workbench
from engine.detectors import weights
from engine.errors import CheckFailedError
from engine.media.output.sample_clip import make_sample_clip
from engine.record import DetectOptions
from engine.storage.data_folder import find_data_folder


def _run_demo(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    weights.fetch_model_files(data.models, terminal)
    source, output = data.sample_clips / "interview.mp4", data.sample_clips / "interview.anonymised.mp4"
    make_sample_clip(source)
    result = engine.anonymise(source, output, DetectOptions(mode="on-prem"), data=data.root, listener=terminal)
    terminal.print_result(result, reports.format_anonymise(result))
    if not result.checks.passed:
        return CheckFailedError.exit_code
    # Opening the workbench takes over this process until Ctrl-C, which would block a script; so only for a person.
    if sys.stdout.isatty() and not terminal.as_json:
        terminal.notice("Opening the workbench; press Ctrl-C to stop it.")
        exec_workbench(data)
    terminal.notice("To see the clip in the workbench, run veil workbench.")
    return 0


COMMANDS = {"demo": Command(add_nothing, _run_demo, interrupted=RESUMABLE_MESSAGE)}
