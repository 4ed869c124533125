"""`veil batch`: anonymise many files."""

from __future__ import annotations

import threading
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from pathlib import Path

from engine.batch.batch import Batch
from engine.batch.capacity import choose_process_count
from engine.batch.job import BatchJob
from engine.batch.journal import hold_output_folder
from engine.batch.protocol import StartMessage
from engine.batch.sources import ListedSource, find_watched_folders, list_sources
from engine.batch.summary import build_junit_xml, format_summary
from engine.batch.watch import ArrivedFiles, watch_jobs
from engine.cli import arguments
from engine.cli.batch_progress import BatchProgress
from engine.cli.command import Command
from engine.cli.options import build_cluster_choice, build_detect_options, build_render_options
from engine.cli.project import OptionTable, load_project
from engine.cli.terminal import Terminal
from engine.cluster.connection import provide_cluster
from engine.errors import InputError
from engine.record import encode_document
from engine.storage.data_folder import find_data_folder
from engine.storage.file_use import FileUse, check_file_use
from engine.storage.files import write_file

_TEMPLATE_COLUMN = "template"
_FILE_OPTIONS = frozenset(
    {"output", "publish", "watch", "settle", "jobs", "report", "junit", "max-cost", "scheduler", "local-cluster"}
)
"""Options of the whole batch, which a row of a manifest cannot set."""


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="video, folder, quoted pattern such as 'footage/**/*.mov', manifest (.csv, .jsonl), or address (s3://...)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder for outputs, records and reports"
    )
    parser.add_argument(
        "--watch", action="store_true", help="go on with files that arrive in the folders, until Ctrl-C"
    )
    parser.add_argument(
        "--settle",
        type=arguments.parse_seconds,
        default=5.0,
        metavar="SECONDS",
        help="with --watch, time without a change after which a file is complete (default: 5)",
    )
    parser.add_argument(
        "--publish", metavar="URL", help="also upload finished outputs and their documents to this folder (s3://...)"
    )
    parser.add_argument(
        "--jobs",
        type=arguments.parse_positive,
        metavar="N",
        help="files that are worked on at the same time (default: as many as cores and memory allow)",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write the summary to this file, as JSON")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="also write the summary to this file, as JUnit XML")
    arguments.add_overwrite(parser)
    arguments.add_detection(parser)
    arguments.add_cluster(parser)
    arguments.add_style(parser)
    arguments.add_audio(parser)


def _run_batch(options: Namespace, terminal: Terminal) -> int:
    folder, data = options.output, find_data_folder(options.data)
    jobs = _list_jobs(options)
    sources = [job.source for job in jobs if job.url is None]
    check_file_use(FileUse(sources, [options.report, options.junit]), overwrite=options.overwrite)
    count = options.jobs or choose_process_count()
    with ExitStack() as stack:
        cluster = stack.enter_context(provide_cluster(build_cluster_choice(options)))
        start = StartMessage(
            folder.absolute(), data.root.absolute(), tuple(sources), options.overwrite, options.publish, count, cluster
        )
        stack.enter_context(hold_output_folder(folder))
        batch = stack.enter_context(Batch(start, BatchProgress(terminal), options.max_cost))
        try:
            if options.watch:
                _work_and_watch(options, batch, terminal)
            else:
                batch.work(jobs)
        finally:
            # Also after Ctrl-C: what is done is done, and a build server wants to know.
            _write_reports(options, batch)
    report = batch.report
    terminal.print_result(report, format_summary(report))
    return report.exit_code


def _work_and_watch(options: Namespace, batch: Batch, terminal: Terminal) -> None:
    folders = find_watched_folders(options.sources)
    if not folders:
        raise InputError("--watch needs a folder among the sources.")
    names = ", ".join(map(str, folders))
    terminal.notice(f"Watching {names}; press Ctrl-C to stop.")
    arrived = ArrivedFiles(options.settle)
    try:
        for jobs in watch_jobs(folders, lambda: _list_jobs(options), arrived, threading.Event()):
            batch.work(jobs)
            _write_reports(options, batch)
    except KeyboardInterrupt:
        # Between two files Ctrl-C is the usual end; within one it interrupts the batch.
        if batch.is_in_file:
            raise


def _write_reports(options: Namespace, batch: Batch) -> None:
    report = batch.report
    if options.report is not None:
        write_file(options.report, encode_document(report))
    if options.junit is not None:
        write_file(options.junit, build_junit_xml(report))


def _list_jobs(options: Namespace) -> list[BatchJob]:
    listed = list_sources(options.sources, options.output)
    table = _RowOptions(options)
    return [table.build_job(entry) for entry in listed]


class _RowOptions:
    """Builds jobs from listed files: the options of the batch, with those of a manifest's row in front of them."""

    def __init__(self, options: Namespace) -> None:
        self._options = options
        self._detection, self._rendering = build_detect_options(options), build_render_options(options)
        parser = ArgumentParser(add_help=False)
        _add_arguments(parser)
        self._table = OptionTable(parser)

    def build_job(self, entry: ListedSource) -> BatchJob:
        """Build the job of a file.

        Raises:
            InputError: the row has an unknown column or a wrong value.
        """
        detection, rendering = self._detection, self._rendering
        if entry.options:
            options = self._apply_row(entry)
            detection, rendering = build_detect_options(options), build_render_options(options)
        return BatchJob(entry.source, str(entry.name), entry.is_name_chosen, detection, rendering, entry.url)

    def _apply_row(self, entry: ListedSource) -> Namespace:
        row, values = dict(entry.options), dict(vars(self._options))
        if (template := row.pop(_TEMPLATE_COLUMN, None)) is not None:
            project = load_project(self._options.project)
            template_values = project.find_template(str(template))
            fitting = {name: value for name, value in template_values.items() if name in self._table.names}
            self._table.merge(values, fitting, f"{project.path}, [template.{template}]")
        for name in _FILE_OPTIONS & row.keys():
            raise InputError(f"{entry.origin}: {name} is an option of the whole batch, not of one file.")
        self._table.merge(values, row, entry.origin)
        return Namespace(**values)


COMMANDS = {
    "batch": Command(
        _add_arguments,
        _run_batch,
        is_configurable=True,
        interrupted="Interrupted; run the same command again to go on where it stopped.",
    )
}
