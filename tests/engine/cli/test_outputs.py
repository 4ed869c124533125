"""No verb writes over what it reads, or over what exists unless it is told to."""

import json
import os
import socket
import threading

import pytest

from engine.cli import main
from engine.cli.parser import build_parser
from engine.cli.verbs import VERBS
from tests import clips
from tests.record_makers import record_of, written

FACE = (30, 20, 90, 80)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A source, its record and an output of it."""
    folder = tmp_path_factory.mktemp("made")
    source = clips.video(folder / "v.mp4", frames=5, audio=[clips.Audio()])
    record = written(record_of(source, lambda _: [FACE]), folder / "v.json")
    assert main(["render", str(source), str(record), "-o", str(folder / "out.mp4")]) == 0
    return folder


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    """A copy of it, as the current folder."""
    for file in made.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    os.link(tmp_path / "v.mp4", tmp_path / "hard.mp4")
    (tmp_path / "soft.mp4").symlink_to("v.mp4")
    (tmp_path / "log.jsonl").write_text("a log\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VEIL_DATA", str(tmp_path / "data"))
    return tmp_path


def read_all(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def complaint(capsys, command):
    capsys.readouterr()
    assert main(command.split() if isinstance(command, str) else command) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("veil: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    "command",
    [
        *(f"detect v.mp4 -o {name}" for name in ("v.mp4", "./v.mp4", "hard.mp4", "soft.mp4")),
        *(f"anonymise v.mp4 -o {name}" for name in ("v.mp4", "hard.mp4", "soft.mp4")),
        "anonymise v.mp4 -o new.mp4 --record v.mp4",
        "anonymise v.mp4 -o new.mp4 --review v.json --record v.json",
        "render v.mp4 v.json -o v.mp4",
        "render v.mp4 v.json -o hard.mp4",
        "render v.mp4 v.json -o v.json",
        "render v.mp4 v.json -o new.mp4 --y4m v.mp4",
        "render v.mp4 v.json -o new.mp4 --y4m new.mp4",
        "render v.mp4 out.mp4.render.json -o out.mp4",
        *(f"verify v.mp4 v.json out.mp4 --report {name}" for name in ("v.mp4", "v.json", "out.mp4", "soft.mp4")),
        "verify v.mp4 v.json out.mp4 --report out.mp4.render.json",
        *(f"leaks v.mp4 v.json out.mp4 -o {name}" for name in ("v.mp4", "v.json", "out.mp4")),
        "leaks v.mp4 v.json out.mp4 --judgements log.jsonl -o log.jsonl",
        "plant v.mp4 v.json -o hard.mp4",
        "risk v.mp4 v.json -o v.json",
        "compare v.mp4 out.mp4 -o v.mp4",
        "compare v.mp4 out.mp4 -o out.mp4",
        "live v.mp4 v.mp4",
        "live v.mp4 hard.mp4",
        "live v.mp4 new.mkv --record v.mp4",
        "live log.jsonl log.jsonl --recover",
    ],
)
def test_an_input_is_refused_as_an_output(place, capsys, command):
    before = read_all(place)
    assert "written" in complaint(capsys, f"{command} --overwrite")
    assert read_all(place) == before


@pytest.mark.parametrize(
    "command",
    [
        "detect v.mp4 -o v.json",
        "render v.mp4 v.json -o hard.mp4",
        "render v.mp4 v.json -o new.mp4 --y4m log.jsonl",
        "anonymise v.mp4 -o out.mp4",
        "verify v.mp4 v.json out.mp4 --report log.jsonl",
        "leaks v.mp4 v.json out.mp4 -o log.jsonl",
        "plant v.mp4 v.json -o log.jsonl",
        "risk v.mp4 v.json -o log.jsonl",
        "audit export -o log.jsonl",
        "certificate key -o log.jsonl",
        "live v.mp4 out.mp4",
        "live v.mp4 new.mkv --record v.json",
        "live log.jsonl v.json --recover",
    ],
)
def test_what_exists_is_kept(place, capsys, command):
    if "hard.mp4" in command:
        (place / "hard.mp4").unlink()
        (place / "hard.mp4").write_bytes(b"another video")
    before = read_all(place)
    assert "exists already" in complaint(capsys, command)
    assert read_all(place) == before
    assert "--overwrite" in complaint(capsys, command)


def test_every_verb_that_writes_a_named_file_can_be_told_to_overwrite():
    writes = {
        command.name: build_parser(command.name.split()).parse_args(
            [word for word in command.example.split()[1:] if word]
        )
        for verb in VERBS.values()
        for command in verb.list_commands()
        if {"-o", "--report"} & set(command.example.split())
    }
    assert writes
    assert all(hasattr(options, "overwrite") for options in writes.values())


def test_a_finished_render_is_reported_and_not_made_again(place, capsys):
    before = (place / "out.mp4").stat().st_ino
    capsys.readouterr()
    assert main(["render", "v.mp4", "v.json", "-o", "out.mp4"]) == 0
    assert "is the finished output of this render already" in capsys.readouterr().err
    assert (place / "out.mp4").stat().st_ino == before
    assert "exists already" in complaint(capsys, "render v.mp4 v.json -o out.mp4 --style broadcast")
    assert main(["render", "v.mp4", "v.json", "-o", "out.mp4", "--overwrite"]) == 0
    assert (place / "out.mp4").stat().st_ino != before
    (place / "out.mp4").write_bytes(b"edited")
    assert "exists already" in complaint(capsys, "render v.mp4 v.json -o out.mp4")


@pytest.mark.parametrize("verb", ["detect v.mp4", "render v.mp4 v.json", "anonymise v.mp4", "live v.mp4"])
@pytest.mark.parametrize("name", [".", "..", "data/..", "録" * 80 + ".mp4"])
def test_a_name_that_cannot_be_written_is_refused_first(place, capsys, verb, name):
    (place / "data").mkdir()
    option = [] if verb.startswith("live") else ["-o"]
    message = complaint(capsys, [*verb.split(), *option, name])
    assert "is a folder" in message or "bytes shorter" in message or "bytes and may have" in message


@pytest.mark.parametrize("command", ["probe pipe", "detect pipe -o a.json", "anonymise pipe -o a.mp4",
                                     "render pipe v.json -o a.mp4", "verify v.mp4 v.json pipe"])  # fmt: skip
def test_a_pipe_is_refused_at_once(place, capsys, command):
    os.mkfifo(place / "pipe")
    assert "is a pipe and not a file" in complaint(capsys, command)


@pytest.mark.parametrize("name", ["12:30 interview.mp4", "http:127.0.0.1:{port}.mp4", "-x.mp4", "concat:v.mp4|v.mp4"])
def test_a_name_is_never_an_address(place, capsys, name):
    accepted = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: accepted.append(server.accept()), daemon=True)
        thread.start()
        name = name.format(port=server.getsockname()[1])
        (place / "v.mp4").rename(place / name)
        separator = ["--"] if name.startswith("-") else []
        out = f"out {name}"
        assert main(["render", "-o", out, *separator, name, "v.json"]) == 0
        assert main(["verify", *separator, name, "v.json", out]) == 0
    assert accepted == []
    assert json.loads((place / f"{out}.render.json").read_bytes())["frames"] == 5
