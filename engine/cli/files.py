"""`veil probe`, `detect`, `render`, `verify`, `anonymise` and `schema`: work on files outside of any run."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

import engine
from engine.cli import arguments, reports
from engine.cli.command import RESUMABLE_MESSAGE, Command
from engine.cli.options import build_cluster_choice, build_detect_options, build_render_options
from engine.cli.terminal import Terminal
from engine.cluster.connection import open_cluster
from engine.errors import CheckFailedError
from engine.record import encode_document, record_json_schema
from engine.review import amendments
from engine.storage.data_folder import RENDER_REPORT_SUFFIX, append_suffix
from engine.storage.file_use import FileUse, check_file_use
from engine.storage.files import write_file

_SCHEMA_BUILDERS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "record": record_json_schema,
    "amendment": amendments.build_schema,
}


def _add_probe_arguments(parser: ArgumentParser) -> None:
    arguments.add_source(parser)


def _probe(options: Namespace, terminal: Terminal) -> int:
    info = engine.probe(options.source, listener=terminal)
    terminal.print_result(info, reports.format_probe(options.source, info))
    return 0


def _add_detect_arguments(parser: ArgumentParser) -> None:
    arguments.add_source(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="RECORD", help="detection record to write")
    arguments.add_overwrite(parser)
    arguments.add_detection(parser)
    arguments.add_cluster(parser)


def _detect(options: Namespace, terminal: Terminal) -> int:
    with open_cluster(build_cluster_choice(options)) as runner:
        record = engine.detect(
            options.source,
            options.output,
            build_detect_options(options),
            data=options.data,
            listener=terminal,
            runner=runner,
            overwrite=options.overwrite,
        )
    summary = reports.DetectSummary.from_record(record, options.output)
    terminal.print_result(summary, summary.to_text())
    return 0


def _add_render_arguments(parser: ArgumentParser) -> None:
    arguments.add_source(parser)
    arguments.add_record(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="video to write")
    arguments.add_overwrite(parser)
    arguments.add_review(parser)
    parser.add_argument(
        "--y4m", type=Path, metavar="FILE", help="also write the frames as passed to the encoder, uncompressed"
    )
    arguments.add_style(parser)
    arguments.add_segment_jobs(parser)
    arguments.add_audio(parser)


def _render(options: Namespace, terminal: Terminal) -> int:
    report = engine.render(
        options.source,
        options.record,
        options.output,
        build_render_options(options),
        review=options.review,
        listener=terminal,
        overwrite=options.overwrite,
    )
    terminal.print_result(report, reports.format_render(options.output, report))
    return 0


def _add_verify_arguments(parser: ArgumentParser) -> None:
    arguments.add_source(parser)
    arguments.add_record(parser)
    parser.add_argument("output", type=Path, metavar="OUT", help="rendered video to check")
    arguments.add_review(parser)
    parser.add_argument(
        "--render-report", type=Path, metavar="FILE", help="report of the render (default: OUT.render.json)"
    )
    parser.add_argument(
        "--render-again",
        action="store_true",
        help="also render once more and check that this gives the same bytes; takes as long as the render",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write the checks to this file, as JSON")
    arguments.add_overwrite(parser)


def _verify(options: Namespace, terminal: Terminal) -> int:
    render_report = options.render_report or append_suffix(options.output, RENDER_REPORT_SUFFIX)
    reads = [options.source, options.record, options.output, options.review, render_report]
    check_file_use(FileUse(reads, [options.report]), overwrite=options.overwrite)
    report = engine.verify(
        options.source,
        options.record,
        options.output,
        review=options.review,
        render_report=options.render_report,
        render_again=options.render_again,
        listener=terminal,
    )
    if options.report is not None:
        write_file(options.report, encode_document(report))
    terminal.print_result(report, reports.format_verify(report))
    return 0 if report.passed else CheckFailedError.exit_code


def _add_anonymise_arguments(parser: ArgumentParser) -> None:
    arguments.add_source(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="video to write")
    parser.add_argument("--record", type=Path, help="record to write (default: OUT.detections.json)")
    arguments.add_overwrite(parser)
    arguments.add_review(parser)
    arguments.add_detection(parser)
    arguments.add_cluster(parser)
    arguments.add_style(parser)
    arguments.add_segment_jobs(parser)
    arguments.add_audio(parser)
    parser.add_argument(
        "--allow-none", action="store_true", help="exit with 0 although no face was found in the whole video"
    )


def _anonymise(options: Namespace, terminal: Terminal) -> int:
    with open_cluster(build_cluster_choice(options)) as runner:
        result = engine.anonymise(
            options.source,
            options.output,
            build_detect_options(options),
            build_render_options(options),
            record=options.record,
            review=options.review,
            data=options.data,
            listener=terminal,
            runner=runner,
            overwrite=options.overwrite,
        )
    terminal.print_result(result, reports.format_anonymise(result))
    # A video without any face is rare where footage needs to be anonymised, and a detector that saw nothing likelier.
    accepted = result.faces > 0 or options.allow_none
    return 0 if result.checks.passed and accepted else CheckFailedError.exit_code


def _add_schema_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--of",
        choices=tuple(_SCHEMA_BUILDERS),
        default="record",
        help="detection record (default), or one line of a review",
    )


def _print_schema(options: Namespace, terminal: Terminal) -> int:
    # A schema is JSON with and without --json; without it, it is indented for reading.
    document = _SCHEMA_BUILDERS[options.of]()
    terminal.print_result(document, msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
    return 0


# Rendering and verifying run no model and know no run, so they take no data folder.
COMMANDS = {
    "probe": Command(_add_probe_arguments, _probe, uses_data=False, reads_media=True),
    "detect": Command(
        _add_detect_arguments, _detect, is_configurable=True, interrupted=RESUMABLE_MESSAGE, reads_media=True
    ),
    "render": Command(_add_render_arguments, _render, uses_data=False, is_configurable=True, reads_media=True),
    "verify": Command(_add_verify_arguments, _verify, uses_data=False, reads_media=True),
    "anonymise": Command(
        _add_anonymise_arguments, _anonymise, is_configurable=True, interrupted=RESUMABLE_MESSAGE, reads_media=True
    ),
    "schema": Command(_add_schema_arguments, _print_schema, uses_data=False),
}
