"""The journal of a batch: which file was finished with which options, by hash. It is what makes a batch resumable."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from engine.core.json_decoder import decode_json
from engine.detectors.registry import DetectorPlan
from engine.errors import InputError, TargetError
from engine.record import DetectOptions, Document, Sha256, sha256_hex
from engine.rendering.terms import Terms
from engine.storage.append_only import (
    append_durably,
    open_append_only,
    read_file_end,
    repair_torn_line,
    split_torn_line,
)
from engine.storage.locks import lock_descriptor, try_lock_file

JOURNAL_NAME = "batch.jsonl"
_LOCK_NAME = ".batch.lock"


Step = Literal["detected", "done", "fetched", "published"]


class JournalEntry(Document, frozen=True):
    """One step of one file that was finished.

    Attributes:
        output: path of the output in the output folder.
        step: "detected": the record is complete; "done": the output passed its checks; "fetched": it was
            made from the file at `remote`; "published": it was uploaded to the folder `remote`.
        source_sha256: SHA-256 of the source.
        detection_sha256: hash of everything that decides about the record, see `hash_detection`.
        record_sha256: SHA-256 of the record.
        terms_sha256: hash of everything else that decides about the output; None for a record.
        output_sha256: SHA-256 of the output; None for a record.
        remote: address of the output folder, or address and state of the source.
    """

    output: str
    step: Step
    source_sha256: Sha256
    detection_sha256: Sha256
    record_sha256: Sha256
    terms_sha256: Sha256 | None = None
    output_sha256: Sha256 | None = None
    remote: str | None = None


class Journal:
    """The journal of an output folder, open for reading and appending. Create it with `open_journal`.

    The processes of a batch share it: each sees what the others have appended.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor, self._path = descriptor, path
        self._entries: dict[tuple[str, str], JournalEntry] = {}
        self._read_bytes = self._read_lines = 0
        self._read_new_entries()

    def find(self, output: str, step: Step) -> JournalEntry | None:
        """Return the last entry of an output for a step, None if there is none."""
        self._read_new_entries()
        return self._entries.get((output, step))

    def find_fetched(self, remote: str) -> JournalEntry | None:
        """Return the entry of the output that was made from a remote file in this state, None if there is none."""
        self._read_new_entries()
        return next(
            (entry for entry in self._entries.values() if entry.step == "fetched" and entry.remote == remote), None
        )

    def append(self, entry: JournalEntry) -> None:
        """Append an entry and bring it to stable storage.

        Raises:
            TargetError: it cannot be written.
        """
        try:
            with lock_descriptor(self._descriptor):
                # A process that was killed while it appended has left a torn line, an entry that was never
                # acknowledged: its file is simply worked on again.
                repair_torn_line(self._descriptor, read_file_end(self._descriptor), is_complete=False)
                append_durably(self._descriptor, msgspec.json.encode(entry, order="sorted") + b"\n")
        except OSError as error:
            raise TargetError(f"{self._path} cannot be written: {error.strerror}.") from error

    def _read_new_entries(self) -> None:
        size = os.fstat(self._descriptor).st_size
        if size == self._read_bytes:
            return
        data, _torn_line = split_torn_line(os.pread(self._descriptor, size - self._read_bytes, self._read_bytes))
        for line in data.splitlines():
            self._read_lines += 1
            entry = _parse_entry(line, self._path, self._read_lines)
            self._entries[entry.output, entry.step] = entry
        self._read_bytes += len(data)


@contextmanager
def hold_output_folder(folder: Path) -> Iterator[None]:
    """Create the output folder if it is missing; no other batch may use it while the block lasts.

    Raises:
        TargetError: the folder cannot be written.
        InputError: another batch works into this folder, or its journal is damaged.
    """
    with ExitStack() as stack:
        # Only what opens the files is inside the try: an error of the work itself says what it is about.
        with _raise_target_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(try_lock_file(folder / _LOCK_NAME))
            if lock is None:
                raise InputError(f"Another batch works into {folder}; wait for it, or choose another output folder.")
        # Read once before the work begins, so that a damaged journal ends the batch and not each of its files.
        with open_journal(folder):
            pass
        yield


@contextmanager
def open_journal(folder: Path) -> Iterator[Journal]:
    """Open the journal of an output folder that a batch holds.

    Raises:
        TargetError: the journal cannot be opened.
        InputError: the journal is damaged.
    """
    with ExitStack() as stack:
        with _raise_target_errors(folder):
            descriptor = stack.enter_context(open_append_only(folder / JOURNAL_NAME, mode=0o644))
        yield Journal(descriptor, folder / JOURNAL_NAME)


@contextmanager
def _raise_target_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TargetError(
            f"The output folder {folder} cannot be used ({error.strerror or error}): choose one that you may write."
        ) from error


def hash_detection(options: DetectOptions, plans: Sequence[DetectorPlan]) -> str:
    """Hash everything but the source that decides about a record; not, for example, the number of workers."""
    return _hash_json([
        [plan.facts for plan in plans], options.mode, options.fusion, options.tracking, options.smoothing,
        options.on_damage,
    ])  # fmt: skip


def hash_output_terms(terms: Terms) -> str:
    """Hash everything but source and record that decides about an output, the versions of the libraries included."""
    return _hash_json(terms)


def _hash_json(value: object) -> str:
    return sha256_hex(msgspec.json.encode(value, order="sorted"))


def _parse_entry(line: bytes, path: Path, number: int) -> JournalEntry:
    try:
        return decode_json(line, type=JournalEntry)
    except msgspec.DecodeError as error:
        raise InputError(
            f"Line {number} of {path} is not an entry of a batch ({error}): remove the file to start the batch anew."
        ) from error
