"""The notes of a run on the Sign off page, and the frames that a rejection names."""

from __future__ import annotations

import re

import streamlit as st

from engine import release
from engine.access.run_context import RunContext
from engine.approval.notes import MAX_CHARACTERS, Note, SettleNote, WriteNote, add_to_notes, list_open_notes
from engine.approval.statements import Statement
from engine.core.wording import format_count
from engine.errors import InputError, VeilError
from engine.runs import Run
from workbench.auth import current_user
from workbench.core import session
from workbench.core.formatting import escape_markdown
from workbench.core.links import Page, PageLocation
from workbench.core.page_table import show_page_link

_TEXT_KEY = "note-text"
_MAX_LINKS = 12
"""Links to frames that are shown; a rejection may name more."""


def show_rejection(run: Run, rejection: Statement) -> None:
    """Show why a run was sent back, with a link to each frame that is meant."""
    st.warning(
        f"{escape_markdown(rejection.name)} sent this run back: {escape_markdown(rejection.reason or '')}",
        icon=":material/undo:",
    )
    if rejection.frames:
        with st.container(horizontal=True):
            for frame in rejection.frames[:_MAX_LINKS]:
                show_page_link(Page.REVIEW, f"Frame {frame}", PageLocation(run.id, frame))


@st.fragment
def show_notes(run: Run, snapshot: release.SignOffSnapshot) -> None:
    """Show the open notes of a run, folded away, and the form for another one.

    Only this part is drawn again after a press; a rejection, at another step, finds the notes as they are then.
    """
    notes = list_open_notes(run)
    # With a key it stays open when a note changes its label.
    with st.expander(f"Notes: {format_count(len(notes), 'open note')}" if notes else "Notes", key="notes"):
        for note in notes:
            _show_note(run, snapshot, note)
        with st.form("note", clear_on_submit=True, border=False):
            st.text_input("Note on the run", key=_TEXT_KEY, max_chars=MAX_CHARACTERS)
            st.form_submit_button("Add note", on_click=_add, args=(run, snapshot))
        if error := session.NOTE_ERROR.take():
            st.error(escape_markdown(error))


def suggest_frames(run: Run) -> str:
    """Return the frames of the open notes of this person, to fill in the frames of a rejection."""
    account = current_user.require_person().account
    frames = {note.frame for note in list_open_notes(run) if note.by.account == account and note.frame is not None}
    return ", ".join(map(str, sorted(frames)))


def parse_frames(text: str) -> tuple[int, ...]:
    """Parse frames that a person typed, such as "120, 300".

    Raises:
        InputError: something is no number.
    """
    words = [word for word in re.split(r"[\s,;]+", text) if word]
    if wrong := [word for word in words if not (word.isascii() and word.isdecimal())]:
        raise InputError(f"{wrong[0]} is no frame number; write frames as 120, 300.")
    return tuple(sorted({int(word) for word in words}))


def _show_note(run: Run, snapshot: release.SignOffSnapshot, note: Note) -> None:
    words, link, button = st.columns([6, 2, 1], vertical_alignment="center")
    words.markdown(f"{escape_markdown(note.text)}  \n:gray[{escape_markdown(note.by.name)}]")
    with link:
        if note.frame is not None:
            show_page_link(Page.REVIEW, f"Frame {note.frame}", PageLocation(run.id, note.frame))
    button.button(
        "Done",
        key=f"note-{note.number}",
        help=f"Note {note.number} is done",
        on_click=_apply,
        args=(run, snapshot, SettleNote(note.number)),
    )


def _add(run: Run, snapshot: release.SignOffSnapshot) -> None:
    _apply(run, snapshot, WriteNote(st.session_state[_TEXT_KEY]))


def _apply(run: Run, snapshot: release.SignOffSnapshot, action: WriteNote | SettleNote) -> None:
    try:
        context = RunContext.open(session.get_data(), run.id, current_user.require_person())
        add_to_notes(context, len(snapshot.record.frames), action)
    except VeilError as error:
        session.NOTE_ERROR.set(str(error))
