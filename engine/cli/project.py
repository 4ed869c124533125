"""Settings of a project: defaults for the options of a verb from `veil.toml` and from environment variables.

The most specific place counts: the row of a manifest, the command line, an environment variable, the chosen template,
the verb's table in the project file, the top of the project file, and then the default. Options that can be repeated
add up, in the order from the least to the most specific place, so that a later value of the same name counts.
"""

from __future__ import annotations

import importlib
import os
import tomllib
from argparse import Action, ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import InputError

if TYPE_CHECKING:
    from engine.cli.command import Command

PROJECT_FILE_NAME = "veil.toml"
VARIABLE_PREFIX = "VEIL_"

_TEMPLATE_TABLE = "template"
_OWN_OPTIONS = frozenset({"help", "project", "template"})
_CONFIGURABLE_VERBS = {"detect": "files", "render": "files", "anonymise": "files", "batch": "batch", "run": "run"}
"""The verbs whose commands are configurable, and their modules; a test compares them with the commands."""
_OTHER_VARIABLES = ("VEIL_DATA", "VEIL_MODELS", "VEIL_PROJECT", "VEIL_TEMPLATE")
"""Variables that set no option but are near to one that does."""
_SIMILARITY = 0.85
"""How alike an unknown variable has to be to a known one to be taken for a mistake."""
_TRUE_FALSE: Mapping[object, bool] = {
    True: True, False: False, "true": True, "false": False, "yes": True, "no": False,
}  # fmt: skip


class Project(NamedTuple):
    """A project file that was read.

    Attributes:
        path: path of the file; None if there is none.
        values: its settings for every verb, by name of the option.
        verbs: its settings for one verb, by name of the verb.
        templates: its templates by name.
    """

    path: Path | None
    values: Mapping[str, Any]
    verbs: Mapping[str, Mapping[str, Any]]
    templates: Mapping[str, Mapping[str, Any]]

    def find_template(self, name: str) -> Mapping[str, Any]:
        """Return the settings of a template.

        Raises:
            InputError: there is no template of this name.
        """
        if name not in self.templates:
            known = ", ".join(sorted(self.templates)) or "none"
            place = self.path or f"a project file ({PROJECT_FILE_NAME})"
            raise InputError(f"The template {name!r} is not in {place}; the templates there are {known}.")
        return self.templates[name]


class OptionTable:
    """The options of a verb by the name that a project file gives them: `on-damage` for `--on-damage`."""

    def __init__(self, parser: ArgumentParser) -> None:
        self._actions = {name: action for action in _list_options(parser) for name in _option_names(action)}

    @property
    def names(self) -> frozenset[str]:
        """The names of the options."""
        return frozenset(self._actions)

    def convert(self, name: str, value: object, origin: str) -> tuple[str, Any]:
        """Return the attribute of the parsed options that an option sets, and its value.

        Args:
            name: name of the option, without dashes before it.
            value: text, or a TOML or JSON value.
            origin: where it stands, for an error.

        Raises:
            InputError: the option does not exist or cannot have this value.
        """
        if name not in self._actions:
            raise InputError(f"{origin}: {describe_unknown_name(name, self.names)}.")
        action = self._actions[name]
        try:
            return action.dest, _convert_value(action, value)
        except (ArgumentTypeError, ValueError) as error:
            raise InputError(f"{origin}: {name} cannot be {value!r}: {error}.") from error

    def merge(self, defaults: dict[str, Any], values: Mapping[str, Any], origin: str) -> None:
        """Set values in `defaults`; what can be repeated is added to what is there."""
        for name, value in values.items():
            dest, converted = self.convert(name, value, origin)
            if isinstance(converted, list):
                converted = [*(defaults.get(dest) or ()), *converted]
            defaults[dest] = converted

    def make_optional(self, dests: Mapping[str, Any]) -> None:
        """Let the command line leave out what is set elsewhere."""
        for action in self._actions.values():
            action.required = action.required and action.dest not in dests


def add_project_options(parser: ArgumentParser) -> None:
    """Add `--project` and `--template`."""
    group = parser.add_argument_group("project")
    group.add_argument(
        "--project", type=Path, metavar="FILE",
        help=f"read defaults of the options from this file (default: {PROJECT_FILE_NAME} in the current folder)",
    )  # fmt: skip
    group.add_argument("--template", metavar="NAME", help="use the options of this template of the project file")


def read_project_defaults(parser: ArgumentParser, verb: str, words: Sequence[str]) -> dict[str, Any]:
    """Read the defaults of a verb's options from the project file and from environment variables.

    Args:
        parser: the parser of the verb, with its arguments; options that are set elsewhere are no longer required.
        verb: the verb.
        words: the command line, which may name a project file and a template.

    Raises:
        InputError: the file is unreadable, or it or a variable has an unknown key or a wrong value.
    """
    named = _read_own_options(words)
    project = load_project(named.get("project"))
    table = OptionTable(parser)
    defaults: dict[str, Any] = {}
    place = str(project.path)
    # The top of the file is for every verb, so a verb takes what it has of it.
    table.merge(defaults, {name: value for name, value in project.values.items() if name in table.names}, place)
    table.merge(defaults, project.verbs.get(verb, {}), f"{place}, [{verb}]")
    template = named.get("template")
    if template is not None:
        values = project.find_template(template)
        table.merge(defaults, {name: value for name, value in values.items() if name in table.names}, place)
    for name, (variable, text) in _read_variables(table.names).items():
        table.merge(defaults, {name: text}, f"The environment variable {variable}")
    table.make_optional(defaults)
    return defaults


