"""`veil queue`: what waits and what is worked on, priorities, cancelling, and limits for runs at the same time."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace
from datetime import datetime

import msgspec

from engine import runs
from engine.access.run_context import RunContext
from engine.cli import arguments
from engine.cli.command import Command, add_nothing
from engine.cli.identity import identify_person
from engine.cli.options import build_settings
from engine.cli.terminal import Terminal
from engine.core.wording import format_count
from engine.errors import InputError
from engine.jobs.cases import PRIORITIES, Priority, read_case, set_priority
from engine.jobs.leases import open_lease_table
from engine.jobs.queue import cancel_run, cancel_waiting_runs, list_queued_runs, start_worker
from engine.jobs.queue_settings import QueueSettings, read_queue_settings, set_queue_settings
from engine.storage.data_folder import find_data_folder


class _QueueEntry(msgspec.Struct, frozen=True):
    """A run that waits or is worked on, as `veil queue show --json` prints it."""

    run: str
    title: str
    account: str
    priority: Priority
    since: str
    host: str | None = None
    attempt: int | None = None

    def to_text(self) -> str:
        """Format it as a line."""
        since = datetime.fromisoformat(self.since).astimezone().strftime("%Y-%m-%d %H:%M")
        where = "waits" if self.host is None else f"on {self.host}"
        again = f", attempt {self.attempt}" if (self.attempt or 0) > 1 else ""
        return f"{self.run}  {self.priority:<6}  {since}  {self.account}  {self.title}  ({where}{again})"


class _CancelledRun(msgspec.Struct, frozen=True):
    """A run that was cancelled, and what it did until then, as `veil queue cancel --json` prints it."""

    run: str
    title: str
    was: str


def _show_queue(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    with open_lease_table(data) as table:
        leases = {lease.run: lease for lease in table.list_leases() if lease.is_live}
    register = {run.id: run for run in runs.read_register(data).runs}
    order = [*(register[name] for name in leases if name in register), *list_queued_runs(data)]
    entries = []
    for run in {run.id: run for run in order}.values():
        lease = leases.get(run.id)
        entries.append(_QueueEntry(
            run.id, run.title, run.request.account, read_case(run).priority, run.request.at,
            lease.holder.host if lease else None, lease.attempt if lease else None,
        ))  # fmt: skip
    text = "\n".join([*(entry.to_text() for entry in entries), f"{format_count(len(entries), 'run')} in the queue."])
    terminal.print_result(entries, text)
    return 0


def _add_priority_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="queued run")
    parser.add_argument("priority", choices=PRIORITIES, help="its new priority")
    arguments.add_account_option(parser)


def _set_priority(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    context = RunContext.open(data, options.run, identify_person(data, options))
    case = set_priority(context, options.priority)
    terminal.print_result(case, f"{context.run.title} has {case.priority} priority.")
    return 0


def _add_cancel_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", nargs="*", metavar="RUN", help="run that waits or is worked on")
    parser.add_argument("--waiting", action="store_true", help="all runs that wait")
    arguments.add_account_option(parser)


def _cancel(options: Namespace, terminal: Terminal) -> int:
    if bool(options.run) == options.waiting:
        raise InputError("Name the runs to cancel, or give --waiting for all that wait.")
    data = find_data_folder(options.data)
    person = identify_person(data, options)
    if options.waiting:
        cancelled = cancel_waiting_runs(data, person)
    else:
        contexts = [RunContext.open(data, name, person) for name in options.run]
        for context in contexts:
            cancel_run(context)
        cancelled = [context.run for context in contexts]
    ended = [_CancelledRun(run.id, run.title, run.status) for run in cancelled]
    terminal.print_result(ended, f"{format_count(len(ended), 'run')} cancelled.")
    return 0


def _add_limits_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--runs-per-machine",
        default=SUPPRESS,
        type=arguments.parse_positive,
        metavar="N",
        help="runs that each machine does at the same time (default: 1)",
    )
    parser.add_argument(
        "--runs-per-person",
        default=SUPPRESS,
        type=_parse_limit,
        metavar="N|none",
        help="runs of one person that all machines do at the same time (default: none, no limit)",
    )
    arguments.add_account_option(parser)


def _parse_limit(text: str) -> int | None:
    return None if text == "none" else arguments.parse_positive(text)


def _show_or_set_limits(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    settings = read_queue_settings(data)
    given = {name: getattr(options, name) for name in ("runs_per_machine", "runs_per_person") if name in options}
    if given:
        settings = build_settings(
            "the limits of the queue", QueueSettings, {**msgspec.structs.asdict(settings), **given}
        )
        set_queue_settings(data, identify_person(data, options), settings)
        # A higher limit may let a run begin that waits.
        start_worker(data)
    per_person = "unlimited" if settings.runs_per_person is None else f"{settings.runs_per_person:,}"
    text = f"Runs at the same time: {settings.runs_per_machine:,} on each machine, {per_person} of one person."
    terminal.print_result(settings, text)
    return 0


COMMANDS = {
    "queue show": Command(add_nothing, _show_queue),
    "queue priority": Command(_add_priority_arguments, _set_priority),
    "queue cancel": Command(_add_cancel_arguments, _cancel),
    "queue limits": Command(_add_limits_arguments, _show_or_set_limits),
}
