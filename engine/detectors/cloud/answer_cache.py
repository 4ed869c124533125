"""A cache of paid answers by request, so that no request is paid for twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.core.json_decoder import decode_json
from engine.record import Document, encode_document
from engine.storage.files import make_private_folder, write_file
from engine.storage.locks import lock_and_remove_file


class ServiceAnswer(Document, frozen=True):
    """The answer of a service for one picture.

    Attributes:
        request: request id that the service returned.
        faces: left, top, width and height as shares of the picture's sides, and confidence in percent.
    """

    request: str
    faces: tuple[tuple[float, float, float, float, float], ...]


class AnswerCache:
    """Answers in a folder, one file each, shared by threads and processes.

    Args:
        folder: the folder; it is created if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def lock_key(self, key: str) -> Iterator[ServiceAnswer | None]:
        """Lock a request while the block runs, and yield its answer; None if there is none yet.

        Waits for another thread or process with the same request. The locks of a process that dies are released.
        """
        # One lock for each request, so that only calls with the same picture wait for each other.
        path = self._answer_path(key)
        make_private_folder(path.parent)
        with lock_and_remove_file(path.with_suffix(".asking")):
            yield self._read_answer(path)

    def store_answer(self, key: str, answer: ServiceAnswer) -> None:
        """Write an answer to stable storage.

        Raises:
            TargetError: it cannot be written.
        """
        write_file(self._answer_path(key), encode_document(answer))

    def _answer_path(self, key: str) -> Path:
        # Two characters of the hash spread the files over 256 folders: an hour of video has about 100,000 frames.
        return self._folder / key[:2] / f"{key}.json"

    @staticmethod
    def _read_answer(path: Path) -> ServiceAnswer | None:
        try:
            return decode_json(path.read_bytes(), type=ServiceAnswer)
        except FileNotFoundError:
            return None
