"""What each verb does: call the engine, say what came of it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

import engine
from engine.cli import reports
from engine.cli.options import build_detect_options, build_render_options
from engine.cli.terminal import Terminal
from engine.cli.workbench import exec_workbench
from engine.detectors import weights
from engine.errors import CheckFailedError
from engine.media.output.sample_clip import make_sample_clip
from engine.record import DetectOptions, encode_document, record_json_schema
from engine.review import amendments
from engine.storage.data_folder import find_data_folder
from engine.storage.files import write_file

SCHEMA_BUILDERS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "record": record_json_schema,
    "amendment": amendments.build_schema,
}
"""The documents whose JSON Schema is published."""


def manage_models(options: Namespace, terminal: Terminal) -> int:
    """`veil models fetch|verify`."""
    folder = find_data_folder(options.data).models
    table = (*weights.WEIGHTS, *(weights.BENCHMARK_WEIGHTS if options.benchmark else ()))
    if options.action == "fetch":
        weights.fetch_model_files(folder, terminal, table)
    states = dict(weights.check_model_files(folder, table))
    terminal.print_result({"folder": str(folder), "models": states}, reports.format_models(folder, states))
    return 0 if set(states.values()) == {"ok"} else CheckFailedError.exit_code


def probe(options: Namespace, terminal: Terminal) -> int:
    """`veil probe`."""
    info = engine.probe(options.source, listener=terminal)
    terminal.print_result(info, reports.format_probe(options.source, info))
    return 0


def detect(options: Namespace, terminal: Terminal) -> int:
    """`veil detect`."""
    record = engine.detect(
        options.source, options.output, build_detect_options(options), data=options.data, listener=terminal
    )
    summary = reports.DetectSummary.from_record(record, options.output)
    terminal.print_result(summary, summary.to_text())
    return 0


def render(options: Namespace, terminal: Terminal) -> int:
    """`veil render`."""
    report = engine.render(
        options.source,
        options.record,
        options.output,
        build_render_options(options),
        review=options.review,
        listener=terminal,
    )
    terminal.print_result(report, reports.format_render(options.output, report))
    return 0


def verify(options: Namespace, terminal: Terminal) -> int:
    """`veil verify`."""
    report = engine.verify(
        options.source,
        options.record,
        options.output,
        review=options.review,
        render_report=options.render_report,
        listener=terminal,
    )
    if options.report is not None:
        write_file(options.report, encode_document(report))
    terminal.print_result(report, reports.format_verify(report))
    return 0 if report.passed else CheckFailedError.exit_code


def anonymise(options: Namespace, terminal: Terminal) -> int:
    """`veil anonymise`."""
    result = engine.anonymise(
        options.source,
        options.output,
        build_detect_options(options),
        build_render_options(options),
        record=options.record,
        review=options.review,
        data=options.data,
        listener=terminal,
    )
    terminal.print_result(result, reports.format_anonymise(result))
    return 0 if result.checks.passed else CheckFailedError.exit_code


def print_schema(options: Namespace, terminal: Terminal) -> int:
    """`veil schema`: always JSON, whether asked for or not."""
    document = SCHEMA_BUILDERS[options.of]()
    terminal.print_result(document, msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
    return 0


def run_demo(options: Namespace, terminal: Terminal) -> int:
    """`veil demo`."""
    data = find_data_folder(options.data)
    weights.fetch_model_files(data.models, terminal)
    source, output = data.sample_clips / "interview.mp4", data.sample_clips / "interview.anonymised.mp4"
    make_sample_clip(source)
    result = engine.anonymise(source, output, DetectOptions(mode="on-prem"), data=data.root, listener=terminal)
    terminal.print_result(result, reports.format_anonymise(result))
    if not result.checks.passed:
        return CheckFailedError.exit_code
    if sys.stdout.isatty() and not terminal.as_json:
        terminal.notice("The workbench opens; Ctrl-C ends it.")
        exec_workbench(data)
    terminal.notice("See it in the workbench: veil workbench")
    return 0
