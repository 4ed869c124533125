"""Opens local files with PyAV, by their name and never as an address."""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer


def local_url(path: Path) -> str:
    """Return the name of a local file as FFmpeg takes it."""
    # Without the prefix FFmpeg takes 12:30.mp4 for a protocol, and http:host.mp4 for an address that it connects to.
    return f"file:{path}"


def open_local_file(path: Path) -> InputContainer:
    """Open a local file for reading; nothing that it points at is opened.

    Raises:
        FFmpegError: it cannot be read.
    """
    return av.open(local_url(path), container_options={"protocol_whitelist": "file"})
