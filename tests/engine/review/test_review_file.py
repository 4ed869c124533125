import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from engine.errors import RecordError, TargetError
from engine.record import encode_document, sha256_hex
from engine.review import amendments
from engine.review.amendments import (
    Accept,
    Add,
    Author,
    Cover,
    Delete,
    Extend,
    KeepVisible,
    Resize,
    Undo,
    find_effective_amendments,
)
from engine.review.review_file import (
    append_amendment,
    append_amendments,
    decode_review,
    make_empty_review,
    read_review,
    repair_review,
)
from tests.engine.review.amendment_makers import JANE, NOON, keyframes, review_of, sha256_of
from tests.record_makers import make_record
from tests.repository import SCHEMAS

FACE = (4, 4, 44.5, 44)
RECORD = make_record([[FACE]] * 10)
SHA256 = sha256_of(RECORD)


def add_to(path, action, reason="", **values):
    return append_amendment(path, RECORD, SHA256, action, JANE, reason, **values)


@pytest.fixture
def path(tmp_path):
    """A review with three amendments."""
    path = tmp_path / "review.jsonl"
    add_to(path, Cover(0, 2))
    add_to(path, Delete(0, 3, 4), "a poster")
    add_to(path, Add(keyframes({2: FACE, 5: FACE})), at=NOON)
    return path


def test_what_was_appended_is_read_again(path):
    review = read_review(path, SHA256)
    assert [amendment.number for amendment in review.amendments] == [1, 2, 3]
    assert review.amendments[1].action == Delete(0, 3, 4)
    assert (review.amendments[1].by, review.amendments[1].reason) == (JANE, "a poster")
    assert review.amendments[2].at == NOON
    assert review.sha256 == sha256_hex(path.read_bytes())


def test_lines_are_bound_to_the_record_and_to_each_other(path):
    lines = path.read_bytes().splitlines()
    amended = [json.loads(line) for line in lines]
    assert [line["previous"] for line in amended] == [SHA256, sha256_hex(lines[0]), sha256_hex(lines[1])]
    for line, document in zip(lines, amended, strict=True):
        assert line == json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def test_every_action_survives_its_bytes(tmp_path):
    actions = [
        Add(keyframes({0: FACE, 9: (1, 2, 3, 4)})), Resize(0, keyframes({1: FACE})), Delete(0, 0, 1),
        KeepVisible(0, 2, 4), Extend(0, 0, 1), Cover(0, 10), Accept("gap:-:0-3"), Undo(2),
    ]  # fmt: skip
    made = [add_to(tmp_path / "r.jsonl", action, "why") for action in actions]
    assert read_review(tmp_path / "r.jsonl", SHA256).amendments == tuple(made)
    assert [amendment.action for amendment in made] == actions


def test_a_moment_keeps_its_zone(tmp_path):
    zone = timezone(timedelta(hours=2))
    made = add_to(tmp_path / "r.jsonl", Cover(0, 1), at=datetime(2026, 5, 6, 7, 8, 9, tzinfo=zone))
    assert made.at.utcoffset() == timedelta(hours=2)
    assert b'"at":"2026-05-06T07:08:09+02:00"' in (tmp_path / "r.jsonl").read_bytes()
    with pytest.raises(RecordError, match="timezone"):
        add_to(tmp_path / "r.jsonl", Cover(0, 1), at=datetime(2026, 5, 6, 7, 8, 9))  # noqa: DTZ001


def test_no_file_is_no_review_only_where_that_is_said(tmp_path):
    assert read_review(tmp_path / "r.jsonl", SHA256, missing_ok=True) == make_empty_review(SHA256)
    assert make_empty_review(SHA256).sha256 == sha256_hex(b"")
    with pytest.raises(RecordError, match="does not exist"):
        read_review(tmp_path / "r.jsonl", SHA256)
    with pytest.raises(RecordError, match="cannot be read"):
        read_review(tmp_path, SHA256)


def changed(path, number, old, new):
    lines = path.read_bytes().splitlines(keepends=True)
    assert old in lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new)
    path.write_bytes(b"".join(lines))


