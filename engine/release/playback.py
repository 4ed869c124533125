"""Playback of a run's videos in a browser: the file itself, or a small copy where some browsers cannot play it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.access.run_context import RunContext
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import InputError
from engine.media.facts import MediaInfo
from engine.media.output.browser_copy import describe_unplayable, make_browser_copy
from engine.media.source.probe import probe
from engine.record import sha256_hex
from engine.release.drafts import list_drafts
from engine.runs import Run
from engine.storage.files import make_private_folder

_SILENT = SilentListener()


@dataclass(frozen=True, slots=True)
class Playback:
    """The file that a browser plays.

    Attributes:
        file: The file; None until the copy exists.
        copy_reason: What not every browser can play, in words; None if the video itself is played.
    """

    file: Path | None
    copy_reason: str | None


def choose_playback(run: Run, video: Path, info: MediaInfo) -> Playback:
    """Choose the file that a browser plays.

    Args:
        run: The run.
        video: Its source, an output or a draft.
        info: The properties of the video.
    """
    reason = describe_unplayable(info)
    if reason is None:
        return Playback(video, None)
    copy = browser_copy_path(run, video)
    return Playback(copy if copy.exists() else None, reason)


def make_playback_copy(context: RunContext, video: Path, *, listener: ProgressListener = _SILENT) -> Path:
    """Make the copy of a video that every browser plays. A purge of the run removes it.

    Args:
        context: The run, and the person who wants to watch.
        video: The run's source, live video, a release or a draft; other files are refused.
        listener: Receives progress.

    Raises:
        AccessError: The role does not allow it.
        InputError: The video does not belong to the run.
        SourceError: The file is not a readable video.
        TargetError: The copy cannot be written.
        RenderError: The video cannot be decoded or encoded.
    """
    context = context.authorise("look")
    run = context.run
    # Without this check a person could have any file on the server copied to where browsers can fetch it.
    if not _is_video_of_run(run, video):
        raise InputError(f"{video} is not a video of the run {run.id}.")
    make_private_folder(run.folder.browser_copies)
    target = browser_copy_path(run, video)
    if not target.exists():
        make_browser_copy(video, target, probe(video).video.packets, listener)
    return target


def browser_copy_path(run: Run, video: Path) -> Path:
    """Return the path of a video's copy; it changes when the video is replaced, so that no old copy is played."""
    status = video.stat()
    stamp = f"{video.resolve()} {status.st_size} {status.st_mtime_ns}"
    return run.folder.browser_copies / f"{sha256_hex(stamp.encode())[:16]}.mp4"


def _is_video_of_run(run: Run, video: Path) -> bool:
    return video in {
        run.source,
        run.folder.live_video,
        *(draft.video for draft in list_drafts(run)),
        *run.folder.releases.glob("[0-9]*/*"),
    }
