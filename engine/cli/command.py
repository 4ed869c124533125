"""The code of one verb, as each module of verbs exports it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from engine.cli.terminal import Terminal  # imports rich, which `veil --help` does without

INTERRUPTED_MESSAGE = "Interrupted; no unfinished file was kept under the output's name."
RESUMABLE_MESSAGE = "Interrupted; run the same command again to resume."


class Command(NamedTuple):
    """The arguments of a verb and the function that runs it.

    Attributes:
        add_arguments: adds the arguments; `--json` and `--data` are added by the parser.
        run: calls the engine, prints the result, and returns the exit code.
        uses_data: whether the verb takes `--data`.
        is_configurable: whether `veil.toml` and `VEIL_` variables set defaults of its options.
        interrupted: the message after Ctrl-C or SIGTERM.
        reads_media: whether the verb decodes footage; it then runs in a process of its own, which a file may crash.
    """

    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace, Terminal], int]
    uses_data: bool = True
    is_configurable: bool = False
    interrupted: str = INTERRUPTED_MESSAGE
    reads_media: bool = False


def add_nothing(_parser: ArgumentParser) -> None:
    """Add no arguments, for a verb that has none of its own."""
