"""Caches of the server, for everything that is too expensive to read at every rerun.

Cached values are frozen and shared by all sessions. Each is keyed by the stamps of its files, so that a file that was
replaced is read again.

`st.cache_resource` is only for what people wait for long, because it shows a spinner. The rest is in an `lru_cache`,
which the API routes can use without a Streamlit session. `st.cache_data` would copy the values at each rerun.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import streamlit as st

from engine import release, runs
from engine.approval.reviewer_actions import read_viewed_ranges
from engine.assurance.residual_risk import ResidualRisk
from engine.audio.compare import StreamLocation
from engine.audio.spans import AudioSpan
from engine.audit.log import log_path
from engine.core.frame_ranges import FrameRange
from engine.evaluation.ground_truth import parse_truth
from engine.evaluation.record_diff import Account, RecordDiff, compare_accounts, list_detected, list_masked
from engine.evaluation.run_scores import RunScores, merge_truths, score_runs
from engine.index import Database
from engine.masking.style import Style
from engine.media.facts import MediaInfo
from engine.media.source.probe import probe
from engine.record import Record, parse_ratio, read_record
from engine.rendering.terms import RenderOptions
from engine.review.amendments import Review
from engine.review.apply import AmendedRecord
from engine.review.queue import ReviewItem, find_review_items
from engine.review.review_file import read_review
from engine.runs import Run
from engine.storage.data_folder import DataFolder
from engine.storage.files import hash_file
from workbench.core.background import BackgroundTasks
from workbench.core.track_lanes import TrackLanes, build_lanes
from workbench.core.viewing import get_viewers

TruthText = tuple[str, str]
"""Name and text of a table of ground truth."""


class AccountSource(NamedTuple):
    """What is said about a video in a comparison: by one detector of a run, or by its record.

    Attributes:
        record: path of the record.
        record_sha256: hash of its bytes.
        review: path of the review to apply; empty: the record as detected.
        review_sha256: hash of that review, so that a new amendment is seen.
        detector: name of the detector; empty: what the record masks.
    """

    record: str
    record_sha256: str
    review: str = ""
    review_sha256: str = ""
    detector: str = ""


class ClipRecord(NamedTuple):
    """A record to compare with ground truth: the file of the table, path of the record, and hash of its bytes."""

    clip: str
    path: str
    sha256: str


FileStamp = tuple[int, int, int, int]
"""Inode, size and times of change of a file and of its node. At least one of them changes when the file is replaced."""

_MAX_MISSES = 500
"""Most missed faces of an evaluation, the largest first."""
_MAX_RECORDS = 4
"""Most cached records; the record of an hour of video takes about 200 MB."""


def get_record(run: Run) -> Record:
    """Return the detection record of a run.

    Raises:
        RecordError: the record is missing or cannot be read.
    """
    return _load_record(str(run.folder.record), read_file_stamp(run.folder.record))


def get_media_info(source: Path) -> MediaInfo:
    """Probe a file; the result is cached until the file changes.

    Raises:
        SourceError: the file is not a readable video.
    """
    return _probe_file(str(source), read_file_stamp(source))


def get_record_digest(run: Run) -> str:
    """Return the SHA-256 of the stored bytes of a record.

    Raises:
        InputError: the record cannot be read.
    """
    return _hash_file(str(run.folder.record), read_file_stamp(run.folder.record))


def get_review_state(run: Run) -> tuple[Review, AmendedRecord]:
    """Return the current review of a run, and the record with the review applied.

    Raises:
        RecordError: the record is not there, or it or its review cannot be read.
    """
    record, review = run.folder.record, run.folder.review
    return _apply_review(str(record), read_file_stamp(record), str(review), read_file_stamp(review))


def get_review_items(run: Run) -> tuple[ReviewItem, ...]:
    """Return the items to check of a record without its amendments, the greatest risk first."""
    return _find_items(str(run.folder.record), read_file_stamp(run.folder.record))


def get_track_lanes(run: Run) -> TrackLanes:
    """Return the lanes of a record without its amendments."""
    return _build_lanes(str(run.folder.record), read_file_stamp(run.folder.record))


def get_viewed_by_account(data: DataFolder, run: Run) -> Mapping[str, tuple[FrameRange, ...]]:
    """Return the viewed frames of a run by account.

    Raises:
        AuditError: the log cannot be read.
    """
    log = log_path(data.audit)
    return _read_viewed(str(data.root), run.id, get_record_digest(run), str(log), read_file_stamp(log))


def get_index_database(folder: Path) -> Database:
    """Return the database of an index folder. All sessions share it; each query has its own cursor."""
    return _open_database(str(folder))


def get_signed_options(data: DataFolder, run: Run) -> RenderOptions:
    """Return style, encoder and audio that were signed last, or the defaults if nothing is signed.

    Raises:
        SignOffError: a signature is damaged.
        AuditError: the audit log cannot be read.
    """
    return _read_signed_options(
        str(data.root), run.id, (read_file_stamp(run.folder.signatures), read_file_stamp(log_path(data.audit)))
    )


def get_sign_off_snapshot(
    data: DataFolder, run: Run, style: Style | None, audio: tuple[AudioSpan, ...] | None = None
) -> release.SignOffSnapshot:
    """Return a run as it would be signed now.

    Args:
        data: the data folder.
        run: the run.
        style: the chosen style; None: the style that was signed last.
        audio: the chosen spans; None: the spans that were signed last.

    Raises:
        VeilError: as `engine.release.open_snapshot` raises.
    """
    folder = run.folder
    # Accounts and policy decide which signatures count, so a change of them must be seen at once.
    access = (data.people, data.policy)
    parts = (run.source, folder.record, folder.review, folder.signatures, *access, log_path(data.audit))
    snapshot = _open_snapshot(str(data.root), run.id, tuple(map(read_file_stamp, parts)))
    signed = snapshot.terms.options
    wanted = msgspec.structs.replace(
        signed, style=style or signed.style, audio=signed.audio if audio is None else audio
    )
    # `force` accepted the weaknesses of the signed style, not those of another one.
    if wanted.style != signed.style:
        wanted = msgspec.structs.replace(wanted, force=False)
    return snapshot if wanted == signed else release.replace_terms(snapshot, wanted)


def get_audio_excerpt(
    run: Run, stream_index: int, stream_number: int, spans: tuple[AudioSpan, ...], window_s: tuple[float, float]
) -> bytes:
    """Return an excerpt of an audio stream as it would be released, as a WAV file.

    Args:
        run: the run.
        stream_index: index of the stream in the source.
        stream_number: number of the stream among those of the output, from 1.
        spans: the spans to mute or bleep.
        window_s: start and end in seconds from the first frame.

    Raises:
        InputError: there is no audio in this window.
        SourceError: the audio cannot be decoded.
    """
    record = get_record(run)
    origin = record.frames[0].pts * parse_ratio(record.source.video.time_base)
    stream = StreamLocation(run.source, stream_index, origin)
    return _make_excerpt(stream, read_file_stamp(run.source), stream_number, spans, window_s)


def get_residual_risk(data: DataFolder, run: Run) -> ResidualRisk:
    """Return the residual risk of a run.

    Raises:
        VeilError: as `engine.release.compute_residual_risk` raises.
    """
    parts = (
        run.folder.record,
        run.folder.review,
        run.folder.frame_audit,
        run.folder.planted_report,
        log_path(data.audit),
    )
    return _measure_risk(str(data.root), run.id, tuple(map(read_file_stamp, parts)))


def get_run_scores(tables: tuple[TruthText, ...], records: tuple[ClipRecord, ...]) -> RunScores:
    """Compare the records of runs with the same settings with tables of ground truth.

    Args:
        tables: name and text of each table.
        records: the records, each with the file of the tables that it belongs to.

    Raises:
        InputError: a table cannot be read, two describe the same file, or one does not describe the source of a record.
    """
    return _score_runs(tables, records)


def get_account(source: AccountSource) -> Account:
    """Return the boxes of each frame that a record, a reviewed record or a detector has.

    Raises:
        RecordError: the record or its review cannot be read.
    """
    return _load_account(source)


def get_diff(first: AccountSource, second: AccountSource, frames: tuple[int, int]) -> RecordDiff:
    """Compare two accounts of the same video in a range of frames.

    Raises:
        RecordError: a record or its review cannot be read.
    """
    return _compare_accounts(first, second, frames)


@st.cache_resource
def get_background_tasks() -> BackgroundTasks:
    """Return the background tasks of this server."""
    return BackgroundTasks()


def read_file_stamp(path: Path) -> FileStamp:
    """Return the stamp of a file; zeros if it does not exist.

    With the time of the last change of its node, which a program that sets the other time back cannot set.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0, 0, 0
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@lru_cache(maxsize=_MAX_RECORDS)
def _load_record(path: str, _stamp: FileStamp) -> Record:
    return read_record(Path(path))


