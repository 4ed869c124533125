"""The notes of a run, and what a rejection asks to look at again, as the canvas reads them. Knows no Streamlit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.approval.notes import Note
from engine.approval.statements import Statement
from engine.review.item_key import ReviewItemKey
from workbench.views.review.item_words import get_item_words


def encode_notes(notes: Iterable[Note]) -> list[dict[str, Any]]:
    """Encode the notes, oldest first."""
    return [
        {
            "number": note.number,
            "text": note.text,
            "frame": note.frame,
            "item": note.item,
            "about": _describe_subject(note),
            "by": note.by.name,
            "at": f"{note.at.astimezone():%Y-%m-%d %H:%M %Z}",
            "done_by": note.done_by.name if note.done_by else None,
        }
        for note in notes
    ]


def encode_rejection(newest_statement: Statement | None) -> dict[str, Any] | None:
    """Encode why a run was sent back and which frames are meant; None if it was not sent back last."""
    if newest_statement is None or newest_statement.meaning != "rejected":
        return None
    return {
        "by": newest_statement.name,
        "at": f"{newest_statement.at.astimezone():%Y-%m-%d %H:%M %Z}",
        "reason": newest_statement.reason or "",
        "frames": list(newest_statement.frames),
    }


def _describe_subject(note: Note) -> str:
    if note.item is not None:
        return f"{get_item_words(ReviewItemKey.parse(note.item).kind).label}, frame {note.frame}"
    return "The whole run" if note.frame is None else f"Frame {note.frame}"
