"""What each verb does: call the engine, say what came of it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

import engine
from engine import record as records
from engine.cli import reports
from engine.cli.options import detect_options, render_options
from engine.cli.terminal import Terminal
from engine.cli.workbench import hand_over
from engine.detection.options import DetectOptions
from engine.detectors import weights
from engine.errors import CheckFailedError
from engine.media.output.sample_clip import make_sample
from engine.review import amendments
from engine.storage.files import data_folder
from engine.storage.files import write as write_file

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {"record": records.schema, "amendment": amendments.schema}
"""The documents whose JSON Schema is published."""


def models(options: Namespace, terminal: Terminal) -> int:
    """`veil models fetch|verify`."""
    folder = data_folder(options.data).models
    table = (*weights.WEIGHTS, *(weights.BENCHMARK_WEIGHTS if options.benchmark else ()))
    if options.action == "fetch":
        weights.fetch(folder, terminal, table)
    states = dict(weights.verify(folder, table))
    terminal.result({"folder": str(folder), "models": states}, reports.models(folder, states))
    return 0 if set(states.values()) == {"ok"} else CheckFailedError.exit_code


def probe(options: Namespace, terminal: Terminal) -> int:
    """`veil probe`."""
    info = engine.probe(options.source, listener=terminal)
    terminal.result(info, reports.probe(options.source, info))
    return 0


def detect(options: Namespace, terminal: Terminal) -> int:
    """`veil detect`."""
    record = engine.detect(
        options.source, options.output, detect_options(options), data=options.data, listener=terminal
    )
    summary = reports.DetectSummary.of(record, options.output)
    terminal.result(summary, summary.text())
    return 0


def render(options: Namespace, terminal: Terminal) -> int:
    """`veil render`."""
    report = engine.render(
        options.source,
        options.record,
        options.output,
        render_options(options),
        review=options.review,
        listener=terminal,
    )
    terminal.result(report, reports.render(options.output, report))
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
        write_file(options.report, records.encode(report))
    terminal.result(report, reports.verify(report))
    return 0 if report.passed else CheckFailedError.exit_code


def anonymise(options: Namespace, terminal: Terminal) -> int:
    """`veil anonymise`."""
    result = engine.anonymise(
        options.source,
        options.output,
        detect_options(options),
        render_options(options),
        record=options.record,
        review=options.review,
        data=options.data,
        listener=terminal,
    )
    terminal.result(result, reports.anonymise(result))
    return 0 if result.checks.passed else CheckFailedError.exit_code


def schema(options: Namespace, terminal: Terminal) -> int:
    """`veil schema`: always JSON, whether asked for or not."""
    document = SCHEMAS[options.of]()
    terminal.result(document, msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
    return 0


def demo(options: Namespace, terminal: Terminal) -> int:
    """`veil demo`."""
    data = data_folder(options.data)
    weights.fetch(data.models, terminal)
    source, output = data.samples / "interview.mp4", data.samples / "interview.anonymised.mp4"
    make_sample(source)
    result = engine.anonymise(source, output, DetectOptions(mode="on-prem"), data=data.root, listener=terminal)
    terminal.result(result, reports.anonymise(result))
    if not result.checks.passed:
        return CheckFailedError.exit_code
    if sys.stdout.isatty() and not terminal.as_json:
        terminal.notice("The workbench opens; Ctrl-C ends it.")
        hand_over(data)
    terminal.notice("See it in the workbench: veil workbench")
    return 0
