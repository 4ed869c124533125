"""Answers that were paid for, kept by what was asked, so that nothing is paid for twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from engine.record import Document, encode_document
from engine.storage.files import write_file
from engine.storage.locks import lock_and_remove_file


class ServiceAnswer(Document, frozen=True):
    """What a service said of one picture.

    Attributes:
        request: its name for the call.
        faces: left, top, width and height as shares of the picture's sides, and confidence in percent.
    """

    request: str
    faces: tuple[tuple[float, float, float, float, float], ...]


class AnswerCache:
    """Answers in a folder, one a file, shared by threads and processes.

    Args:
        folder: made when it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def lock_key(self, key: str) -> Iterator[ServiceAnswer | None]:
        """Hold the right to ask for `key` while the block lasts; the answer, if there is one already.

        Waits for another thread or process that is asking for the same. A process that dies lets go of its claims.
        """
        path = self._answer_path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with lock_and_remove_file(path.with_suffix(".asking")):
            yield self._read_answer(path)

    def store_answer(self, key: str, answer: ServiceAnswer) -> None:
        """Bring an answer to stable storage.

        Raises:
            TargetError: it cannot be written.
        """
        write_file(self._answer_path(key), encode_document(answer))

    def _answer_path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"

    @staticmethod
    def _read_answer(path: Path) -> ServiceAnswer | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=ServiceAnswer)
        except FileNotFoundError:
            return None
