"""Settings from `veil.toml`, environment variables and the command line, and which of them counts."""

import importlib
import json

import pytest

from engine.cli import main
from engine.cli.parser import build_parser
from engine.cli.project import _CONFIGURABLE_VERBS
from engine.cli.verbs import VERBS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, empty, without variables that set an option."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parse(*words):
    return build_parser(words).parse_args(words)


def write_project(folder, text):
    (folder / "veil.toml").write_text(text)


def refuse(capsys, *words):
    """The error of a command that is refused."""
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("veil: ")
    assert error.count("\n") == 1
    return error


def test_the_most_specific_place_counts(folder, monkeypatch):
    words = ("anonymise", "a.mp4", "-o", "b.mp4")
    assert parse(*words).style == "strong"
    write_project(folder, 'style = "editorial"\n[template.news]\nstyle = "broadcast"\n')
    assert parse(*words).style == "editorial"
    write_project(
        folder, 'style = "editorial"\n[anonymise]\nstyle = "training-data"\n[template.news]\nstyle = "broadcast"\n'
    )
    assert parse(*words).style == "training-data"
    assert parse(*words, "--template", "news").style == "broadcast"
    monkeypatch.setenv("VEIL_STYLE", "strong,scale=2")
    assert parse(*words, "--template", "news").style == "strong,scale=2"
    assert parse(*words, "--template", "news", "--style", "editorial").style == "editorial"


def test_values_have_the_types_of_the_options(folder, monkeypatch):
    write_project(
        folder,
        'detectors = ["mtcnn", "mediapipe"]\nset = ["mtcnn.threshold=0.5"]\nforce = true\nworkers = 2\nmax-cost = 1\n',
    )
    monkeypatch.setenv("VEIL_SET", "fusion.overlap=0.4 smoothing.margin=0.2")
    options = parse("anonymise", "a.mp4", "-o", "b.mp4", "--set", "tracking.gap=2")
    assert options.detectors == "mtcnn,mediapipe"
    # What can be repeated adds up, the most specific last.
    assert options.settings == ["mtcnn.threshold=0.5", "fusion.overlap=0.4", "smoothing.margin=0.2", "tracking.gap=2"]
    assert (options.force, options.workers, options.max_cost) == (True, 2, 1.0)


def test_a_required_option_may_stand_in_the_project_file_or_a_variable(folder, monkeypatch):
    write_project(folder, '[batch]\noutput = "masked"\n')
    assert str(parse("batch", "a.mp4").output) == "masked"
    monkeypatch.setenv("VEIL_OUTPUT", "elsewhere")
    assert str(parse("batch", "a.mp4").output) == "elsewhere"


def test_a_verb_takes_what_it_has_of_the_top_of_the_file(folder):
    write_project(folder, 'style = "broadcast"\non-damage = "cover"\n')
    assert parse("detect", "a.mp4", "-o", "b.json").on_damage == "cover"
    assert parse("render", "a.mp4", "b.json", "-o", "b.mp4").style == "broadcast"
    assert parse("probe", "a.mp4").command


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('stlye = "strong"', "veil.toml: there is no option 'stlye' (did you mean style?)."),
        ('[detect]\nstyle = "strong"', "veil.toml, [detect]: there is no option 'style'"),
        ('[template.x]\nmod = "cloud"', "veil.toml, [template.x]: there is no option 'mod' (did you mean mode?)."),
        ('template = "x"', "a template is a table of options"),
        ('mode = "warp"', "mode cannot be 'warp': it is one of on-prem, "),
        ("workers = 0", "workers cannot be 0: must be a whole number of at least 1"),
        ("force = 3", "force cannot be 3: it is true or false."),
        ("mode = ", "veil.toml is not valid TOML"),
        ("mode = " + 3000 * "[" + 3000 * "]", "veil.toml is nested too deeply"),
        ("[deteckt]\n", "there is no option 'deteckt' (did you mean detect"),
    ],
)
def test_a_wrong_project_file_is_refused(folder, capsys, text, message):
    write_project(folder, text)
    assert message in refuse(capsys, "anonymise", "a.mp4", "-o", "b.mp4")


def test_a_mistyped_variable_is_refused_and_a_foreign_one_is_not(folder, monkeypatch, capsys):
    monkeypatch.setenv("VEIL_SERVICE_HOST", "10.0.0.1")
    assert parse("detect", "a.mp4", "-o", "b.json").mode == "on-prem"
    monkeypatch.setenv("VEIL_STLYE", "strong")
    error = refuse(capsys, "anonymise", "a.mp4", "-o", "b.mp4")
    assert "VEIL_STLYE sets no option (did you mean VEIL_STYLE?)" in error


def test_a_template_or_file_that_is_not_there_is_refused(folder, capsys):
    assert "The template 'x' is not in" in refuse(capsys, "anonymise", "a.mp4", "-o", "b.mp4", "--template", "x")
    assert "cannot be read" in refuse(capsys, "anonymise", "a.mp4", "-o", "b.mp4", "--project", "none.toml")


def test_another_project_file_can_be_named(folder, monkeypatch):
    (folder / "other.toml").write_text('style = "broadcast"')
    words = ("anonymise", "a.mp4", "-o", "b.mp4")
    assert parse(*words, "--project=other.toml").style == "broadcast"
    monkeypatch.setenv("VEIL_PROJECT", "other.toml")
    assert parse(*words).style == "broadcast"


def test_the_verbs_that_take_settings_are_those_of_the_table():
    configurable = {
        name: verb.module
        for name, verb in VERBS.items()
        if not verb.actions and importlib.import_module(f"engine.cli.{verb.module}").COMMANDS[name].is_configurable
    }
    assert configurable == _CONFIGURABLE_VERBS


def test_a_row_of_a_manifest_comes_before_everything_else(folder, monkeypatch, capsys):
    write_project(folder, '[template.news]\nstyle = "broadcast"\n')
    (folder / "list.csv").write_text("source,template,style,colour\na.mp4,news,,red\n")
    error_words = ["batch", "list.csv", "-o", "out", "--json"]
    assert main(error_words) == 2
    assert "list.csv, line 2: there is no option 'colour'" in json.loads(capsys.readouterr().out)["error"]
    (folder / "list.csv").write_text("source,max-cost\na.mp4,3\n")
    assert main(error_words) == 2
    assert "max-cost is an option of the whole batch" in json.loads(capsys.readouterr().out)["error"]
