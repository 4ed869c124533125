"""Finds out whether browsers play a file, and makes a small copy that every browser plays.

Tested with Chromium 150: MP4, QuickTime, Matroska and WebM files with H.264, VP8, VP9 or AV1 play, also with FLAC or
PCM. HEVC, Motion JPEG and ProRes stay black, AC-3 and ALAC silent, and AVI and MPEG-TS do not open. Other browsers do
not open Matroska, so it counts as not playable.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from engine.core.progress import ProgressListener
from engine.errors import RenderError
from engine.media.containers import container_family, describe_family
from engine.media.facts import MediaInfo
from engine.media.ffmpeg import build_ffmpeg_command, kill_if_stuck
from engine.storage.files import make_scratch_folder, publish_file

_MAX_SIDE_PX = 1280
"""Longest side of a copy, in pixels."""
_PLAYABLE_PIXEL_FORMATS = frozenset({"yuv420p", "yuvj420p"})
_PLAYABLE_AUDIO_CODECS = frozenset({"aac", "mp3", "opus", "flac", "vorbis"})
_FORMAT_NAMES = {
    "hevc": "HEVC",
    "mjpeg": "Motion JPEG",
    "prores": "ProRes",
    "mpeg4": "MPEG-4 Part 2",
    "mpeg2video": "MPEG-2",
}


def describe_unplayable(info: MediaInfo) -> str | None:
    """Describe what some browser cannot play, such as "HEVC pictures"; None if every browser plays the file."""
    has_webm_codec = info.video.codec in {"vp8", "vp9", "av1"}
    family = container_family(info.container)
    opens = family.browser_playback == "always" or (family.browser_playback == "webm_codecs" and has_webm_codec)
    if not opens:
        return f"{describe_family(family)} files"
    if info.video.codec != "h264" and not has_webm_codec:
        return f"{_format_name(info.video.codec)} pictures"
    if info.video.codec == "h264" and info.video.pixel_format not in _PLAYABLE_PIXEL_FORMATS:
        return f"H.264 pictures in the format {info.video.pixel_format}"
    audio_codecs = [stream.codec.removesuffix("float") for stream in info.streams if stream.kind == "audio"]
    silent = [codec for codec in audio_codecs if codec not in _PLAYABLE_AUDIO_CODECS]
    return f"{_format_name(silent[0])} audio" if silent else None


def make_browser_copy(source: Path, target: Path, frames: int, listener: ProgressListener) -> None:
    """Write a small copy that every browser plays: H.264 in 8 bits, AAC, MP4, no metadata.

    Pictures are made smaller, never larger, and lose fine detail. The copy is only for viewing, never an output.

    Args:
        source: the video.
        target: the file to write.
        frames: number of frames, for progress.
        listener: receives progress.

    Raises:
        TargetError: the copy cannot be written.
        RenderError: the source cannot be decoded or encoded.
    """
    with make_scratch_folder(target) as folder:
        unfinished = folder / target.name
        _run_with_progress(
            build_ffmpeg_command([*_copy_arguments(source), "-progress", "pipe:1", unfinished]),
            source,
            frames,
            listener,
        )
        publish_file(unfinished, target)


def _copy_arguments(source: Path) -> list[str | Path]:
    within = f"w='min({_MAX_SIDE_PX},iw)':h='min({_MAX_SIDE_PX},ih)'"
    smaller = f"scale={within}:force_original_aspect_ratio=decrease:force_divisible_by=2"
    return [
        *("-i", source, "-map", "0:v:0", "-map", "0:a?", "-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn"),
        # Square pixels first: not every browser applies the sample aspect ratio.
        *("-vf", f"scale=iw*sar:ih,setsar=1,{smaller}", "-pix_fmt", "yuv420p", "-fps_mode", "passthrough"),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-threads", "2"),
        # faststart puts the index first, so that a browser can begin before it has the whole file.
        *("-c:a", "aac", "-b:a", "128k", "-ac", "2", "-movflags", "+faststart"),
    ]


def _run_with_progress(command: list[str], source: Path, frames: int, listener: ProgressListener) -> None:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    with process, kill_if_stuck(process):
        try:
            for line in process.stdout or ():
                name, _, value = line.strip().partition("=")
                # FFmpeg repeats its counters as "name=value" lines; it may count more frames than the record.
                if name == "frame":
                    listener.progress("copy", min(int(value), frames), frames)
        except BaseException:
            process.kill()
            raise
        complaint = process.stderr.read().strip() if process.stderr else ""
    if process.returncode:
        last = complaint.splitlines()[-1] if complaint else f"FFmpeg ended with {process.returncode}"
        raise RenderError(f"No copy of {source.name} could be made that browsers play: {last}.")


def _format_name(codec: str) -> str:
    return _FORMAT_NAMES.get(codec, codec.upper().replace("_", " "))
