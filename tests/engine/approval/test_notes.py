"""Notes are appended and logged without their words, settled, and never change what is signed."""

import pytest

from engine import access, audit
from engine.access.run_context import RunContext
from engine.approval.notes import (
    SettleNote,
    WriteNote,
    add_to_notes,
    list_open_notes,
    parse_note_action,
    read_notes,
)
from engine.errors import AccessError, InputError, ReviewError
from engine.runs import RunRequest, RunState, create_run, format_utc_now, load_run
from engine.storage.data_folder import DataFolder

FRAMES = 20


@pytest.fixture
def context(tmp_path):
    data = DataFolder(tmp_path)
    request = RunRequest(source="/a.mp4", account="a", name="A", at=format_utc_now())
    folder = create_run(data, request, RunState(stage="done", updated=format_utc_now()))
    return RunContext(data, load_run(data, folder.id), access.get_single_user(data))


def test_notes_are_read_as_they_were_written_and_settled(context):
    add_to_notes(context, FRAMES, WriteNote("Is this the nurse?", frame=3))
    add_to_notes(context, FRAMES, WriteNote("Look again.", 5, "gap:2:4-8"))
    add_to_notes(context, FRAMES, WriteNote("Consent is in the folder."))
    add_to_notes(context, FRAMES, SettleNote(1))
    notes = read_notes(context.run)
    assert [(note.number, note.text, note.frame, note.item) for note in notes] == [
        (1, "Is this the nurse?", 3, None),
        (2, "Look again.", 5, "gap:2:4-8"),
        (3, "Consent is in the folder.", None, None),
    ]
    assert notes[0].done_by is not None
    assert [note.number for note in list_open_notes(context.run)] == [2, 3]


def test_the_log_has_the_hash_and_not_the_words(context):
    add_to_notes(context, FRAMES, WriteNote("The patient is Jane Roe.", frame=3))
    (entry,) = audit.read_entries(context.data.audit, kinds=["note"])
    assert entry.details == {"note": 1, "action": "write", "frame": 3, "item": None}
    assert set(entry.subjects) == {"note"}
    assert b"Jane" not in b"".join(path.read_bytes() for path in context.data.audit.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (WriteNote("  "), "The note is empty"),
        (WriteNote("x", frame=FRAMES), "there is no frame 20"),
        (SettleNote(1), "There is no open note 1"),
    ],
)
def test_what_does_not_fit_is_refused(context, action, says):
    with pytest.raises(InputError, match=says):
        add_to_notes(context, FRAMES, action)
    assert read_notes(context.run) == ()


def test_an_unfinished_line_does_not_count_and_a_damaged_one_is_named(context):
    add_to_notes(context, FRAMES, WriteNote("one"))
    path = context.run.folder.notes
    path.write_bytes(path.read_bytes() + b'{"torn')
    assert len(read_notes(context.run)) == 1
    assert add_to_notes(context, FRAMES, WriteNote("two")) == 2
    path.write_bytes(b"{}\n" + path.read_bytes())
    with pytest.raises(ReviewError, match="line 1, is no note"):
        read_notes(context.run)


def test_somebody_who_sees_no_frames_writes_no_note(context):
    access.add_account(
        context.data, context.person, "ada", name="Ada", roles=["administrator"], password="correct horse battery"
    )
    ada = access.read_people(context.data).get_account("ada").to_person("account")
    with pytest.raises(AccessError, match="may not look"):
        add_to_notes(RunContext(context.data, context.run, ada), FRAMES, WriteNote("x"))


def test_values_of_a_browser_are_checked():
    assert parse_note_action({"kind": "note", "text": "x", "frame": 2}) == WriteNote("x", 2)
    assert parse_note_action({"kind": "done", "note": 2}) == SettleNote(2)
    for wrong in ({"kind": "note", "text": ""}, {"kind": "note", "text": "x" * 2001}, {"kind": "other"}, None):
        with pytest.raises(InputError, match="That is no note"):
            parse_note_action(wrong)
