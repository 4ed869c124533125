"""`veil review`, `veil amend` and `veil schema --of amendment`."""

import json

import pytest

from engine.cli import main
from engine.review import amendments
from tests.record_makers import make_record, written

FACE = (4, 4, 44, 44)


@pytest.fixture
def files(tmp_path):
    """A record with a hole in its track, and the place of its review."""
    record = make_record([[FACE]] * 5 + [[]] * 5 + [[FACE]] * 10)
    return str(written(record, tmp_path / "r.json")), str(tmp_path / "review.jsonl")


def amend(files, *words, by="Jane Doe"):
    return main(["amend", *files, *words, "--by", by, "--account", "jdoe", "--reason", "because"])


def test_items_are_listed_and_closed_by_amending(files, capsys):
    record, review = files
    assert main(["review", record]) == 0
    text = capsys.readouterr().out
    assert "hole:0:5-10" in text
    assert "track 0 has no mask in frames 5 to 9" in text
    assert amend(files, "extend", "0", "5-10") == 0
    assert "extend track 0 through frames 5 to 9 (because)" in capsys.readouterr().out
    assert main(["review", record, "--review", review]) == 0
    text = capsys.readouterr().out
    assert "1 amendment, 1 in effect" in text
    assert "amended   hole:0:5-10" in text
    assert main(["review", record, "--review", review, "--open", "--json"]) == 0
    assert "hole:0:5-10" not in {spot["key"] for spot in json.loads(capsys.readouterr().out)["spots"]}


def test_every_action_can_be_written(files, capsys):
    assert main(["review", files[0], "--json"]) == 0
    key = json.loads(capsys.readouterr().out)["spots"][-1]["key"]
    for words in (
        ["add", "0=100,100,140,140", "4=110.5,100,150,140"], ["resize", "0", "1=0,0,50,50"], ["delete", "0", "12-13"],
        ["keep-visible", "0", "14-15"], ["extend", "0", "5-10"], ["cover", "18-20"], ["accept", key], ["undo", "3"],
    ):  # fmt: skip
        assert amend(files, *words) == 0
    capsys.readouterr()
    assert main(["review", files[0], "--review", files[1], "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    kinds = [amendment["action"]["kind"] for amendment in summary["amendments"]]
    assert kinds == ["add", "resize", "delete", "keep_visible", "extend", "cover", "accept", "undo"]
    assert summary["amendments"][0]["by"] == {"account": "jdoe", "name": "Jane Doe"}
    assert summary["kept_visible"][0]["reason"] == "because"


def test_a_long_list_is_cut_with_a_notice(files, capsys):
    assert main(["review", files[0], "--limit", "0"]) == 0
    assert "with a lower risk" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["add"], "at least one box"),
        (["add", "0:1,2,3,4"], "FRAME=LEFT,TOP,RIGHT,BOTTOM"),
        (["add", "0=1,2,3"], "box in frame 0"),
        (["delete", "x", "1-2"], "the number of one track"),
        (["delete", "0"], "START-STOP"),
        (["cover", "1-2", "3-4"], "START-STOP"),
        (["cover", "1-99"], "the video has 20"),
        (["accept"], "the key of one item"),
        (["accept", "gap:0:1-2"], "no item to check with the key gap:0:1-2"),
        (["undo", "1", "2"], "the number of one amendment"),
        (["repair"], "nothing to repair"),
    ],
)
def test_a_wrong_amendment_is_refused_in_one_sentence(files, capsys, words, message):
    assert amend(files, *words) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_a_torn_review_is_reported_and_repaired(files, tmp_path, capsys):
    amend(files, "cover", "0-1")
    with (tmp_path / "review.jsonl").open("ab") as file:
        file.write(b'{"action":')
    assert main(["review", files[0], "--review", files[1]]) == 2
    assert "in the middle of line 2" in capsys.readouterr().err
    assert amend(files, "repair") == 0
    assert "1 complete amendment" in capsys.readouterr().out
    assert main(["review", files[0], "--review", files[1]]) == 0


def test_the_schema_of_an_amendment_is_printed(capsys):
    assert main(["schema", "--of", "amendment", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(amendments.build_schema()))


def test_a_face_is_followed_from_the_command_line(moving, amended, tmp_path, capsys):
    record, review = str(written(amended.record, tmp_path / "m.json")), str(tmp_path / "m.jsonl")
    box = "12=" + ",".join(str(edge) for edge in (44, 60, 84, 100))
    by = ["--by", "Jane Doe", "--account", "jdoe"]
    assert main(["amend", record, review, "follow", box, "5-20", "--source", str(moving), *by]) == 0
    captured = capsys.readouterr()
    assert "add a face in frames 5 to 19 (followed from frame 12)" in captured.out
    assert "Followed in frames 0 to 23" in captured.err
    assert "ends at frame 23 (scene cut)" in captured.err
    assert main(["amend", record, review, "follow", box, *by]) == 2
    assert "--source" in capsys.readouterr().err
    assert main(["amend", record, review, "follow", "12=1,2,3", "--source", str(moving), *by]) == 2
    assert "one box as FRAME=LEFT,TOP,RIGHT,BOTTOM" in capsys.readouterr().err


def test_similar_places_become_items_from_the_command_line(moving, amended, tmp_path, capsys):
    record, review = str(written(amended.record, tmp_path / "m.json")), str(tmp_path / "m.jsonl")
    common = ["--source", str(moving), "--by", "Jane Doe", "--account", "jdoe", "--data", str(tmp_path / "data")]
    assert main(["amend", record, review, "find", "10=40,60,80,100", *common]) == 0
    captured = capsys.readouterr()
    assert "ask to check 2 places similar to the one in frame 10" in captured.out
    assert "No detector looked" in captured.err
    assert main(["review", record, "--review", review, "--open"]) == 0
    assert "similar:0:" in capsys.readouterr().out