def test_an_edited_line_is_found_by_the_one_after_it(path):
    changed(path, 2, b"a poster", b"a statue")
    with pytest.raises(RecordError, match=r"review\.jsonl, line 3, \$\.previous.*line 2 was changed"):
        read_review(path, SHA256)


@pytest.mark.parametrize("order", [[1, 0, 2], [0, 2], [0, 0, 1, 2], [1, 2]])
def test_lines_that_were_moved_removed_or_added_are_found(path, order):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[place] for place in order))
    with pytest.raises(RecordError, match=r"line \d, \$\.number"):
        read_review(path, SHA256)


def test_the_review_of_another_record_is_refused(path):
    with pytest.raises(RecordError, match=r"line 1, \$\.previous.*another"):
        read_review(path, "00" * 32)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"start":3', b'"start":3,"start":3', "it has the key 'start' twice"),
        (b'"start":3', b'"start": 3', "not in the form that Veil writes"),
        (b'"start":3', b'"start":4', r"start < stop.*\$\.action"),
        (b'"start":3', b'"start":-3', r"\$\.action\.start"),
        (b'"kind":"delete"', b'"kind":"remove"', r"Invalid value 'remove' - at `\$\.action\.kind`"),
        (b'"number":2', b'"number":2,"note":1', "unknown field `note`"),
        (b'"track":0', b'"track":"0"', r"\$\.action\.track"),
        (b"veil/amendment/1", b"veil/amendment/2", r"\$\.schema"),
        (b'"account":"jdoe"', b'"account":" "', r"\$\.by\.account"),
        (b"{", b"[{", "is not a valid amendment"),
    ],
)
def test_reading_is_strict_and_names_line_and_place(path, old, new, words):
    changed(path, 2, old, new)
    with pytest.raises(RecordError, match=f"(?i)line 2.*{words}"):
        read_review(path, SHA256)


@pytest.mark.parametrize("kept", [1, 40, -2])
def test_a_torn_last_line_is_said_and_repaired_without_losing_a_whole_one(path, kept):
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second + third[:kept])
    with pytest.raises(RecordError, match=r"review\.jsonl ends in the middle of line 3"):
        read_review(path, SHA256)
    amendment = add_to(path, Cover(5, 6))
    assert amendment.number == 3
    assert path.read_bytes() == first + second + encode_document(amendment)
    read_review(path, SHA256)


def test_a_line_that_lacks_only_its_newline_is_kept(path):
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert add_to(path, Cover(5, 6)).number == 4
    assert path.read_bytes().startswith(whole)
    assert len(read_review(path, SHA256).amendments) == 4


def test_a_review_can_be_repaired_without_an_amendment(path):
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"act')
    assert len(repair_review(path, SHA256).amendments) == 3
    assert path.read_bytes() == whole
    assert repair_review(path, SHA256) == read_review(path, SHA256)


