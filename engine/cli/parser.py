"""The argument parser, built from the table of verbs. It imports the code of the verb that is named, and no other."""

from __future__ import annotations

import importlib
from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import engine
from engine.cli.project import add_project_options, read_project_defaults
from engine.cli.verbs import GROUPS, VERBS, Verb
from engine.core.wording import to_sentence
from engine.errors import InputError

if TYPE_CHECKING:
    from argparse import _SubParsersAction  # argparse has no public name for it

    from engine.cli.command import Command

_NAME_WIDTH = max(map(len, VERBS)) + 2
_EXIT_USAGE = 2


class VerbParser(ArgumentParser):
    """An argument parser whose errors are one sentence.

    argparse prints the usage before an error. That is up to 20 lines for a verb with many options, above which the
    error itself is easily missed.
    """

    def error(self, message: str) -> NoReturn:
        """Print the error and end the process."""
        self.exit(_EXIT_USAGE, f"veil: {message}; see {self.prog} --help.\n")


def build_parser(words: Sequence[str] | None = None) -> VerbParser:
    """Build the parser of `veil`; the namespace that it returns has the `Command` to run as `command`.

    Args:
        words: the words to parse. Only the verb they name gets its arguments, so that no other module is imported.
            None: every verb gets its arguments.
    """
    parser = VerbParser(
        prog="veil",
        usage="veil [-h] [--version] VERB ...",
        description="Face anonymisation for regulated video.",
        epilog=_format_groups(),
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"veil {engine.__version__}")
    # argparse cannot list subparsers in groups: its own list is suppressed, and the epilog has one in groups.
    subparsers = parser.add_subparsers(required=True, metavar="VERB", help=SUPPRESS, prog="veil")
    # No option of `veil` itself takes a value, so the first word that is not an option is the verb.
    named = None if words is None else next((word for word in words if not word.startswith("-")), "")
    if named and named not in VERBS:
        parser.error(_describe_unknown_verb(named))
    # Verbs that are not named get an empty parser: argparse needs their names, and building them costs no import.
    for verb in VERBS.values():
        verb_parser = subparsers.add_parser(verb.name, help=verb.purpose, formatter_class=RawDescriptionHelpFormatter)
        if named is None or named == verb.name:
            _define_verb(verb_parser, verb, words)
    return parser


def _define_verb(parser: ArgumentParser, verb: Verb, words: Sequence[str] | None) -> None:
    parser.description = to_sentence(f"{verb.purpose}.")
    commands: Mapping[str, Command] = importlib.import_module(f"engine.cli.{verb.module}").COMMANDS
    if not verb.actions:
        command = commands[verb.name]
        _define_command(parser, command, verb.example)
        if command.is_configurable:
            _configure(parser, verb.name, words)
        return
    chosen = [commands[f"{verb.name} {action.name}"] for action in verb.actions]
    _add_common_options(parser, uses_data=any(command.uses_data for command in chosen))
    actions: _SubParsersAction[ArgumentParser] = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    for action, command in zip(verb.actions, chosen, strict=True):
        action_parser = actions.add_parser(
            action.name,
            help=action.purpose,
            description=to_sentence(f"{action.purpose}."),
            formatter_class=RawDescriptionHelpFormatter,
        )
        _define_command(action_parser, command, action.example, is_action=True)
    _append_example(parser, verb.actions[0].example)


def _configure(parser: ArgumentParser, verb: str, words: Sequence[str] | None) -> None:
    """Add the options that name a project file, and make its settings the defaults of the others.

    Without words, as for completion and documentation, the parser is the same on every machine.
    """
    add_project_options(parser)
    if words is not None:
        try:
            parser.set_defaults(**read_project_defaults(parser, verb, words))
        except InputError as error:
            parser.exit(InputError.exit_code, f"veil: {error}\n")


def _define_command(parser: ArgumentParser, command: Command, example: str, *, is_action: bool = False) -> None:
    command.add_arguments(parser)
    _add_common_options(parser, uses_data=command.uses_data, is_action=is_action)
    parser.set_defaults(command=command)
    _append_example(parser, example)


def _add_common_options(parser: ArgumentParser, *, uses_data: bool, is_action: bool = False) -> None:
    # These options may stand before or after an action. Both parsers know them, and the default of the inner one is
    # suppressed, as it would otherwise overwrite the value that the outer one has read.
    parser.add_argument(
        "--json", action="store_true", default=SUPPRESS if is_action else False, help="print the result as JSON"
    )
    if uses_data:
        parser.add_argument(
            "--data",
            type=Path,
            metavar="FOLDER",
            default=SUPPRESS if is_action else None,
            help="data folder (default: $VEIL_DATA, else data)",
        )


def _append_example(parser: ArgumentParser, example: str) -> None:
    parts = [parser.epilog] if parser.epilog else []
    parser.epilog = "\n\n".join([*parts, f"example:\n  {example}"])


def _format_groups() -> str:
    blocks = [
        "\n".join([f"{title}:", *(f"  {verb.name:<{_NAME_WIDTH}}{verb.purpose}" for verb in group)])
        for title, group in GROUPS.items()
    ]
    return "\n\n".join([*blocks, "veil VERB --help describes the options of a verb."])


def _describe_unknown_verb(word: str) -> str:
    close = get_close_matches(word, VERBS, n=1)
    return f"there is no verb {word!r}" + (f" (did you mean {close[0]}?)" if close else "")
