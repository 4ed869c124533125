"""Where things lie, and how a file comes to lie there: complete or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError, TargetError


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The folder in which everything is kept between runs."""

    root: Path

    @property
    def models(self) -> Path:
        """Weights of the detectors."""
        return self.root / "models"

    @property
    def checkpoints(self) -> Path:
        """Journals of unfinished detections; each is removed when its record is complete."""
        return self.root / "work"

    @property
    def remote_answers(self) -> Path:
        """What services answered, by what they were asked; paid for, and worth keeping."""
        return self.root / "answers"

    @property
    def sample_clips(self) -> Path:
        """The sample clip and what was made of it."""
        return self.root / "sample"

    @property
    def library(self) -> Path:
        """The library of sources that the workbench offers, and where it puts what is uploaded."""
        return self.root / "footage"

    @property
    def runs(self) -> Path:
        """Detections of sources, a folder each (see `engine.runs`)."""
        return self.root / "runs"

    @property
    def audit(self) -> Path:
        """The audit chain, one for the installation."""
        return self.root / "audit"

    @property
    def access(self) -> Path:
        """Accounts, the policy, the key."""
        return self.root / "access"

    @property
    def index(self) -> Path:
        """The index over the records; it may be deleted at any time."""
        return self.root / "index"


def find_data_folder(chosen: Path | str | None = None) -> DataFolder:
    """The data folder: `chosen`, else `$VEIL_DATA`, else `data` in the checkout, else `data` in the current folder."""
    if chosen is not None:
        return DataFolder(Path(chosen).absolute())
    if configured := os.environ.get("VEIL_DATA"):
        return DataFolder(Path(configured).absolute())
    checkout = Path(__file__).parents[2]
    home = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    return DataFolder(home / "data")


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, lower-case hexadecimal.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


@contextmanager
def open_atomic_write(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; renamed to `target` when the block ends well, removed when it does not.

    Raises:
        TargetError: the folder does not exist or cannot be written, or the disk is full.
    """
    with make_scratch_folder(target) as folder:
        unfinished = folder / target.name
        yield unfinished
        publish_file(unfinished, target)


@contextmanager
def make_scratch_folder(target: Path) -> Iterator[Path]:
    """A private folder on the file system of `target`, removed with all it holds when the block ends.

    Raises:
        TargetError: `target` is a folder, or its folder cannot be written.
    """
    if target.is_dir():
        raise TargetError(f"{target} is a folder; give the name of a file to write.")
    try:
        folder = Path(tempfile.mkdtemp(prefix=".veil-", dir=target.parent))
    except OSError as error:
        raise TargetError(
            f"{target} cannot be written: {error.strerror or error}. Choose a folder that you may write."
        ) from error
    try:
        with _raise_target_errors(target):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish_file(unfinished: Path, target: Path) -> None:
    """Bring a finished file to stable storage and give it its final name.

    Raises:
        TargetError: it cannot be renamed.
    """
    with _raise_target_errors(target):
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(target)


def write_file(target: Path, data: bytes) -> None:
    """Write a whole file, so that a reader sees all of it or what was there before.

    Raises:
        TargetError: it cannot be written.
    """
    with open_atomic_write(target) as unfinished:
        unfinished.write_bytes(data)


@contextmanager
def _raise_target_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise TargetError(f"{target} cannot be written: {error.strerror}. Nothing was left under that name.") from error
