"""Videos of a run side by side; what some browser does not play is copied small first, and the page says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import streamlit as st

from engine import record as records
from engine import release
from engine.access import Person
from engine.core.progress import Listener
from engine.runs import Run
from engine.storage.files import Data
from workbench.auth import current_user
from workbench.components.player import Video, player
from workbench.components.progress_bar import under_way
from workbench.core import caches, session


@dataclass(frozen=True, slots=True)
class Shown:
    """A video to be played.

    Attributes:
        label: what it is, in a word or two.
        file: the video itself.
        address: where it is had as it is.
    """

    label: str
    file: Path
    address: str


def source_of(run: Run) -> Shown:
    """The source of a run."""
    return Shown("Source", run.source, f"/api/sources/{quote(run.id)}")


def play(key: str, run: Run, videos: Sequence[Shown]) -> None:
    """Show videos of a run side by side, as soon as every browser can play them.

    Raises:
        SourceError: one of them cannot be read.
    """
    ways = [release.playable(run, one.file, caches.look_at(one.file)) for one in videos]
    waiting = [one for one, way in zip(videos, ways, strict=True) if way.file is None]
    if waiting:
        _prepare(key, run, waiting)
        return
    found = [_video(run, one, way) for one, way in zip(videos, ways, strict=True)]
    record = caches.record_of(run)
    ticks = record.frames[-1].pts - record.frames[0].pts
    step = float(ticks * records.fraction(record.source.video.time_base)) / max(1, len(record.frames) - 1)
    player(key, found, step or 0.04)


def _video(run: Run, shown: Shown, way: release.Playable) -> Video:
    if way.why is None or way.file is None:
        return Video(shown.label, shown.address)
    note = f"a small copy for this page, as not every browser plays {way.why}"
    return Video(shown.label, f"/api/copies/{quote(run.id)}/{quote(way.file.name)}", note)


def _prepare(key: str, run: Run, waiting: Sequence[Shown]) -> None:
    """Make the copies that are missing, one after the other, and say how far that is."""
    name = f"copies {run.id} {key}"
    standing = caches.works().of(name)
    if standing is not None and standing.ended and standing.failure:
        st.error(standing.failure, icon=":material/videocam_off:")
        if st.button("Try again", key=f"{key}-again"):
            caches.works().forget(name)
            st.rerun()
        return
    files = tuple(one.file for one in waiting)
    caches.works().start(name, partial(_copies, session.data(), run.id, current_user.person(), files))
    what = " and ".join(one.label.lower() for one in waiting)
    under_way(name, f"Not every browser plays this {what}: a small copy is being made for this page.")


def _copies(data: Data, run_id: str, person: Person, files: Sequence[Path], listener: Listener) -> None:
    for file in files:
        release.make_copy(data, run_id, person, file, listener=listener)
