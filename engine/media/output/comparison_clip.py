"""Write short clips for people to look at, with MoviePy: source and output side by side, or the output alone.

These clips are for presentations and for a first look. They are scaled and encoded anew, have no audio, and are no
evidence of anything: `veil verify` is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.progress import ProgressListener, SilentListener
from engine.errors import InputError, RenderError, SourceError
from engine.storage.files import open_atomic_write

ANIMATION_SUFFIX = ".gif"
CLIP_SUFFIXES = (ANIMATION_SUFFIX, ".mp4")
_ANIMATION_MAX_FPS = 10
"""Frames per second of an animation at most; GIF compresses badly, and more would fill mails."""


@dataclass(frozen=True, slots=True)
class ClipSection:
    """The part of the videos that a clip shows, and its size.

    Attributes:
        start_s: first second.
        duration_s: seconds that are shown; fewer at the end of the video.
        height_px: height of the clip.
    """

    start_s: float = 0.0
    duration_s: float = 10.0
    height_px: int = 360


def write_comparison_clip(
    videos: Sequence[Path], target: Path, section: ClipSection, listener: ProgressListener | None = None
) -> float:
    """Write a clip in which the videos run side by side, in their order.

    Args:
        videos: the videos; one alone gives a preview of it.
        target: file to write, `.mp4` (H.264) or `.gif` (an animation for a browser or a mail).
        section: what is shown.
        listener: gets the progress.

    Returns:
        The seconds that the clip lasts.

    Raises:
        InputError: MoviePy is not installed, the target has another suffix, or the section starts after the end.
        SourceError: a video cannot be read.
        RenderError: the clip cannot be encoded.
        TargetError: the target cannot be written.
    """
    listener = listener or SilentListener()
    if target.suffix.lower() not in CLIP_SUFFIXES:
        raise InputError(f"{target} has to end in {' or '.join(CLIP_SUFFIXES)}.")
    moviepy = _import_moviepy()
    listener.progress("clip", 0, None)
    with ExitStack() as stack:
        clips = [stack.enter_context(_open_section(moviepy, video, section)) for video in videos]
        # The videos need not be equally long to the frame, and a clip that lacks one of them would show black.
        shown = moviepy.clips_array([clips]).with_duration(min(clip.duration for clip in clips))
        with open_atomic_write(target) as unfinished:
            try:
                _write_clip(shown, unfinished, max(clip.fps for clip in clips))
            except (OSError, ValueError) as error:
                raise RenderError(f"The clip {target} could not be encoded: {error}.") from error
        return float(shown.duration)


@contextmanager
def _open_section(moviepy: Any, video: Path, section: ClipSection) -> Iterator[Any]:
    try:
        # Opened by its full path: FFmpeg would take a name with a colon for a protocol.
        clip = moviepy.VideoFileClip(str(video.absolute()), audio=False)
    # MoviePy raises whatever the part that fails raises.
    except Exception as error:
        raise SourceError(f"{video} cannot be read as a video: check the path.") from error
    try:
        if section.start_s >= clip.duration:
            raise InputError(f"{video} lasts {clip.duration:.1f} s, so a clip cannot start at {section.start_s:g} s.")
        end_s = min(clip.duration, section.start_s + section.duration_s)
        yield clip.subclipped(section.start_s, end_s).resized(height=section.height_px)
    finally:
        clip.close()


def _write_clip(clip: Any, target: Path, fps: float) -> None:
    if target.suffix.lower() == ANIMATION_SUFFIX:
        clip.write_gif(str(target), fps=min(fps, _ANIMATION_MAX_FPS), logger=None)
    else:
        clip.write_videofile(
            str(target), fps=fps, codec="libx264", audio=False, logger=None, ffmpeg_params=["-pix_fmt", "yuv420p"]
        )


def _import_moviepy() -> Any:
    try:
        # It loads imageio and Pillow, which takes a second and nothing else here needs.
        import moviepy  # noqa: PLC0415
    except ImportError as error:
        raise InputError(
            f"Clips are made with MoviePy, which cannot be imported ({error}): "
            "run `python -m pip install 'veil-workbench[comparison]'`."
        ) from error
    return moviepy
