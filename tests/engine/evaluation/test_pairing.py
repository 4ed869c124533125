from pathlib import Path

import pytest

from engine.errors import InputError
from engine.evaluation.pairing import locate_file, pair_records
from engine.record import sha256_hex
from tests.engine.evaluation.truth_makers import make_truth, record_of, truth_row

BOX = (10, 10, 60, 60)


def truth_of(*files):
    return make_truth(*(truth_row(file, 0, BOX) for file in files))


def records(*names):
    return {Path(name): record_of([[BOX]], sha256=f"{number:064x}") for number, name in enumerate(names)}


def test_a_lone_record_belongs_to_a_lone_clip():
    given = records("anything.json")
    assert pair_records(truth_of("a.mp4"), given, Path("truth.csv")) == {"a.mp4": given[Path("anything.json")]}


@pytest.mark.parametrize("name", ["a.json", "a.mp4.json", "a.veil.json", "a"])
def test_a_record_is_called_like_its_file(name, tmp_path):
    given = records(f"out/{name}", "out/ab.json")
    paired = pair_records(truth_of("clips/a.mp4", "clips/ab.mp4"), given, tmp_path / "truth.csv")
    assert paired == {"clips/a.mp4": given[Path(f"out/{name}")], "clips/ab.mp4": given[Path("out/ab.json")]}


def test_a_folder_of_stills_is_a_file_too(tmp_path):
    truth = make_truth(truth_row("girl/1.png", 0, BOX), truth_row("girl/2.png", 1, BOX), truth_row("b.jpg", 0, BOX))
    assert set(pair_records(truth, records("girl.json", "b.json"), tmp_path / "t.csv")) == {"girl", "b.jpg"}
    assert set(pair_records(truth, records("1.json", "2.json", "b.json"), tmp_path / "t.csv")) == {
        "girl/1.png",
        "girl/2.png",
        "b.jpg",
    }


def test_content_tells_more_than_a_name(tmp_path):
    (tmp_path / "clips").mkdir()
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / "clips" / name).write_text(name)
    of_b, of_a = (record_of([[BOX]], sha256=sha256_hex(name.encode())) for name in ("b.mp4", "a.mp4"))
    paired = pair_records(
        truth_of("clips/a.mp4", "clips/b.mp4"), {Path("a.json"): of_b, Path("2.json"): of_a}, tmp_path / "gt" / "t.csv"
    )
    assert paired == {"clips/a.mp4": of_a, "clips/b.mp4": of_b}


@pytest.mark.parametrize(
    ("files", "names", "complaint"),
    [
        (("a.mp4", "b.mp4"), ("c.json",), "c.json belongs to no file that truth.csv names; name it like its file"),
        (("a.mp4", "a.mov"), ("a.json",), "a.json may belong to a.mp4 or to a.mov in truth.csv"),
        (("a.mp4", "b.mp4"), ("a.json", "a.mp4.json"), "a.mp4.json is a second record of a.mp4"),
    ],
)
def test_doubt_is_an_error(files, names, complaint, tmp_path):
    with pytest.raises(InputError, match=complaint):
        pair_records(truth_of(*files), records(*names), tmp_path / "truth.csv")


def test_files_are_looked_for_beside_the_table_and_above(tmp_path, monkeypatch):
    (tmp_path / "gt").mkdir()
    (tmp_path / "above.mp4").touch()
    (tmp_path / "gt" / "beside.mp4").touch()
    table = tmp_path / "gt" / "truth.csv"
    assert locate_file("beside.mp4", table) == tmp_path / "gt" / "beside.mp4"
    assert locate_file("above.mp4", table) == tmp_path / "above.mp4"
    assert locate_file("gone.mp4", table) is None
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    (tmp_path / "work" / "here.mp4").touch()
    assert locate_file("here.mp4", table) == tmp_path / "work" / "here.mp4"
