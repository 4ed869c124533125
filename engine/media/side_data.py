"""What a decoded frame carries beside its samples."""

from __future__ import annotations

from typing import Any

from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame


def read_side_data(frame: VideoFrame) -> dict[Type, bytes]:
    """The bytes of each kind of side data, the last of a kind; none when there is a kind that PyAV does not know.

    That is so for photographs with Exif data, whose orientation `VideoFrame.rotation` still tells.
    """
    try:
        entries: Any = frame.side_data  # PyAV's stub takes it for a mapping of names
    except ValueError:
        return {}
    return {entry.type: bytes(entry) for entry in entries}
