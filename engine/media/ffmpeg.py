"""Runs FFmpeg's command line: the static binary that imageio-ffmpeg ships."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg

from engine.media.local_file import local_url


def run_ffmpeg(arguments: Sequence[str | Path], log_level: str = "error") -> subprocess.CompletedProcess[str]:
    """Run FFmpeg to its end; it reads nothing from the terminal and logs only errors by default.

    An argument of type `Path` is never taken for an option or a protocol.
    """
    command = build_ffmpeg_command(arguments, log_level)
    return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)


def build_ffmpeg_command(arguments: Sequence[str | Path], log_level: str = "error") -> list[str]:
    """Build the command that `run_ffmpeg` runs, with FFmpeg's name of a log level."""
    # The prefix keeps a name that begins with a dash, or contains a colon, from being an option or a protocol.
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-v", log_level]
    return command + [local_url(argument) if isinstance(argument, Path) else argument for argument in arguments]
