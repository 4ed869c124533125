import json
from pathlib import Path, PurePosixPath

import pytest

from engine.batch.sources import list_sources
from engine.errors import InputError


@pytest.fixture
def footage(tmp_path):
    """A folder with two videos, one of them in a subfolder, and files that are none of a batch's business."""
    for name in ("a.mp4", "sub/b.MOV", "notes.txt", ".hidden/c.mp4", "sub/.d.mp4", "out/a.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def names(listed):
    return [str(entry.name) for entry in listed]


def test_a_folder_stands_for_its_videos_without_hidden_ones_and_the_outputs(footage):
    assert names(list_sources([str(footage)], footage / "out")) == ["a.mp4", "sub/b.MOV"]


def test_a_pattern_keeps_the_folders_after_the_first_wildcard(footage):
    listed = list_sources([f"{footage}/**/*.MOV", f"{footage}/sub/*.MOV"], footage / "out")
    assert names(listed) == ["sub/b.MOV", "b.MOV"]


def test_a_file_with_brackets_in_its_name_is_no_pattern(footage):
    path = footage / "take [1].mp4"
    path.touch()
    assert [entry.source for entry in list_sources([str(path)], footage / "out")] == [path]


def test_a_file_that_is_listed_twice_appears_once(footage):
    assert len(list_sources([str(footage), str(footage / "a.mp4")], footage / "out")) == 2


def test_a_pattern_without_a_file_is_refused(footage):
    with pytest.raises(InputError, match=r"No file fits the pattern .*\*\.mkv"):
        list_sources([f"{footage}/*.mkv"], footage / "out")


def test_both_kinds_of_manifest_mean_the_same(footage):
    table, lines = footage / "list.csv", footage / "list.jsonl"
    table.write_text("\N{ZERO WIDTH NO-BREAK SPACE}source,output,style\na.mp4,x/one.mkv,broadcast\nsub/b.MOV,,\n")
    rows = [{"source": "a.mp4", "output": "x/one.mkv", "style": "broadcast"}, {"source": "sub/b.MOV"}]
    lines.write_text("\n\n".join(map(json.dumps, rows)))
    found = [list_sources([str(path)], footage / "out") for path in (table, lines)]
    for first, second in found:
        assert (first.source, first.name, first.is_name_chosen) == (
            footage / "a.mp4", PurePosixPath("x/one.mkv"), True,
        )  # fmt: skip
        assert (first.options, second.options) == ({"style": "broadcast"}, {})
        assert (second.name, second.is_name_chosen) == (PurePosixPath("sub/b.MOV"), False)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.csv", "output\nx.mp4\n", "line 2: the row names no file"),
        ("m.csv", "source,output\na.mp4\n", "line 2: the row has another number of cells"),
        ("m.csv", "source,output\na.mp4,../x.mp4\n", "has to be a file name with a suffix in the output folder"),
        ("m.csv", "source,output\na.mp4,/x.mp4\n", "has to be a file name with a suffix in the output folder"),
        ("m.jsonl", '{"source": "a.mp4"}\n[1]\n', "line 2: the line is not a JSON object"),
        ("m.jsonl", '{"source": 7}\n', "line 1: the row names no file"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_line(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        list_sources([str(path)], tmp_path / "out")


def test_a_source_outside_the_folder_of_the_manifest_stays_inside_the_output_folder(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("source\n../away/a.mp4\n/elsewhere/b.mp4\n")
    first, second = list_sources([str(path)], tmp_path / "out")
    assert names([first, second]) == ["away/a.mp4", "b.mp4"]
    assert second.source == Path("/elsewhere/b.mp4")
