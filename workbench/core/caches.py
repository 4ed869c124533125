"""Everything the server keeps between reruns because reading it again would cost too much.

What is kept is frozen and shared by all sessions; a file that was replaced is read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import streamlit as st

from engine import record as records
from engine import release, runs
from engine.approval.reviewer_actions import viewed
from engine.assurance.residual_risk import ResidualRisk
from engine.audio.excerpt import excerpt
from engine.audio.spans import AudioSpan
from engine.audit.log import log_path
from engine.core.frame_ranges import Span
from engine.index import Database
from engine.masking.style import Style
from engine.media.facts import MediaInfo
from engine.media.source.probe import probe
from engine.record import Record
from engine.rendering.terms import RenderOptions
from engine.review.amendments import Review
from engine.review.apply import Folded
from engine.review.queue import Spot, find_spots
from engine.review.review_file import read_review
from engine.runs import Run
from engine.storage.files import Data, file_digest
from workbench.core.background import Works
from workbench.core.track_lanes import Lanes, lanes

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


def signed_options(data: Data, run: Run) -> RenderOptions:
    """Style, encoder and audio that were signed last, the defaults when nobody has signed.

    Raises:
        SignOffError: a signature was tampered with.
        AuditError: the audit log cannot be read.
    """
    return _signed(str(data.root), run.id, (stamp(run.folder.signatures), stamp(log_path(data.audit))))


def sign_off_case(
    data: Data, run: Run, style: Style | None, audio: tuple[AudioSpan, ...] | None = None
) -> release.Case:
    """A run as it would be signed, read again when any of it, or the audit log, has changed.

    What is not chosen is that of the newest signature.

    Args:
        data: the data folder.
        run: the run.
        style: that is chosen.
        audio: spans that are chosen.

    Raises:
        VeilError: as `engine.release.open_case` raises.
    """
    folder = run.folder
    access = (data.access / "people.json", data.access / "policy.json")
    parts = (run.source, folder.record, folder.review, folder.signatures, *access, log_path(data.audit))
    case = _sign_off(str(data.root), run.id, tuple(map(stamp, parts)))
    signed = case.terms.options
    wanted = replace(signed, style=style or signed.style, audio=signed.audio if audio is None else audio)
    if wanted.style != signed.style:
        wanted = replace(wanted, force=False)
    return case if wanted == signed else release.on_terms(case, wanted)


def heard(run: Run, index: int, number: int, spans: tuple[AudioSpan, ...], window: tuple[float, float]) -> bytes:
    """Some seconds of an audio stream of a run's source as they would be released, as a WAV file.

    Args:
        run: the run.
        index: of the stream in the source.
        number: of the stream among those of the output, from 1.
        spans: what is to be replaced.
        window: from when to when, in seconds after the first frame.

    Raises:
        InputError: nothing is heard there.
        SourceError: it cannot be decoded.
    """
    record = record_of(run)
    origin = record.frames[0].pts * records.fraction(record.source.video.time_base)
    return _heard(str(run.source), stamp(run.source), (index, number, spans, origin, *window))


def risk_of(data: Data, run: Run) -> ResidualRisk:
    """What may still be in the output of a run, measured again when any of it, or the audit log, has changed.

    Raises:
        VeilError: as `engine.release.risk_of` raises.
    """
    parts = (run.folder.record, run.folder.review, run.folder.frame_audit, run.folder.planted, log_path(data.audit))
    return _risk(str(data.root), run.id, tuple(map(stamp, parts)))


@st.cache_resource
def works() -> Works:
    """What this server does beside its pages."""
    return Works()


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


@lru_cache(maxsize=_RECORDS)
def _sign_off(root: str, run_id: str, _at: tuple[Stamp, ...]) -> release.Case:
    return release.open_case(Data(Path(root)), run_id)


@lru_cache(maxsize=64)
def _signed(root: str, run_id: str, _at: tuple[Stamp, ...]) -> RenderOptions:
    return release.signed_options(Data(Path(root)), run_id)


@lru_cache(maxsize=8)
def _heard(source: str, _at: Stamp, asked: tuple[int, int, tuple[AudioSpan, ...], Fraction, float, float]) -> bytes:
    return excerpt(Path(source), *asked)


@lru_cache(maxsize=16)
def _risk(root: str, run_id: str, _at: tuple[Stamp, ...]) -> ResidualRisk:
    data = Data(Path(root))
    return release.risk_of(data, runs.get(data, run_id))
