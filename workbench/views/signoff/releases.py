"""The releases section of the Sign off page: each video beside its source, its checks and its files."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

import streamlit as st

from engine import access
from engine.core.wording import format_count, to_sentence
from engine.runs import Run
from workbench.auth import current_user
from workbench.components import video_player
from workbench.core.formatting import format_size
from workbench.views.signoff import summary

_LINK_CSS = "color: light-dark(#00659e, #7cc4ee); font-weight: 600"
_DOWNLOADS_CSS = """<style>
.stHtml .files { list-style: none; margin: 0; padding: 0; }
.files li { display: grid; grid-template-columns: minmax(11rem, 19rem) minmax(0, 1fr) 5rem; gap: 14px; margin: 0;
  padding: 6px 0; border-bottom: 1px solid #8885; }
.files a { overflow-wrap: anywhere; color: light-dark(#00659e, #7cc4ee); } .files span:last-child { text-align: right; }
@media (max-width: 640px) {
  .files li { grid-template-columns: minmax(0, 1fr) 5rem; gap: 0 14px; } .files a { grid-area: 2 / 1 / auto / -1; }
}
</style>"""
"""On a phone the name of a file has a line of its own."""


def show_releases(run: Run) -> None:
    """Show every release of a run, the newest one expanded."""
    for place, folder in enumerate(summary.list_release_folders(run)):
        video = summary.find_release_video(folder)
        if video is None:
            continue
        if place == 0:
            st.header(f"Release {int(folder.name)}", anchor=False)
            _show_release(run, folder, video)
        else:
            with st.expander(f"Earlier release {int(folder.name)}"):
                _show_release(run, folder, video)


def _show_release(run: Run, folder: Path, video: Path) -> None:
    shown = video_player.VideoFile("Released", video, _file_address(run, folder, video))
    video_player.show_videos(f"release-{folder.name}", run, [video_player.get_source_video(run), shown])
    _show_checks(folder)
    _show_release_downloads(run, folder, video)


def _file_address(run: Run, folder: Path, path: Path) -> str:
    return f"/api/outputs/{quote(run.id)}/{folder.name}/{quote(path.name)}"


def _show_checks(folder: Path) -> None:
    report = summary.read_checks(folder)
    if report is None:
        return
    title = "All checks passed" if report.passed else "A check failed"
    icon = ":material/verified:" if report.passed else ":material/error:"
    with st.expander(f"{title}: {format_count(len(report.checks), 'check')}", icon=icon):
        rows = ((check.name, "yes" if check.passed else "no", check.finding) for check in report.checks)
        st.html(summary.build_table(["Check", "Passed", "Finding"], rows))


def _show_release_downloads(run: Run, folder: Path, video: Path) -> None:
    if not access.is_allowed(current_user.require_person(), "download"):
        return
    files = [
        (video, "final video"),
        *((path, summary.describe_document(path)) for path in summary.list_documents(folder)),
    ]
    archive = f"/api/archives/{quote(run.id)}/{folder.name}"
    st.html(f'<a class="whole" href="{archive}" download style="{_LINK_CSS}">Download the release as one ZIP</a>')
    show_downloads([(_file_address(run, folder, path), path, words) for path, words in files])


def show_downloads(files: Sequence[tuple[str, Path, str]]) -> None:
    """Show a list of files to download.

    Args:
        files: address, path and description of each file.
    """
    rows = "".join(
        f'<li><span>{escape(to_sentence(words))}</span><a href="{address}?keep=1" download>'
        f"{escape(path.name)}</a><span>{format_size(path.stat().st_size)}</span></li>"
        for address, path, words in files
    )
    st.markdown("**Downloads**")
    st.html(f'{_DOWNLOADS_CSS}<ul class="files" aria-label="Downloads">{rows}</ul>')
