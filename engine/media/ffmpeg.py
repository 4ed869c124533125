"""Runs FFmpeg's command line: the static binary that imageio-ffmpeg ships."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from engine.core.step_limit import STEP_LIMIT_S
from engine.media.local_file import local_url

_WATCH_INTERVAL_S = 5.0
_STUCK_SENTENCE = f"it computed for {STEP_LIMIT_S} s without reading or writing anything"


def run_ffmpeg(arguments: Sequence[str | Path], log_level: str = "error") -> subprocess.CompletedProcess[str]:
    """Run FFmpeg to its end; it reads nothing from the terminal and logs only errors by default.

    An argument of type `Path` is never taken for an option or a protocol.
    """
    command = build_ffmpeg_command(arguments, log_level)
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
        ) as process,
        kill_if_stuck(process) as was_stuck,
    ):
        try:
            output, complaint = process.communicate()
        except BaseException:
            process.kill()
            raise
    if was_stuck.is_set():
        complaint += f"{_STUCK_SENTENCE}\n"
    return subprocess.CompletedProcess(command, process.returncode, output, complaint)


@contextmanager
def kill_if_stuck(process: subprocess.Popen[Any], limit_s: float = STEP_LIMIT_S) -> Iterator[threading.Event]:
    """Kill FFmpeg when it computes for a minute and neither reads nor writes, as over a file that makes it loop.

    Args:
        process: FFmpeg.
        limit_s: seconds of processor time in which it has to read or write something.

    Yields:
        An event that says whether it was killed.
    """
    ended, was_stuck = threading.Event(), threading.Event()
    threading.Thread(target=_watch, args=(process, limit_s, ended, was_stuck), name="FFmpeg watch", daemon=True).start()
    try:
        yield was_stuck
    finally:
        ended.set()


def _watch(process: subprocess.Popen[Any], limit_s: float, ended: threading.Event, was_stuck: threading.Event) -> None:
    moved, since = -1, 0.0
    while not ended.wait(min(_WATCH_INTERVAL_S, limit_s)):
        try:
            now, work = _count_moved_bytes(process.pid), _read_processor_s(process.pid)
        except (OSError, ValueError, IndexError):
            return  # It has just ended.
        # Processor time, not clock time: FFmpeg waits for whoever reads its output, and for a slow disk.
        if now != moved:
            moved, since = now, work
        elif work - since >= limit_s:
            was_stuck.set()
            process.kill()
            return


def _count_moved_bytes(pid: int) -> int:
    """Return how many bytes a process has read and written so far, files and pipes alike."""
    counts = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines())
    return int(counts["rchar"]) + int(counts["wchar"])


def _read_processor_s(pid: int) -> float:
    # The name of the program is in parentheses and may contain spaces, so fields are counted from their end.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def build_ffmpeg_command(arguments: Sequence[str | Path], log_level: str = "error") -> list[str]:
    """Build the command that `run_ffmpeg` runs, with FFmpeg's name of a log level."""
    # The prefix keeps a name that begins with a dash, or contains a colon, from being an option or a protocol.
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-v", log_level]
    return command + [local_url(argument) if isinstance(argument, Path) else argument for argument in arguments]
