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

import msgspec
import streamlit as st

from engine import release, runs
from engine.approval.reviewer_actions import read_viewed_ranges
from engine.assurance.residual_risk import ResidualRisk
from engine.audio.compare import StreamLocation
from engine.audio.excerpt import make_excerpt
from engine.audio.spans import AudioSpan
from engine.audit.log import log_path
from engine.core.frame_ranges import FrameRange
from engine.evaluation.ground_truth import parse_truth
from engine.evaluation.judgements import judge_records
from engine.evaluation.scores import Evaluation, MissedFace
from engine.evaluation.summary import find_worst_misses, summarise
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

FileStamp = tuple[int, int, int]
"""Inode, size and time of change of a file. At least one of them changes when the file is replaced."""

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


def get_evaluation(
    truth: str, clip: str, record: Path, record_sha256: str
) -> tuple[Evaluation, tuple[MissedFace, ...]]:
    """Compare a record with ground truth.

    Args:
        truth: text of the table of ground truth.
        clip: the file of the table that the record belongs to.
        record: path of the record.
        record_sha256: hash of its stored bytes.

    Returns:
        The scores, and the largest missed faces.

    Raises:
        InputError: the table cannot be read, or it does not describe the source of the record.
    """
    return _evaluate_record(truth, clip, str(record), record_sha256)


@st.cache_resource
def get_background_tasks() -> BackgroundTasks:
    """Return the background tasks of this server."""
    return BackgroundTasks()


def read_file_stamp(path: Path) -> FileStamp:
    """Return the stamp of a file; zeros if it does not exist."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0, 0
    return status.st_ino, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=_MAX_RECORDS)
def _load_record(path: str, _stamp: FileStamp) -> Record:
    return read_record(Path(path))


@st.cache_resource(max_entries=64, show_spinner="Reading the file")
def _probe_file(path: str, stamp: FileStamp) -> MediaInfo:  # noqa: ARG001 - Streamlit leaves names that begin with _ out of the key
    return probe(Path(path))


@st.cache_resource(max_entries=8, show_spinner="Comparing the record with the truth")
def _evaluate_record(
    truth: str,
    clip: str,
    record: str,
    record_sha256: str,  # noqa: ARG001 - part of the key
) -> tuple[Evaluation, tuple[MissedFace, ...]]:
    # Only this clip: the comparison refuses clips without a record, and a table may list many.
    table = parse_truth(truth)
    only_clip = msgspec.structs.replace(table, clips=tuple(part for part in table.clips if part.name == clip))
    findings = judge_records(only_clip, {clip: read_record(Path(record))})
    return summarise(findings), find_worst_misses(findings, _MAX_MISSES)


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
    return release.open_snapshot(DataFolder(Path(root)), run_id)


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
    return make_excerpt(stream, number, spans, *window_s)


@lru_cache(maxsize=16)
def _measure_risk(root: str, run_id: str, _stamps: tuple[FileStamp, ...]) -> ResidualRisk:
    data = DataFolder(Path(root))
    return release.compute_residual_risk(data, runs.load_run(data, run_id))