@st.cache_resource(max_entries=64, show_spinner="Reading the file")
def _probe_file(path: str, stamp: FileStamp) -> MediaInfo:  # noqa: ARG001 - Streamlit leaves names that begin with _ out of the key
    return probe(Path(path))


@st.cache_resource(max_entries=16, show_spinner="Comparing the records with the truth")
def _score_runs(tables: tuple[TruthText, ...], records: tuple[ClipRecord, ...]) -> RunScores:
    truth = merge_truths([parse_truth(text, name) for name, text in tables])
    return score_runs(truth, {one.clip: read_record(Path(one.path)) for one in records})


@lru_cache(maxsize=2 * _MAX_RECORDS)
def _load_account(source: AccountSource) -> Account:
    record = read_record(Path(source.record))
    if source.detector:
        return list_detected(record, source.detector)
    review = read_review(Path(source.review), source.record_sha256, missing_ok=True) if source.review else None
    return list_masked(AmendedRecord(record, review))


@st.cache_resource(max_entries=16, show_spinner="Comparing")
def _compare_accounts(first: AccountSource, second: AccountSource, frames: tuple[int, int]) -> RecordDiff:
    return compare_accounts(_load_account(first), _load_account(second), range(*frames))


@lru_cache(maxsize=64)
def _hash_file(path: str, _stamp: FileStamp) -> str:
    return hash_file(Path(path))


