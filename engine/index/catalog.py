"""The catalog of the index: which records are in it, and building the tables of a record.

    FOLDER/<run>.json                                what is known of a run: its tables, or why it has none
    FOLDER/<run>.<hash>.<random>/<table>.parquet

A build writes a new folder and then replaces the small file that names it, so a reader sees either the old tables or
the new ones, and needs no lock. Old folders are removed after a grace period.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from engine.core.geometry import Size
from engine.core.json_decoder import decode_json
from engine.core.progress import ProgressListener
from engine.errors import RecordError, TargetError
from engine.index.tables import TABLES_VERSION, build_tables, compute_frame_times_s
from engine.record import Count, DetectionConfig, Document, Sha256, encode_document, read_hashed_record
from engine.review.apply import AmendedRecord
from engine.review.review_file import read_review
from engine.storage.data_folder import RECORD_NAME, REVIEW_NAME, DataFolder
from engine.storage.files import make_private_folder, write_file
from engine.storage.locks import lock_file

_LOCK_NAME = ".lock"
"""Name of the lock file of builds in the folder of the index."""
_GRACE_PERIOD_S = 60.0
"""Time that replaced tables are kept, for processes that are still reading them."""
_UNFINISHED_PREFIX = ".building-"
_MAX_ATTEMPTS = 5
"""Number of attempts to build a run while the index is deleted under it."""
_ROW_GROUP_ROWS = 20_000
"""Rows in a row group. Rows are sorted by frame, so a query about a stretch of time reads only the groups in it."""


class RecordStamp(Document, frozen=True):
    """Size in bytes and modification time in nanoseconds of a record, and of the review beside it."""

    record: tuple[int, int]
    review: tuple[int, int] | None


class IndexedRun(Document, frozen=True, tag="indexed", kw_only=True):
    """A run whose tables are in the index.

    Attributes:
        version: Version of the tables.
        run: Name of the run in the index.
        record: Path of the record.
        folder: Name of the folder of its tables.
        seconds: Length of the video.
        display: Size of the frames in display pixels.
        settings: Parameters of the detectors and settings of the timeline by name, as `centerface.threshold`.
        tracks: Number of tracks of the record.
        faces: Number of faces of all frames of the record.
    """

    version: int
    run: str
    record: str
    stamp: RecordStamp
    folder: str
    record_sha256: Sha256
    review_sha256: Sha256
    amendments: Count
    source_sha256: Sha256
    mode: str
    detectors: tuple[str, ...]
    settings: dict[str, str]
    frames: Count
    seconds: float
    display: Size
    tracks: Count
    faces: Count


class UnreadableRun(Document, frozen=True, tag="unreadable", kw_only=True):
    """A run whose record cannot be indexed, with the error message."""

    version: int
    run: str
    record: str
    stamp: RecordStamp
    failure: str


CatalogEntry = IndexedRun | UnreadableRun


def find_records(data: DataFolder) -> dict[str, Path]:
    """Find the finished records in the data folder; return their paths by the name of the run."""
    return {path.parent.name: path for path in sorted(data.runs.glob(f"*/{RECORD_NAME}"))}


def review_path_from_record(record: Path) -> Path:
    """Return the path of the review that belongs to a record."""
    return record.with_name(REVIEW_NAME)


def load_entries(folder: Path, record_paths: Mapping[str, Path]) -> dict[str, CatalogEntry]:
    """Load the entries that are up to date; runs that are missing or stale are left out."""
    current: dict[str, CatalogEntry] = {}
    for run, record in record_paths.items():
        entry = _read_entry(folder, run)
        if entry is not None and entry.record == str(record) and entry.stamp == _read_stamp(record):
            current[run] = entry
    return current


def find_stale_runs(folder: Path, record_paths: Mapping[str, Path]) -> tuple[str, ...]:
    """Return the runs that are missing from the index, or changed since they were indexed."""
    current = load_entries(folder, record_paths)
    return tuple(run for run in record_paths if run not in current)


def rebuild_index(
    folder: Path,
    record_paths: Mapping[str, Path],
    *,
    missing_only: bool = False,
    listener: ProgressListener | None = None,
) -> dict[str, CatalogEntry]:
    """Build the tables of records one after another. A record that cannot be read does not stop the others.

    Only one process builds at a time; the next one then finds the work done. Readers do not wait.

    Args:
        folder: Folder of the index; created if it does not exist.
        record_paths: Paths of the records by the name of the run.
        missing_only: Skip the runs that are up to date.
        listener: Receives the progress, one step per run.

    Raises:
        TargetError: The folder cannot be written.
    """
    with _lock_index(folder):
        # Asked again under the lock: the process that held it before may have built these runs.
        wanted = find_stale_runs(folder, record_paths) if missing_only else tuple(record_paths)
        for done, run in enumerate(wanted):
            if listener:
                listener.progress("index", done, len(wanted))
            _build_with_retries(folder, run, record_paths[run])
        _remove_unused_tables(folder)
    return load_entries(folder, record_paths)


def _build_with_retries(folder: Path, run: str, path: Path) -> None:
    """Build a run, and start again if the index is deleted meanwhile, which is allowed at any time."""
    for attempts_left in reversed(range(_MAX_ATTEMPTS)):
        try:
            make_private_folder(folder)
            return _build_run(folder, run, path)
        except TargetError as error:
            if not attempts_left or not isinstance(error.__cause__, FileNotFoundError):
                raise
    return None


def _build_run(folder: Path, run: str, path: Path) -> None:
    # Read before the record: if the record changes meanwhile, the stamp is too old, and the run is built again.
    stamp = _read_stamp(path)
    if stamp is None:
        return  # the run was removed meanwhile
    entry: CatalogEntry
    try:
        record, sha256 = read_hashed_record(path)
        review = read_review(review_path_from_record(path), sha256, missing_ok=True)
        folded = AmendedRecord(record, review)
    except RecordError as error:
        entry = UnreadableRun(version=TABLES_VERSION, run=run, record=str(path), stamp=stamp, failure=str(error))
    else:
        name = _write_tables(folder, run, folded, sha256)
        entry = IndexedRun(
            version=TABLES_VERSION,
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
            settings=_list_settings(record.detection),
            frames=len(record.frames),
            seconds=compute_frame_times_s(record)[-1],
            display=record.display,
            tracks=len({face.track for frame in record.frames for face in frame.faces}),
            faces=sum(len(frame.faces) for frame in record.frames),
        )
    _start_grace_period(folder, run)
    write_file(folder / f"{run}.json", encode_document(entry))


def _list_settings(detection: DetectionConfig) -> dict[str, str]:
    """Return every setting of a detection as text, by part and name."""
    parts: dict[str, Mapping[str, object]] = {facts.name: facts.parameters for facts in detection.detectors}
    for part in ("fusion", "tracking", "smoothing"):
        parts[part] = msgspec.structs.asdict(getattr(detection, part))
    return {
        f"{part}.{name}": _format_setting(value) for part, values in parts.items() for name, value in values.items()
    }


def _format_setting(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _start_grace_period(folder: Path, run: str) -> None:
    """Start the grace period of the tables that are about to be replaced."""
    # The modification time of a folder is when its tables were written. Counted from there, tables that were built long
    # ago would be removed at once, under the processes that read them.
    previous = _read_entry(folder, run)
    if isinstance(previous, IndexedRun):
        os.utime(folder / previous.folder)


def _write_tables(folder: Path, run: str, amended_record: AmendedRecord, sha256: str) -> str:
    """Write the tables of a record into a new folder and return its name."""
    name = f"{run}.{sha256[:12]}.{secrets.token_hex(4)}"
    try:
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED_PREFIX, dir=folder))
        for table, rows in build_tables(run, amended_record).items():
            pq.write_table(rows, unfinished / f"{table}.parquet", row_group_size=_ROW_GROUP_ROWS)
        # A reader never sees a folder with only some of its tables, because it gets its name when all are written.
        unfinished.rename(folder / name)
    except OSError as error:
        raise TargetError(
            f"The index in {folder} cannot be written: {error.strerror or error}. Free space there, or try again."
        ) from error
    return name


def _read_entry(folder: Path, run: str) -> CatalogEntry | None:
    """Read the entry of a run; None if this version of Veil did not write it, so that the run is built again."""
    try:
        entry = decode_json((folder / f"{run}.json").read_bytes(), type=IndexedRun | UnreadableRun)
    except (OSError, msgspec.MsgspecError):
        return None
    if entry.version != TABLES_VERSION or (isinstance(entry, IndexedRun) and not (folder / entry.folder).is_dir()):
        return None
    return entry


def _read_stamp(record: Path) -> RecordStamp | None:
    found = _stat_file(record)
    return RecordStamp(found, _stat_file(review_path_from_record(record))) if found else None


def _stat_file(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


@contextmanager
def _lock_index(folder: Path) -> Iterator[None]:
    """One process builds at a time; the lock ends with the process that holds it."""
    with ExitStack() as stack:
        make_private_folder(folder)
        try:
            stack.enter_context(lock_file(folder / _LOCK_NAME))
        except OSError as error:
            raise TargetError(f"The index in {folder} cannot be written: {error.strerror}.") from error
        yield


def _remove_unused_tables(folder: Path) -> None:
    """Remove entries without a record, and folders without an entry."""
    used = set()
    for path in folder.glob("*.json"):
        entry = _read_entry(folder, path.stem)
        if entry is None or not Path(entry.record).exists():
            path.unlink(missing_ok=True)
        elif isinstance(entry, IndexedRun):
            used.add(entry.folder)
    for path in folder.iterdir():
        if not path.is_dir() or path.name in used:
            continue
        # The lock is held, so what another builder has left unfinished was killed; no reader ever sees such a folder.
        is_left_behind = path.name.startswith(_UNFINISHED_PREFIX)
        if is_left_behind or time.time() - path.stat().st_mtime > _GRACE_PERIOD_S:
            shutil.rmtree(path, ignore_errors=True)
