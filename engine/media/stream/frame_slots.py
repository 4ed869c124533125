"""Shared memory in which one process puts normalised frames and another one takes them out.

The memory is a file without a name, so that no unmasked picture stays behind when the processes are killed. The process
that takes frames out reads it like a file: whatever the other process does to its length, that is a short read and no
signal, as it would be with a mapping.
"""

from __future__ import annotations

import mmap
import os
from typing import Any

import msgspec
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.errors import SourceError
from engine.media.pixels import picture_from_frame

_PIXEL_FORMAT = "yuv420p"


class SlotPicture(msgspec.Struct, frozen=True):
    """What has to be known of a picture in a slot: its size, and its colour tags by FFmpeg's numbers."""

    size: Size
    matrix: int
    primaries: int
    transfer: int


class FrameSlot:
    """The side that takes frames out. It owns the memory."""

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("veil-frame")

    def read_frame(self, picture: SlotPicture) -> VideoFrame:
        """Return a copy of the frame that was put in last.

        Raises:
            SourceError: the memory is too short for it.
        """
        frame = VideoFrame(picture.size.width, picture.size.height, _PIXEL_FORMAT)
        planes: list[Any] = list(frame.planes)  # Python 3.11 has no type for objects with a buffer
        if os.preadv(self.descriptor, planes, 0) != sum(plane.buffer_size for plane in frame.planes):
            raise SourceError("A frame of the source did not arrive whole. Start the run again.")
        frame.color_range = ColorRange.MPEG
        frame.colorspace, frame.color_primaries, frame.color_trc = picture.matrix, picture.primaries, picture.transfer
        return frame

    def close(self) -> None:
        """Free the memory as soon as the other process has ended; a slot must be closed once only."""
        os.close(self.descriptor)


class SlotWriter:
    """The side that puts frames in.

    Args:
        descriptor: memory of a `FrameSlot`.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size: Size | None = None
        self._planes: list[NDArray[np.uint8]] = []

    def write_frame(self, frame: VideoFrame) -> SlotPicture:
        """Put a frame of 8-bit 4:2:0 in, in place of the one before."""
        size = Size(frame.width, frame.height)
        if size != self._size:
            self._map_planes(size)
        for target, plane in zip(self._planes, picture_from_frame(frame, read_only=True).planes, strict=True):
            np.copyto(target, plane)
        return SlotPicture(size, frame.colorspace, frame.color_primaries, frame.color_trc)

    def _map_planes(self, size: Size) -> None:
        # Rows as long as in a new frame, so that the other side reads each plane in one piece.
        layout = VideoFrame(size.width, size.height, _PIXEL_FORMAT).planes
        length = sum(plane.buffer_size for plane in layout)
        os.ftruncate(self._descriptor, length)
        memory, offset = mmap.mmap(self._descriptor, length), 0
        self._size, self._planes = size, []
        for plane in layout:
            rows = np.ndarray((plane.height, plane.line_size), np.uint8, buffer=memory, offset=offset)
            self._planes.append(rows[:, : plane.width])
            offset += plane.buffer_size
