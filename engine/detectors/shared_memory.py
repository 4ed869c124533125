"""Anonymous shared memory for the pictures that a pool sends to its workers; it is freed with the last process."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Sequence

import numpy as np

from engine.core.geometry import Size
from engine.core.picture import Rgb

_ALIGNMENT_BYTES = 64
"""Pictures start at cache lines."""


class PictureSlot:
    """The pool's side: memory for the pictures of one task. It grows to the largest task and never shrinks."""

    def __init__(self) -> None:
        self.descriptor = _open_anonymous_file()
        self._memory: mmap.mmap | None = None

    @property
    def length_bytes(self) -> int:
        """Size in bytes."""
        return 0 if self._memory is None else len(self._memory)

    def fill(self, pictures: Sequence[Rgb]) -> None:
        """Copy pictures of any strides into the slot, in order."""
        sizes = [Size(picture.shape[1], picture.shape[0]) for picture in pictures]
        memory = self._grow_to(_picture_offsets(sizes)[-1])
        for picture, size, offset in zip(pictures, sizes, _picture_offsets(sizes), strict=False):
            np.copyto(_view_picture(memory, size, offset), picture)

    def close(self) -> None:
        """Free the memory; a slot must be closed once only."""
        if self._memory is not None:
            self._memory.close()
        os.close(self.descriptor)

    def _grow_to(self, length_bytes: int) -> mmap.mmap:
        if self._memory is None or self.length_bytes < length_bytes:
            # The file grows in place, because a worker gets its descriptors when it starts and cannot be given another
            # one.
            os.ftruncate(self.descriptor, max(length_bytes, mmap.PAGESIZE))
            if self._memory is not None:
                self._memory.close()
            self._memory = mmap.mmap(self.descriptor, 0)
        return self._memory


class MappedSlots:
    """A worker's side: the slots of its pool, mapped for reading."""

    def __init__(self, descriptors: Sequence[int]) -> None:
        self._descriptors = descriptors
        self._memories: dict[int, mmap.mmap] = {}

    def view_pictures(self, slot: int, length_bytes: int, sizes: Sequence[Size]) -> list[Rgb]:
        """Return read-only views of the pictures in a slot, which is now `length_bytes` bytes long."""
        # The pool may have made the slot longer since it was mapped; a mapping does not follow.
        memory = self._memories.get(slot)
        if memory is None or len(memory) != length_bytes:
            memory = self._memories[slot] = mmap.mmap(self._descriptors[slot], length_bytes, prot=mmap.PROT_READ)
        return [
            _view_picture(memory, size, offset) for size, offset in zip(sizes, _picture_offsets(sizes), strict=False)
        ]


def _open_anonymous_file() -> int:
    # A file without a name cannot stay behind with unmasked pictures in it when the processes are killed.
    if hasattr(os, "memfd_create"):
        return os.memfd_create("veil-pictures")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _picture_offsets(sizes: Sequence[Size]) -> list[int]:
    """Return the offset of each RGB picture and, last, the length of all of them, in bytes."""
    places = [0]
    for size in sizes:
        end = places[-1] + size.width * size.height * 3
        places.append(-(-end // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES)
    return places


def _view_picture(memory: mmap.mmap, size: Size, offset: int) -> Rgb:
    return np.ndarray((size.height, size.width, 3), np.uint8, buffer=memory, offset=offset)
