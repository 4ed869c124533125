"""`veil completion`: completion of verbs, options and files in a shell."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

import shtab

from engine.cli import parser as veil_parser
from engine.cli.command import Command
from engine.cli.terminal import Terminal


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS, help="shell to complete in")


def _print_completion(options: Namespace, terminal: Terminal) -> int:
    # All verbs are built, which imports the code of each. That takes a second, once, and not at each completion.
    parser = veil_parser.build_parser()
    _complete_paths(parser)
    script = shtab.complete(parser, options.shell)
    terminal.print_result({"shell": options.shell, "script": script}, script)
    return 0


def _complete_paths(parser: ArgumentParser) -> None:
    """Mark the arguments that take a path, in the parser and in those of its verbs and actions."""
    # argparse has no public list of its arguments; shtab reads the same one.
    for action in parser._actions:  # noqa: SLF001
        if action.type is Path or action.dest == "sources":
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        if isinstance(action.choices, dict):
            # The list of verbs is left out of the help, which has one in groups; shtab would leave it out, too.
            action.help = None
            for subparser in action.choices.values():
                _complete_paths(subparser)


COMMANDS = {"completion": Command(_add_arguments, _print_completion, uses_data=False)}
