"""Answers that were paid for, kept by what was asked, so that nothing is paid for twice."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from engine.record import Document, encode
from engine.storage.files import write


class Answer(Document, frozen=True):
    """What a service said of one picture.

    Attributes:
        request: its name for the call.
        faces: left, top, width and height as shares of the picture's sides, and confidence in percent.
    """

    request: str
    faces: tuple[tuple[float, float, float, float, float], ...]


class Answers:
    """Answers in a folder, one a file, shared by threads and processes.

    Args:
        folder: made when it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def claimed(self, key: str) -> Iterator[Answer | None]:
        """Hold the right to ask for `key` while the block lasts; the answer, if there is one already.

        Waits for another thread or process that is asking for the same. A process that dies lets go of its claims.
        """
        claim = self._claim(self._path(key).with_suffix(".asking"))
        try:
            yield self._kept(self._path(key))
        finally:
            self._path(key).with_suffix(".asking").unlink(missing_ok=True)
            os.close(claim)

    def keep(self, key: str, answer: Answer) -> None:
        """Bring an answer to stable storage.

        Raises:
            TargetError: it cannot be written.
        """
        write(self._path(key), encode(answer))

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"

    @staticmethod
    def _claim(path: Path) -> int:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            claim = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(claim, fcntl.LOCK_EX)
            if os.fstat(claim).st_nlink:
                return claim
            # Whoever had it has removed the file meanwhile: the next one to come would not see this claim.
            os.close(claim)

    @staticmethod
    def _kept(path: Path) -> Answer | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=Answer)
        except FileNotFoundError:
            return None
