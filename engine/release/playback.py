"""Videos of a run as a browser plays them: as they are, or as a small copy where some browser would show nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine import access, runs
from engine.access import Person
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import InputError
from engine.media.facts import MediaInfo
from engine.media.output.browser_copy import describe_unplayable, make_browser_copy
from engine.media.source.probe import probe
from engine.record import sha256_hex
from engine.release.drafts import list_drafts
from engine.runs import Run
from engine.storage.data_folder import DataFolder

_SILENT = SilentListener()


@dataclass(frozen=True, slots=True)
class Playback:
    """How a video is played.

    Attributes:
        file: what a browser is given; None while the copy has yet to be made.
        copy_reason: what of the video itself not every browser plays, in words; None when it is given as it is.
    """

    file: Path | None
    copy_reason: str | None


def choose_playback(run: Run, video: Path, info: MediaInfo) -> Playback:
    """How a video of a run is played.

    Args:
        run: the run.
        video: its source, an output or a draft.
        info: what is in it.
    """
    why = describe_unplayable(info)
    if why is None:
        return Playback(video, None)
    copy = browser_copy_path(run, video)
    return Playback(copy if copy.exists() else None, why)


def make_playback_copy(
    data: DataFolder, run_id: str, person: Person, video: Path, *, listener: ProgressListener = _SILENT
) -> Path:
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
    run = runs.load_run(data, run_id)
    if not _is_video_of_run(run, video):
        raise InputError(f"{video} is no video of the run {run_id}.")
    run.folder.browser_copies.mkdir(mode=0o700, exist_ok=True)
    target = browser_copy_path(run, video)
    if not target.exists():
        make_browser_copy(video, target, probe(video).video.packets, listener)
    return target


def browser_copy_path(run: Run, video: Path) -> Path:
    """Where the copy of a video lies; a file that was replaced has another one."""
    status = video.stat()
    told = f"{video.resolve()} {status.st_size} {status.st_mtime_ns}"
    return run.folder.browser_copies / f"{sha256_hex(told.encode())[:16]}.mp4"


def _is_video_of_run(run: Run, video: Path) -> bool:
    outputs = run.folder.releases.glob("[0-9]*/*")
    return video in {run.source, run.folder.live_video} or video in {
        *(one.video for one in list_drafts(run)),
        *outputs,
    }