@lru_cache(maxsize=_MAX_RECORDS)
def _apply_review(
    record_path: str, record_stamp: FileStamp, review_path: str, _review_stamp: FileStamp
) -> tuple[Review, AmendedRecord]:
    read = read_review(Path(review_path), _hash_file(record_path, record_stamp), missing_ok=True)
    return read, AmendedRecord(_load_record(record_path, record_stamp), read)


@lru_cache(maxsize=_MAX_RECORDS)
def _find_items(record_path: str, stamp: FileStamp) -> tuple[ReviewItem, ...]:
    return find_review_items(_load_record(record_path, stamp))


@lru_cache(maxsize=_MAX_RECORDS)
def _build_lanes(record_path: str, stamp: FileStamp) -> TrackLanes:
    return build_lanes(_load_record(record_path, stamp))


@lru_cache(maxsize=16)
def _read_viewed(
    root: str, run_id: str, record_sha256: str, _log: str, _stamp: FileStamp
) -> Mapping[str, tuple[FrameRange, ...]]:
    return read_viewed_ranges(DataFolder(Path(root)), run_id, record_sha256)


@lru_cache(maxsize=4)
def _open_database(folder: str) -> Database:
    return Database(Path(folder))


@lru_cache(maxsize=_MAX_RECORDS)
def _open_snapshot(root: str, run_id: str, _stamps: tuple[FileStamp, ...]) -> release.SignOffSnapshot:
    # Every entry of the audit log, also of another run, makes a new snapshot; a source may have a hundred gigabytes.
    return release.open_snapshot(
        DataFolder(Path(root)), run_id, source_hasher=lambda path: _hash_file(str(path), read_file_stamp(path))
    )


@lru_cache(maxsize=64)
def _read_signed_options(root: str, run_id: str, _stamps: tuple[FileStamp, ...]) -> RenderOptions:
    return release.read_signed_options(DataFolder(Path(root)), run_id)


@lru_cache(maxsize=8)
def _make_excerpt(
    stream: StreamLocation,
    _stamp: FileStamp,
    number: int,
    spans: tuple[AudioSpan, ...],
    window_s: tuple[float, float],
) -> bytes:
    return get_viewers().make_excerpt(stream, number, spans, window_s)


@lru_cache(maxsize=16)
def _measure_risk(root: str, run_id: str, _stamps: tuple[FileStamp, ...]) -> ResidualRisk:
    data = DataFolder(Path(root))
    return release.compute_residual_risk(data, runs.load_run(data, run_id))
