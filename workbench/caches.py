"""Everything the server keeps between reruns because reading it again would cost too much.

What is kept is frozen and shared by all sessions; a file that was replaced is read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import streamlit as st

from engine import record as records
from engine import release, runs
from engine.analysis.index import Database
from engine.audit.chain import log_path
from engine.evidence.residual import ResidualRisk
from engine.media.facts import MediaInfo
from engine.media.probe import probe
from engine.record import Record
from engine.redact.presets import style_from
from engine.rendering import RenderOptions
from engine.review.amendments import Review
from engine.review.desk import viewed
from engine.review.fold import Folded
from engine.review.reviews import read_review
from engine.review.spans import Span
from engine.review.spots import Spot, find_spots
from engine.runs import Run
from engine.sound.choice import AudioSpan
from engine.store import Data, file_digest
from workbench.releasing import Releases
from workbench.tracks import Lanes, lanes

Stamp = tuple[int, int, int]
"""What changes when a file is replaced: inode, size, time of change."""

_RECORDS = 4
"""Records kept; one of an hour's video takes some 200 MB."""


def record_of(run: Run) -> Record:
    """The detection record of a run.

    Raises:
        RecordError: it is not there, or cannot be read.
    """
    return _record(str(run.folder.record), stamp(run.folder.record))


def look_at(source: Path) -> MediaInfo:
    """What is in a file, read once for as long as the file stays as it is.

    Raises:
        SourceError: it is not a readable video.
    """
    return _info(str(source), stamp(source))


def digest_of(run: Run) -> str:
    """SHA-256 of the stored bytes of a run's record.

    Raises:
        InputError: it cannot be read.
    """
    return _digest(str(run.folder.record), stamp(run.folder.record))


def folded_of(run: Run) -> tuple[Review, Folded]:
    """The review of a run as it stands now, and the record with it applied.

    Raises:
        RecordError: the record is not there, or it or its review cannot be read.
    """
    record, review = run.folder.record, run.folder.review
    return _folded(str(record), stamp(record), str(review), stamp(review))


def spots_found(run: Run) -> tuple[Spot, ...]:
    """The doubtful spots of a run's record, the greatest risk first, whatever was amended."""
    return _spots(str(run.folder.record), stamp(run.folder.record))


def lanes_found(run: Run) -> Lanes:
    """Where each track of a run's record is, whatever was amended."""
    return _lanes(str(run.folder.record), stamp(run.folder.record))


def viewed_of(data: Data, run: Run) -> Mapping[str, tuple[Span, ...]]:
    """By account, the frames of a run that were really seen.

    Raises:
        AuditError: the log cannot be read.
    """
    log = log_path(data.audit)
    return _viewed(str(data.root), run.id, digest_of(run), str(log), stamp(log))


def database_of(folder: Path) -> Database:
    """What answers questions to the index in a folder; sessions share it, each question has a cursor of its own."""
    return _database(str(folder))


def sign_off_case(data: Data, run: Run, preset: str | None, audio: tuple[AudioSpan, ...] | None = None) -> release.Case:
    """A run as it would be signed, read again when any of it, or the audit log, has changed.

    The style is that of the newest signature where no preset is chosen, and so is what becomes of the audio.

    Raises:
        VeilError: as `engine.release.open_case` raises.
    """
    parts = (run.source, run.folder.record, run.folder.review, run.folder.signatures, log_path(data.audit))
    return _sign_off(str(data.root), run.id, preset, audio, tuple(map(stamp, parts)))


def risk_of(data: Data, run: Run) -> ResidualRisk:
    """What may still be in the output of a run, measured again when any of it, or the audit log, has changed.

    Raises:
        VeilError: as `engine.release.risk_of` raises.
    """
    parts = (run.folder.record, run.folder.review, run.folder.frame_audit, run.folder.planted, log_path(data.audit))
    return _risk(str(data.root), run.id, tuple(map(stamp, parts)))


@st.cache_resource
def releases() -> Releases:
    """The releases that this server makes."""
    return Releases()


def stamp(path: Path) -> Stamp:
    """What changes when a file is replaced: inode, size, time of change; zeros when there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0, 0
    return status.st_ino, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=_RECORDS)
def _record(path: str, _at: Stamp) -> Record:
    return records.read(Path(path))


@st.cache_resource(max_entries=64, show_spinner="Looking into the file")
def _info(path: str, at: Stamp) -> MediaInfo:  # noqa: ARG001 - Streamlit leaves names that begin with _ out of the key
    return probe(Path(path))


@lru_cache(maxsize=64)
def _digest(path: str, _at: Stamp) -> str:
    return file_digest(Path(path))


@lru_cache(maxsize=_RECORDS)
def _folded(record: str, record_at: Stamp, review: str, _at: Stamp) -> tuple[Review, Folded]:
    read = read_review(Path(review), _digest(record, record_at), missing_ok=True)
    return read, Folded(_record(record, record_at), read)


@lru_cache(maxsize=_RECORDS)
def _spots(record: str, at: Stamp) -> tuple[Spot, ...]:
    return find_spots(_record(record, at))


@lru_cache(maxsize=_RECORDS)
def _lanes(record: str, at: Stamp) -> Lanes:
    return lanes(_record(record, at))


@lru_cache(maxsize=16)
def _viewed(root: str, run_id: str, record_sha256: str, _log: str, _at: Stamp) -> Mapping[str, tuple[Span, ...]]:
    return viewed(Data(Path(root)), run_id, record_sha256)


@lru_cache(maxsize=4)
def _database(folder: str) -> Database:
    return Database(Path(folder))


@lru_cache(maxsize=16)
def _sign_off(
    root: str, run_id: str, preset: str | None, audio: tuple[AudioSpan, ...] | None, _at: tuple[Stamp, ...]
) -> release.Case:
    data = Data(Path(root))
    if preset is None and audio is None:
        return release.open_case(data, run_id)
    signed = release.signed_options(data, run_id)
    options = RenderOptions(
        style=signed.style if preset is None else style_from(preset),
        encoder=signed.encoder,
        audio=signed.audio if audio is None else audio,
    )
    return release.open_case(data, run_id, options)


@lru_cache(maxsize=16)
def _risk(root: str, run_id: str, _at: tuple[Stamp, ...]) -> ResidualRisk:
    data = Data(Path(root))
    return release.risk_of(data, runs.get(data, run_id))
