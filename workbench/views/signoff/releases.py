"""What was released of a run, on the page Sign off: the video beside its source, its checks, and its files."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

import streamlit as st

from engine import access
from engine.runs import Run
from workbench.auth import current_user
from workbench.components import video_player
from workbench.core.formatting import count, sentence, size
from workbench.views.signoff import summary

_FILES = """<style>
.stHtml .files { list-style: none; margin: 0; padding: 0; }
.files li { display: grid; grid-template-columns: minmax(11rem, 19rem) minmax(0, 1fr) 5rem; gap: 14px; margin: 0;
  padding: 6px 0; border-bottom: 1px solid #8885; }
.files a { overflow-wrap: anywhere; color: light-dark(#00659e, #7cc4ee); } .files span:last-child { text-align: right; }
</style>"""


def releases(run: Run) -> None:
    """Every release of a run, the newest open."""
    for place, folder in enumerate(summary.releases_of(run)):
        video = summary.video_of(folder)
        if video is None:
            continue
        if place == 0:
            st.header(f"Release {int(folder.name)}", anchor=False)
            _release(run, folder, video)
        else:
            with st.expander(f"Release {int(folder.name)}, an earlier one"):
                _release(run, folder, video)


def _release(run: Run, folder: Path, video: Path) -> None:
    shown = video_player.Shown("Released", video, _address(run, folder, video))
    video_player.play(f"release-{folder.name}", run, [video_player.source_of(run), shown])
    _checks(folder)
    _downloads(run, folder, video)


def _address(run: Run, folder: Path, path: Path) -> str:
    return f"/api/outputs/{quote(run.id)}/{folder.name}/{quote(path.name)}"


def _checks(folder: Path) -> None:
    report = summary.checks_of(folder)
    if report is None:
        return
    title = "Every check passed" if report.passed else "A check failed"
    icon = ":material/verified:" if report.passed else ":material/error:"
    with st.expander(f"{title}: {count(len(report.checks), 'check')}", icon=icon):
        rows = ((one.name, "yes" if one.passed else "no", one.finding) for one in report.checks)
        st.html(summary.table(["Check", "Passed", "Finding"], rows))


def _downloads(run: Run, folder: Path, video: Path) -> None:
    if not access.may(current_user.person(), "download"):
        return
    files = [(video, "final video"), *((path, summary.paper_named(path)) for path in summary.papers_of(folder))]
    downloads([(_address(run, folder, path), path, words) for path, words in files])


def downloads(files: Sequence[tuple[str, Path, str]]) -> None:
    """A list of files to be taken away.

    Args:
        files: address, path and what it is, of each.
    """
    rows = "".join(
        f'<li><span>{escape(sentence(words))}</span><a href="{address}?keep=1" download>'
        f"{escape(path.name)}</a><span>{size(path.stat().st_size)}</span></li>"
        for address, path, words in files
    )
    st.markdown("**Downloads**")
    st.html(f'{_FILES}<ul class="files" aria-label="Downloads">{rows}</ul>')
