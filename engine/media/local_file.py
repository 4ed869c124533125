"""Opens local files with PyAV, by their name and never as an address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError

from engine.core.step_limit import NATIVE_STEP
from engine.errors import SourceError

LOCAL_ONLY_OPTIONS = {"protocol_whitelist": "file"}
"""Options of a container with which a playlist, or a MOV with external references, opens no network."""


def local_url(path: Path) -> str:
    """Return the name of a local file as FFmpeg takes it."""
    # Without the prefix FFmpeg takes 12:30.mp4 for a protocol, and http:host.mp4 for an address that it connects to.
    return f"file:{path}"


@contextmanager
def open_local_file(path: Path) -> Iterator[InputContainer]:
    """Open a local file for reading; nothing that it points at is opened.

    Raises:
        SourceError: it cannot be opened, or FFmpeg finds in the block that it is damaged.
    """
    try:
        # Tags of old cameras and programs are often in another encoding than UTF-8.
        with NATIVE_STEP:
            container = av.open(local_url(path), container_options=LOCAL_ONLY_OPTIONS, metadata_errors="replace")
        with container:
            yield container
    # Also what the block raises: many files open without an error and fail at a later packet.
    except FFmpegError as error:
        raise SourceError(
            f"{path} cannot be read whole: {error.strerror}. Check that it is a video, and complete."
        ) from error
