"""Which records are indexed, which are not any more, and how one comes into the index.

    FOLDER/<run>.json                          what is known of a run: where its tables lie, or why it has none
    FOLDER/<run>.<hash>.<random>/<table>.parquet

Each build makes a new folder and then replaces the small file that names it, so a reader sees the old tables or the new
ones. Old folders are removed a while later.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from engine import record as records
from engine.core.geometry import Size
from engine.core.progress import Listener
from engine.errors import RecordError, TargetError
from engine.index.tables import VERSION, seconds_of, tables_of
from engine.record import Count, Document, Sha256
from engine.review.apply import Folded
from engine.review.review_file import read_review
from engine.storage.files import Data, write

_GRACE = 60.0
"""Seconds that tables stay after others have taken their place, for those who are reading them."""
_ATTEMPTS = 5
_ROWS = 20_000
"""Rows in a group: a question about a stretch of time reads only the groups it touches."""


class Stamp(Document, frozen=True):
    """How a record and the amendments beside it looked on the disk: size in bytes and time of change of each."""

    record: tuple[int, int]
    review: tuple[int, int] | None


class Indexed(Document, frozen=True, tag="indexed", kw_only=True):
    """A run whose tables are in the index.

    Attributes:
        version: of the tables.
        run: its name in the index.
        record: path of the record.
        folder: name of the folder of its tables.
        seconds: length of the video.
        display: width and height of the frame that boxes live in.
        tracks: how many faces the record follows.
        faces: faces in all frames of the record together.
    """

    version: int
    run: str
    record: str
    stamp: Stamp
    folder: str
    record_sha256: Sha256
    review_sha256: Sha256
    amendments: Count
    source_sha256: Sha256
    mode: str
    detectors: tuple[str, ...]
    frames: Count
    seconds: float
    display: Size
    tracks: Count
    faces: Count


class Unreadable(Document, frozen=True, tag="unreadable", kw_only=True):
    """A run whose record cannot be indexed, with the sentence that says why."""

    version: int
    run: str
    record: str
    stamp: Stamp
    failure: str


Entry = Indexed | Unreadable


def records_of(data: Data) -> dict[str, Path]:
    """The finished record of every run in the data folder, by name of the run."""
    return {path.parent.name: path for path in sorted(data.runs.glob("*/detections.json"))}


def review_beside(record: Path) -> Path:
    """Where the amendments of a record lie."""
    return record.with_name("review.jsonl")


def entries(folder: Path, known: Mapping[str, Path]) -> dict[str, Entry]:
    """What the index knows of each run and is still true; others are missing here."""
    current: dict[str, Entry] = {}
    for run, record in known.items():
        entry = _entry(folder, run)
        if entry is not None and entry.record == str(record) and entry.stamp == _stamp(record):
            current[run] = entry
    return current


def stale(folder: Path, known: Mapping[str, Path]) -> tuple[str, ...]:
    """The runs that are not in the index as they are now."""
    current = entries(folder, known)
    return tuple(run for run in known if run not in current)


def rebuild(
    folder: Path, known: Mapping[str, Path], *, missing_only: bool = False, listener: Listener | None = None
) -> dict[str, Entry]:
    """Build the index from records, one after another; one that cannot be read does not stop the others.

    Only one process builds at a time; the next one then finds the work done. Readers do not wait.

    Args:
        folder: of the index; made when it is not there.
        known: paths of records by name of the run.
        missing_only: leave those that are indexed as they are now.
        listener: told of progress, one step a run.

    Raises:
        TargetError: the folder cannot be written.
    """
    with _alone(folder):
        wanted = stale(folder, known) if missing_only else tuple(known)
        for done, run in enumerate(wanted):
            if listener:
                listener.progress("index", done, len(wanted))
            _build_patiently(folder, run, known[run])
        _sweep(folder)
    return entries(folder, known)


def _build_patiently(folder: Path, run: str, path: Path) -> None:
    """Build a run, and begin again when somebody deletes the index meanwhile, which they may."""
    for left in reversed(range(_ATTEMPTS)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return _build(folder, run, path)
        except TargetError as error:
            if not left or not isinstance(error.__cause__, FileNotFoundError):
                raise
    return None


def _build(folder: Path, run: str, path: Path) -> None:
    stamp = _stamp(path)
    if stamp is None:
        return  # the run was removed meanwhile
    entry: Entry
    try:
        data = records.read_bytes(path)
        record, sha256 = records.decode(data, str(path)), records.digest(data)
        review = read_review(review_beside(path), sha256, missing_ok=True)
        folded = Folded(record, review)
    except RecordError as error:
        entry = Unreadable(version=VERSION, run=run, record=str(path), stamp=stamp, failure=str(error))
    else:
        name = _write_tables(folder, run, folded, sha256)
        entry = Indexed(
            version=VERSION,
            run=run,
            record=str(path),
            stamp=stamp,
            folder=name,
            record_sha256=sha256,
            review_sha256=review.sha256,
            amendments=len(review.amendments),
            source_sha256=record.source.sha256,
            mode=record.detection.mode,
            detectors=tuple(detector.name for detector in record.detection.detectors),
            frames=len(record.frames),
            seconds=seconds_of(record)[-1],
            display=record.display,
            tracks=len({face.track for frame in record.frames for face in frame.faces}),
            faces=sum(len(frame.faces) for frame in record.frames),
        )
    _retire(folder, run)
    write(folder / f"{run}.json", records.encode(entry))


def _retire(folder: Path, run: str) -> None:
    """From now on the grace runs for the tables that are about to be replaced."""
    previous = _entry(folder, run)
    if isinstance(previous, Indexed):
        os.utime(folder / previous.folder)


def _write_tables(folder: Path, run: str, folded: Folded, sha256: str) -> str:
    """Write the tables of a record into a new folder; returns its name."""
    name = f"{run}.{sha256[:12]}.{secrets.token_hex(4)}"
    try:
        unfinished = Path(tempfile.mkdtemp(prefix=".building-", dir=folder))
        for table, rows in tables_of(run, folded).items():
            pq.write_table(rows, unfinished / f"{table}.parquet", row_group_size=_ROWS)
        unfinished.rename(folder / name)
    except OSError as error:
        raise TargetError(
            f"The index in {folder} cannot be written: {error.strerror or error}. Free space there, or try again."
        ) from error
    return name


def _entry(folder: Path, run: str) -> Entry | None:
    """What is stored of a run; None when it is nothing that this version wrote: then it is built again."""
    try:
        entry = msgspec.json.decode((folder / f"{run}.json").read_bytes(), type=Indexed | Unreadable)
    except (OSError, msgspec.MsgspecError):
        return None
    if entry.version != VERSION or (isinstance(entry, Indexed) and not (folder / entry.folder).is_dir()):
        return None
    return entry


def _stamp(record: Path) -> Stamp | None:
    found = _looks(record)
    return Stamp(found, _looks(review_beside(record))) if found else None


def _looks(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process builds at a time; the lock ends with the process that holds it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise TargetError(f"The index in {folder} cannot be written: {error.strerror}.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove what no run points to any more."""
    used = set()
    for path in folder.glob("*.json"):
        entry = _entry(folder, path.stem)
        if entry is None or not Path(entry.record).exists():
            path.unlink(missing_ok=True)
        elif isinstance(entry, Indexed):
            used.add(entry.folder)
    for path in folder.iterdir():
        if path.is_dir() and path.name not in used and time.time() - path.stat().st_mtime > _GRACE:
            shutil.rmtree(path, ignore_errors=True)
