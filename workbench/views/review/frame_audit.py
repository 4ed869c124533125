"""The random sample check: masked frames in which a person looks for visible faces."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import streamlit as st

from engine import release
from engine.access.run_context import RunContext
from engine.core.wording import format_count
from engine.errors import VeilError
from engine.statistics.binomial import binomial_upper_bound
from workbench.auth import current_user
from workbench.core import formatting, links, session, shown_style
from workbench.core.links import Page
from workbench.core.reviewed_run import ReviewedRun

_DEFAULT_FRAMES = 59
"""Default sample size: the fewest frames that can show that at most 5 % of all frames have a visible face."""
_MAX_FRAMES = 600
_ROWS, _COLUMNS = 3, 3
_IMAGE_CSS = "width:100%;max-height:44vh;object-fit:contain;background:#0b0d0f;border-radius:4px"


def show_frame_audit(reviewed: ReviewedRun) -> None:
    """Show the size of the sample, its frames nine at a time, and the button that records the result.

    Args:
        reviewed: the run with its amendments.
    """
    how_many, which, meaning = st.columns([2, 2, 7], vertical_alignment="bottom")
    max_frames = min(_MAX_FRAMES, len(reviewed.record.frames))
    frame_count = int(how_many.number_input("Sample size (frames)", 1, max_frames, _default_frame_count(reviewed), 10))
    drawn = release.draw_run_audit_frames(reviewed.run, frame_count, reviewed.record)
    bound = 100 * (binomial_upper_bound(0, len(drawn)) or 1.0)
    meaning.caption(
        f"One random frame from each of {frame_count} equal parts of the video. Everyone gets the same frames until "
        f"the review changes. If no face is visible in any of them, a face is visible in at most {bound:.1f} % of all "
        "frames, with 95 % confidence. If you see a face, amend it and check a new sample."
    )
    # The key has the hash of the review: an amendment changes what is masked, so earlier looks no longer count.
    progress = session.FRAME_AUDIT.get().resume_or_reset(f"{reviewed.run.id} {reviewed.review.sha256} {frame_count}")
    pages = [drawn[at : at + _ROWS * _COLUMNS] for at in range(0, len(drawn), _ROWS * _COLUMNS)]
    at = int(which.number_input(f"Page (1 to {len(pages)})", 1, len(pages), 1, key=f"lot-page-{frame_count}")) - 1
    progress = progress.mark_page_viewed(at)
    session.FRAME_AUDIT.set(progress)
    _show_page(reviewed, pages[at], progress)
    _show_record_button(reviewed, frame_count, progress, len(pages))


def _default_frame_count(reviewed: ReviewedRun) -> int:
    return min(_DEFAULT_FRAMES, len(reviewed.record.frames))


def _show_page(reviewed: ReviewedRun, drawn: Sequence[int], progress: session.FrameAuditProgress) -> None:
    for start in range(0, len(drawn), _COLUMNS):
        for place, index in zip(st.columns(_COLUMNS), drawn[start : start + _COLUMNS], strict=False):
            with place:
                _show_frame(reviewed, index, progress)


def _show_frame(reviewed: ReviewedRun, index: int, progress: session.FrameAuditProgress) -> None:
    style = quote(shown_style.get_shown_style_name(reviewed.run))
    address = f"/api/stills/{quote(reviewed.run.id)}/{index}?side=640&masked=1&style={style}"
    to = links.build_address(Page.REVIEW, reviewed.run.id, index)
    st.html(
        f'<a href="{to}" target="_blank"><img src="{address}&at={reviewed.review.sha256[:12]}" loading="lazy"'
        f' alt="Frame {index}, masked" style="{_IMAGE_CSS}"></a>'
    )
    st.checkbox(
        f"Face visible (frame {index}, {reviewed.get_frame_time_s(index):.1f} s)",
        index in progress.missed_frames,
        key=f"lot-{progress.sample_key}-{index}",
        on_change=_toggle_frame,
        args=(index,),
    )


def _toggle_frame(index: int) -> None:
    session.FRAME_AUDIT.set(session.FRAME_AUDIT.get().toggle_missed_frame(index))


def _show_record_button(
    reviewed: ReviewedRun, frame_count: int, progress: session.FrameAuditProgress, page_count: int
) -> None:
    left = page_count - len(progress.viewed_pages)
    missed = len(progress.missed_frames)
    sampled = f"{format_count(frame_count, 'sampled frame')}"
    result = f"face visible in {missed} of {sampled}" if missed else f"no visible face in {sampled}"
    if left:
        st.caption(f"{left} of {format_count(page_count, 'page')} still to check.")
    if st.button(f"Record result: {result}", type="primary", disabled=left > 0):
        try:
            release.save_frame_audit(
                RunContext.open(session.get_data(), reviewed.run.id, current_user.require_person()),
                frame_count,
                progress.missed_frames,
            )
        except VeilError as error:
            st.error(formatting.escape_markdown(str(error)))
        else:
            st.success("Recorded. The result is part of the residual risk on the Sign off page.")
