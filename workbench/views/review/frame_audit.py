"""Frames drawn by lot, as the release will show them, for a person to say in which of them a face can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import streamlit as st

from engine import release
from engine.errors import VeilError
from engine.statistics.binomial import at_most
from workbench.auth import current_user
from workbench.core import links, session, shown_style
from workbench.core.formatting import count
from workbench.core.links import Page
from workbench.core.reviewed_run import Case

_DRAWN = 59
"""Frames that are drawn unless a person wants more or fewer: the fewest that can bound the share at 5 %."""
_MOST = 600
_ROWS, _COLUMNS = 3, 3
_PICTURE = "width:100%;max-height:44vh;object-fit:contain;background:#0b0d0f;border-radius:4px"


def show(case: Case) -> None:
    """The audit: how many frames, the frames, nine at a time, and what goes on record.

    Args:
        case: what is reviewed, with its amendments.
    """
    how_many, which, meaning = st.columns([2, 2, 7], vertical_alignment="bottom")
    most = min(_MOST, len(case.record.frames))
    number = int(how_many.number_input("Frames to draw", 1, most, _number(case), 10))
    drawn = release.drawn_frames(case.run, number, case.record)
    bound = 100 * (at_most(0, len(drawn)) or 1.0)
    meaning.caption(
        f"One frame from each of {number} equal parts, the same for everybody until something is amended. If none "
        f"shows a face, at most {bound:.1f} % of all frames do, with 95 % confidence. If one does, amend it and draw "
        "again."
    )
    sheet = session.LOT.get().of(f"{case.run.id} {case.review.sha256} {number}")
    pages = [drawn[at : at + _ROWS * _COLUMNS] for at in range(0, len(drawn), _ROWS * _COLUMNS)]
    at = int(which.number_input(f"Page, 1 to {len(pages)}", 1, len(pages), 1, key=f"lot-page-{number}")) - 1
    sheet = sheet.turned(at)
    session.LOT.set(sheet)
    _page(case, pages[at], sheet)
    _record(case, number, sheet, len(pages))


def _number(case: Case) -> int:
    return min(_DRAWN, len(case.record.frames))


def _page(case: Case, drawn: Sequence[int], sheet: session.Sheet) -> None:
    for start in range(0, len(drawn), _COLUMNS):
        for place, index in zip(st.columns(_COLUMNS), drawn[start : start + _COLUMNS], strict=False):
            with place:
                _frame(case, index, sheet)


def _frame(case: Case, index: int, sheet: session.Sheet) -> None:
    address = f"/api/stills/{quote(case.run.id)}/{index}?side=640&masked=1&style={quote(shown_style.shown(case.run))}"
    to = links.link(Page.REVIEW, case.run.id, index)
    st.html(
        f'<a href="{to}" target="_blank"><img src="{address}&at={case.review.sha256[:12]}" loading="lazy"'
        f' alt="Frame {index}, masked" style="{_PICTURE}"></a>'
    )
    st.checkbox(
        f"A face shows in frame {index} ({case.seconds(index):.1f} s)",
        index in sheet.missed,
        key=f"lot-{sheet.of_what}-{index}",
        on_change=_tick,
        args=(index,),
    )


def _tick(index: int) -> None:
    session.LOT.set(session.LOT.get().ticked(index))


def _record(case: Case, number: int, sheet: session.Sheet, pages: int) -> None:
    left = pages - len(sheet.turned_to)
    missed = len(sheet.missed)
    found = f"a face in {count(missed, 'frame')} of {number}" if missed else f"no face in {number} frames"
    if left:
        st.caption(f"{count(left, 'page')} not looked at yet.")
    if st.button(f"Put on record: {found}", type="primary", disabled=left > 0):
        try:
            release.audit_frames(session.data(), case.run.id, current_user.person(), number, sheet.missed)
        except VeilError as error:
            st.error(str(error))
        else:
            st.success("It is on record, and part of the residual risk on the Sign off page.")
