"""Videos of a run as a browser plays them: as they are, or as a small copy where some browser would show nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine import access, runs
from engine.access import Person
from engine.core.progress import Listener, Silent
from engine.errors import InputError
from engine.media.facts import MediaInfo
from engine.media.output.browser_copy import make_playable, unplayable
from engine.media.source.probe import probe
from engine.record import digest
from engine.release.drafts import drafts_of
from engine.runs import Run
from engine.runs.run import recording
from engine.storage.files import Data

_SILENT = Silent()


@dataclass(frozen=True, slots=True)
class Playable:
    """How a video is played.

    Attributes:
        file: what a browser is given; None while the copy has yet to be made.
        why: what of the video itself not every browser plays, in words; None when it is given as it is.
    """

    file: Path | None
    why: str | None


def playable(run: Run, video: Path, info: MediaInfo) -> Playable:
    """How a video of a run is played.

    Args:
        run: the run.
        video: its source, an output or a draft.
        info: what is in it.
    """
    why = unplayable(info)
    if why is None:
        return Playable(video, None)
    copy = copy_path(run, video)
    return Playable(copy if copy.exists() else None, why)


def make_copy(data: Data, run_id: str, person: Person, video: Path, *, listener: Listener = _SILENT) -> Path:
    """Make the copy of a video that browsers play. It lies with the run and goes when that is purged.

    Args:
        data: the data folder.
        run_id: the run.
        person: who wants to look.
        video: the source of the run, one of its outputs or drafts, or what it showed live; no other file is copied.
        listener: hears of progress.

    Raises:
        AccessError: the role does not allow it.
        InputError: the video does not belong to the run.
        SourceError: it is not a readable video.
        TargetError: the copy cannot be written.
        RenderError: it cannot be decoded or encoded.
    """
    access.authorise(data, person, "look")
    run = runs.get(data, run_id)
    if not _belongs(run, video):
        raise InputError(f"{video} is no video of the run {run_id}.")
    run.folder.copies.mkdir(mode=0o700, exist_ok=True)
    target = copy_path(run, video)
    if not target.exists():
        make_playable(video, target, probe(video).video.packets, listener)
    return target


def copy_path(run: Run, video: Path) -> Path:
    """Where the copy of a video lies; a file that was replaced has another one."""
    status = video.stat()
    told = f"{video.resolve()} {status.st_size} {status.st_mtime_ns}"
    return run.folder.copies / f"{digest(told.encode())[:16]}.mp4"


def _belongs(run: Run, video: Path) -> bool:
    outputs = run.folder.releases.glob("[0-9]*/*")
    return video in {run.source, recording(run.folder)} or video in {*(one.video for one in drafts_of(run)), *outputs}