def test_a_torn_first_line_leaves_an_empty_review(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"action"')
    assert add_to(path, Cover(0, 1)).number == 1


def test_repairing_never_hides_a_broken_chain(path):
    changed(path, 1, b'"stop":2', b'"stop":3')
    data = path.read_bytes() + b'{"act'
    path.write_bytes(data)
    with pytest.raises(RecordError, match="line 2"):
        add_to(path, Cover(5, 6))
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("action", "reason", "words"),
    [
        (Delete(9, 0, 1), "a poster", "track 9 has no face in frame 0"),
        (Cover(0, 11), "", "the video has 10"),
        (Add(keyframes({0: (300, 200, 321, 220)})), "", "crosses the border"),
        (KeepVisible(0, 0, 1), "  ", "needs a reason"),
        (Undo(4), "", "can undo an earlier one only"),
        (Cover(0, 1), "x" * 2001, "reason"),
    ],
)
def test_what_does_not_fit_is_not_written(path, action, reason, words):
    before = path.read_bytes()
    with pytest.raises(RecordError, match=words):
        add_to(path, action, reason)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Cover(3, 3), "start < stop"),
        (lambda: Add(keyframes({3: FACE, 2: FACE})), "must rise"),
        (lambda: Add(keyframes({3: (1, 1, 2.5, 9)})), "at least 2 pixels"),
    ],
)
def test_an_illegal_action_cannot_be_built(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_what_something_builds_on_is_not_undone_before_it(path):
    add_to(path, Resize(1, keyframes({2: (0, 0, 9, 9)})))
    with pytest.raises(RecordError, match=r"amendment 4 would not fit any more \(track 1 has no face in frame 2\)"):
        add_to(path, Undo(3))
    add_to(path, Undo(4))
    add_to(path, Undo(3))
    with pytest.raises(RecordError, match="Amendment 3 is already undone"):
        add_to(path, Undo(3))
    with pytest.raises(RecordError, match="amendment 4 would not fit any more"):
        add_to(path, Undo(5))


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(TargetError, match="nowhere"):
        add_to(tmp_path / "nowhere" / "r.jsonl", Cover(0, 1))


WRITER = """
import sys
from pathlib import Path
from engine.record import decode_record, sha256_hex
from engine.review.amendments import Author, Cover
from engine.review.review_file import append_amendment
data = Path(sys.argv[2]).read_bytes()
for index in range(int(sys.argv[3])):
    record = decode_record(data)
    sha256 = sha256_hex(data)
    append_amendment(Path(sys.argv[1]), record, sha256, Cover(index, index + 1), Author("a", "A"))
"""


@pytest.mark.slow
def test_several_processes_add_to_one_review(tmp_path):
    record, path = tmp_path / "r.json", tmp_path / "r.jsonl"
    record.write_bytes(encode_document(RECORD))
    command = [sys.executable, "-c", WRITER, path, record, "8"]
    writers = [subprocess.Popen(command) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(read_review(path, SHA256).amendments) == 24


def test_the_schema_in_the_documentation_is_the_one_of_the_code():
    published = SCHEMAS / "amendment-1.json"
    assert json.loads(published.read_bytes()) == json.loads(json.dumps(amendments.build_schema()))


def test_the_published_schema_accepts_what_is_written_and_refuses_what_is_not_known(path):
    schema = json.loads(json.dumps(amendments.build_schema()))
    import jsonschema  # takes a second, in each process that collects tests

    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for line in path.read_bytes().splitlines():
        document = json.loads(line)
        validator.validate(document)
        for place in (document, document["action"], document["by"]):
            place["extra"] = 1
            assert not validator.is_valid(document)
            del place["extra"]


def test_reviews_made_in_memory_are_those_of_a_file(tmp_path):
    review = review_of(RECORD, Cover(0, 1), Undo(1))
    data = b"".join(map(encode_document, review.amendments))
    assert decode_review(data, SHA256) == msgspec.structs.replace(review, sha256=sha256_hex(data))


def test_an_author_has_an_account_and_a_name(path):
    with pytest.raises(RecordError, match="name"):
        append_amendment(path, RECORD, SHA256, Cover(0, 1), Author("jdoe", ""))


def test_several_amendments_are_written_together_or_not_at_all(tmp_path):
    record, path = make_record([[(10, 10, 40, 40)]] * 8), tmp_path / "review.jsonl"
    sha256 = sha256_of(record)
    added = append_amendments(path, record, sha256, [Delete(0, 0, 2), Cover(6, 8)], JANE, " both ")
    assert [(one.number, one.reason) for one in added] == [(1, "both"), (2, "both")]
    before = path.read_bytes()
    with pytest.raises(RecordError, match="has no face in"):
        append_amendments(path, record, sha256, [Cover(0, 1), Delete(0, 0, 2)], JANE, "both")
    assert path.read_bytes() == before
    append_amendments(path, record, sha256, [Undo(2), Undo(1)], JANE)
    assert [one.number for one in find_effective_amendments(read_review(path, sha256).amendments)] == [3, 4]
    with pytest.raises(RecordError, match="already undone"):
        append_amendments(path, record, sha256, [Undo(3), Undo(3)], JANE)
