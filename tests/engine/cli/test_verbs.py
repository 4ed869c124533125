"""The table of verbs agrees with the parser, the README and the documentation."""

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import engine
from engine.cli import main
from engine.cli.parser import build_parser
from engine.cli.verbs import GROUPS, VERBS

ROOT = Path(engine.__file__).parents[1]
GUIDE = ROOT / "docs/guides/command-line.md"
COMMANDS = [command for verb in VERBS.values() for command in verb.list_commands()]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def read_help(capsys, *words):
    with pytest.raises(SystemExit) as stop:
        main([*words, "--help"])
    assert stop.value.code == 0
    return capsys.readouterr().out


def list_commands_in_code_blocks(path):
    """Commands of the shell blocks of a document, without comments and what follows the command."""
    for block in re.findall(r"^```sh\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("veil "):
                yield shlex.split(line, comments=True)


def format_guide_table(group):
    """The rows that the guide has for a group of verbs."""
    rows = [f"| `{command.name}` | {command.purpose} | `{command.example}` |" for verb in group
            for command in verb.list_commands()]  # fmt: skip
    return "\n".join(["| verb | what it does | example |", "|---|---|---|", *rows])


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_example_is_a_command_of_its_verb(command):
    words = shlex.split(command.example)
    assert words[0] == "veil"
    assert command.example.startswith(f"veil {command.name}")
    verb = VERBS[words[1]]
    options = build_parser(words[1:]).parse_args(words[1:])
    assert options.command is importlib.import_module(f"engine.cli.{verb.module}").COMMANDS[command.name]


@pytest.mark.parametrize("name", sorted({verb.module for verb in VERBS.values()}))
def test_a_module_has_code_for_the_verbs_of_its_rows_and_no_others(name):
    rows = {command.name for verb in VERBS.values() if verb.module == name for command in verb.list_commands()}
    assert set(importlib.import_module(f"engine.cli.{name}").COMMANDS) == rows


def test_help_lists_every_verb_in_its_group_within_80_columns(capsys):
    text = read_help(capsys)
    for title, group in GROUPS.items():
        block = text[text.index(f"\n{title}:\n") :]
        for line, verb in zip(block.splitlines()[2:], group, strict=False):
            assert line.split() == [verb.name, *verb.purpose.split()]
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_of_a_verb_describes_it_and_ends_with_its_example(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = read_help(capsys, *command.name.split())
    assert f"{command.purpose[0].upper()}{command.purpose[1:]}.\n" in text
    assert text.endswith(f"example:\n  {command.example}\n")
    assert max(map(len, text.removesuffix(f"{command.example}\n").splitlines())) <= 80


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_the_documentation_parse(path):
    for words in list_commands_in_code_blocks(path):
        build_parser(words[1:]).parse_args(words[1:])


def test_the_guide_lists_every_verb_of_the_table():
    text = GUIDE.read_text(encoding="utf-8")
    for title, group in GROUPS.items():
        assert f"## {title.capitalize()}\n\n{format_guide_table(group)}\n" in text
    assert text.count("\n| `") == len(COMMANDS)


def test_options_that_all_actions_have_stand_before_or_after_the_action(tmp_path):
    for words in (
        ["users", "--json", "--data", str(tmp_path), "list"],
        ["users", "list", "--json", "--data", str(tmp_path)],
    ):
        options = build_parser(words).parse_args(words)
        assert (options.json, options.data) == (True, tmp_path)


def test_an_unknown_verb_is_refused_with_a_suggestion(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["anonymize"])
    assert stop.value.code == 2
    assert capsys.readouterr().err == "veil: there is no verb 'anonymize' (did you mean anonymise?); see veil --help.\n"


def test_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "engine", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"veil {engine.__version__}\n"