def load_project(named: str | Path | None = None) -> Project:
    """Load the project file: the one that is named, else `$VEIL_PROJECT`, else `veil.toml` in the current folder.

    Raises:
        InputError: it is unreadable or has an unknown key.
    """
    chosen = named or os.environ.get("VEIL_PROJECT")
    path = Path(chosen or PROJECT_FILE_NAME)
    if not chosen and not path.exists():
        return Project(None, {}, {}, {})
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The project file {path} cannot be read ({error}): check the path.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The project file {path} is not valid TOML: {error}.") from error
    except RecursionError as error:
        # The parser calls itself for each array in an array.
        raise InputError(f"The project file {path} is nested too deeply: use plain values and lists.") from error
    return _check_project(path, document)


def describe_unknown_name(name: str, known: frozenset[str]) -> str:
    """Describe an option that does not exist, with the most similar one that does."""
    close = get_close_matches(name, sorted(known), n=1)
    return f"there is no option {name!r}" + (f" (did you mean {close[0]}?)" if close else "")


def _check_project(path: Path, document: Mapping[str, Any]) -> Project:
    names = {verb: OptionTable(_build_verb_parser(verb)).names for verb in _CONFIGURABLE_VERBS}
    every_name = frozenset().union(*names.values())
    values, verbs = {}, {}
    templates: Mapping[str, Mapping[str, Any]] = {}
    for key, value in document.items():
        if key == _TEMPLATE_TABLE:
            templates = _check_templates(path, value, every_name)
        elif key in names and isinstance(value, dict):
            _check_names(f"{path}, [{key}]", value, names[key])
            verbs[key] = value
        else:
            _check_names(str(path), {key: value}, every_name | names.keys() | {_TEMPLATE_TABLE})
            values[key] = value
    return Project(path, values, verbs, templates)


def _check_templates(path: Path, templates: object, known: frozenset[str]) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(templates, dict) or not all(isinstance(values, dict) for values in templates.values()):
        raise InputError(f"{path}: a template is a table of options: write [template.NAME] above them.")
    for name, values in templates.items():
        _check_names(f"{path}, [template.{name}]", values, known)
    return templates


def _check_names(place: str, values: Mapping[str, Any], known: frozenset[str]) -> None:
    for name in values:
        if name not in known:
            raise InputError(f"{place}: {describe_unknown_name(name, known)}.")


def _build_verb_parser(verb: str) -> ArgumentParser:
    commands: Mapping[str, Command] = importlib.import_module(f"engine.cli.{_CONFIGURABLE_VERBS[verb]}").COMMANDS
    parser = ArgumentParser(add_help=False)
    commands[verb].add_arguments(parser)
    return parser


def _read_own_options(words: Sequence[str]) -> dict[str, str]:
    # Before the other options, because these decide about their defaults.
    parser = ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    add_project_options(parser)
    own, _ = parser.parse_known_args(list(words))
    template = own.template or os.environ.get("VEIL_TEMPLATE")
    return {name: value for name, value in (("project", own.project), ("template", template)) if value}


def _read_variables(names: frozenset[str]) -> dict[str, tuple[str, str]]:
    variables = {VARIABLE_PREFIX + name.upper().replace("-", "_"): name for name in names}
    for variable in os.environ:
        if not variable.startswith(VARIABLE_PREFIX) or variable in {*variables, *_OTHER_VARIABLES}:
            continue
        # Other programs and container platforms set variables with this prefix, too: only a near miss is a mistake.
        if close := get_close_matches(variable, variables, n=1, cutoff=_SIMILARITY):
            raise InputError(
                f"The environment variable {variable} sets no option (did you mean {close[0]}?): rename or unset it."
            )
    return {name: (variable, os.environ[variable]) for variable, name in variables.items() if variable in os.environ}


def _list_options(parser: ArgumentParser) -> Iterator[Action]:
    # argparse has no public list of its arguments.
    return (action for action in parser._actions if action.option_strings)  # noqa: SLF001


def _option_names(action: Action) -> Iterator[str]:
    for option in action.option_strings:
        if option.startswith("--") and option[2:] not in _OWN_OPTIONS:
            yield option[2:]


def _convert_value(action: Action, value: object) -> Any:
    if action.nargs == 0:
        if not isinstance(value, bool | str) or value not in _TRUE_FALSE:
            raise ValueError("it is true or false")
        return _TRUE_FALSE[value]
    if isinstance(action.default, list):
        # Several values in one text are separated by spaces, as the values themselves contain commas.
        items = value if isinstance(value, list) else str(value).split()
        return [_convert_text(action, item) for item in items]
    if isinstance(value, list):
        value = ",".join(map(str, value))
    return _convert_text(action, value)


def _convert_text(action: Action, value: object) -> Any:
    if isinstance(value, dict | bool):
        raise ValueError("it is a text or a number")  # noqa: TRY004 - one error for every wrong value
    text = str(value)
    if action.choices is not None and text not in action.choices:
        raise ValueError(f"it is one of {', '.join(map(str, action.choices))}")
    return action.type(text) if callable(action.type) else text
