"""Checkpoints: detections saved while a detection runs, so that it resumes after an interruption.

A checkpoint is a file with one line for each batch of frames: a CRC-32 in hexadecimal, a space, JSON. Its name is a
hash of the source and of everything that decides what the detectors find, so a run with other parameters never reads
it. A line that a crash cut short is dropped, and its batch is detected again.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

from engine.detection.frame_detections import FrameDetections, decode_frames, encode_frames
from engine.errors import SourceBusyError
from engine.record import Document, encode_document, sha256_hex
from engine.storage.files import make_private_folder
from engine.storage.locks import try_lock_descriptor

_TAKE_OVER_S = 2.0
"""Time in which the processes of an attempt that was killed end, and with them their lock."""
_RETRY_S = 0.05


class Checkpoint:
    """Batches of frames with their detections, appended in order.

    Use as a context manager, which holds the file's lock.

    Args:
        folder: folder of the checkpoints.
        key: document with everything that decides what the detectors find.

    Attributes:
        resumed_frame_count: number of frames that were there when the checkpoint was opened.

    Raises:
        SourceBusyError: on entering, if another process detects the same source with the same parameters.
    """

    def __init__(self, folder: Path, key: Document) -> None:
        self._path = folder / f"{sha256_hex(encode_document(key))[:32]}.journal"
        self._batch_count = 0
        self._frame_count = 0

    def __enter__(self) -> Self:
        make_private_folder(self._path.parent)
        self._file = self._open_locked()
        self._drop_torn_lines()
        self.resumed_frame_count = self._frame_count
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def batch_count(self) -> int:
        """Number of batches."""
        return self._batch_count

    @property
    def frame_count(self) -> int:
        """Number of frames in all batches."""
        return self._frame_count

    def _open_locked(self) -> io.BufferedRandom:
        deadline_s = monotonic() + _TAKE_OVER_S
        while True:
            # Opened each time: whoever holds the lock may remove the file before giving it up.
            file = self._path.open("a+b")
            if try_lock_descriptor(file.fileno()):
                return file
            file.close()
            if monotonic() >= deadline_s:
                raise SourceBusyError(
                    "This source is being detected with the same parameters by another process; wait for it, or stop "
                    "it."
                )
            sleep(_RETRY_S)

    def append_batch(self, batch: tuple[FrameDetections, ...]) -> None:
        """Append the next batch. It survives the end of this process from here on."""
        # Flushed to the kernel but not synced: a power failure costs a few batches, a sync would cost time for each.
        line = encode_frames(batch)
        self._file.write(b"%08x %s\n" % (zlib.crc32(line), line))
        self._file.flush()
        self._batch_count += 1
        self._frame_count += len(batch)

    def read_frames(self) -> Iterator[FrameDetections]:
        """Read all frames in order."""
        # Through a file object of its own, so that two readers do not move each other's place.
        with self._path.open("rb") as file:
            for line in file:
                yield from _parse_line(line) or ()

    def discard(self) -> None:
        """Remove the file, once its detections are in a record."""
        self._path.unlink(missing_ok=True)

    def _drop_torn_lines(self) -> None:
        # Everything after the first damaged line is dropped: batches must follow each other without a gap.
        self._file.seek(0)
        whole = 0
        for line in self._file:
            chunk = _parse_line(line)
            if chunk is None:
                break
            whole += len(line)
            self._batch_count += 1
            self._frame_count += len(chunk)
        self._file.truncate(whole)
        self._file.seek(0, io.SEEK_END)


class CheckpointFrames(Collection[FrameDetections]):
    """All frames of a checkpoint, read anew from the file by each loop over them."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint

    def __len__(self) -> int:
        return self._checkpoint.frame_count

    def __iter__(self) -> Iterator[FrameDetections]:
        return self._checkpoint.read_frames()

    def __contains__(self, frame: object) -> bool:
        return any(one == frame for one in self)


def _parse_line(line: bytes) -> tuple[FrameDetections, ...] | None:
    checksum, _, body = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(body):
        return None
    return decode_frames(body)
