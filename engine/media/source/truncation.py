"""Detects a file that is shorter than its container says, as after an interrupted copy or recording."""

from __future__ import annotations

from pathlib import Path

from engine.media.containers import container_family


def find_truncation(path: Path, container: str) -> str | None:
    """Return why the file cannot be complete, judging by its container's structure; None if nothing indicates that.

    MOV and MP4, Matroska and WebM, and AVI state sizes, and a transport stream consists of equal packets. Other
    containers state nothing, and neither may a recording that was never closed.
    """
    find_end = container_family(container).find_end
    if find_end is None:
        return None
    # Only the outermost layer is read: a few small reads, however large the file is.
    size = path.stat().st_size
    with path.open("rb") as file:
        return "its container declares more bytes than the file has" if find_end(file, size) > size else None
