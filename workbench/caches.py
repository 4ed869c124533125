"""Everything the server keeps between reruns because reading it again would cost too much.

What is kept is frozen and shared by all sessions; a file that was replaced is read again.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from engine import record as records
from engine.media.facts import MediaInfo
from engine.media.probe import probe
from engine.record import Record
from engine.runs import Run

_RECORDS = 4
"""Records kept; one of an hour's video takes some 200 MB."""


def record_of(run: Run) -> Record:
    """The detection record of a run.

    Raises:
        RecordError: it is not there, or cannot be read.
    """
    return _record(str(run.folder.record), _stamp(run.folder.record))


def look_at(source: Path) -> MediaInfo:
    """What is in a file, read once for as long as the file stays as it is.

    Raises:
        SourceError: it is not a readable video.
    """
    return _info(str(source), _stamp(source))


def _stamp(path: Path) -> tuple[int, int, int]:
    """What changes when a file is replaced: inode, size, time of change; zeros when there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0, 0
    return status.st_ino, status.st_size, status.st_mtime_ns


@st.cache_resource(max_entries=_RECORDS, show_spinner="Reading the record")
def _record(path: str, _at: tuple[int, int, int]) -> Record:
    return records.read(Path(path))


@st.cache_resource(max_entries=64, show_spinner="Looking into the file")
def _info(path: str, _at: tuple[int, int, int]) -> MediaInfo:
    return probe(Path(path))
