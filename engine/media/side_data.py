"""Reads what a decoded frame carries besides its samples."""

from __future__ import annotations

from typing import Any

from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame


def read_side_data(frame: VideoFrame) -> dict[Type, bytes]:
    """Return the bytes of each kind of side data; of several of one kind, the last.

    The result is empty if the frame has a kind that PyAV does not know, such as the Exif data of a photograph, for
    which `VideoFrame.rotation` still gives the rotation.
    """
    # PyAV raises for a kind it has no name for, and then gives none of the others either.
    try:
        entries: Any = frame.side_data  # PyAV's stub declares a mapping of names
    except ValueError:
        return {}
    return {entry.type: bytes(entry) for entry in entries}
