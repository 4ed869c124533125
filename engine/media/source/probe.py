"""Probes a file: its streams and what will become of each. All packets are read, one frame is decoded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from engine.core.progress import ProgressListener, SilentListener
from engine.media.facts import MediaInfo
from engine.media.source.open_file import check_is_file
from engine.media.source.reader_process import read_in_process

_BLOCK_BYTES = 1 << 22
_SILENT = SilentListener()


def probe(path: Path | str, *, listener: ProgressListener = _SILENT) -> MediaInfo:
    """Collect the facts about a video file without decoding it.

    Raises:
        SourceError: the file cannot be read, holds no video that can be anonymised, or has a rotation that is not a
            multiple of 90 degrees.
    """
    path = Path(path)
    check_is_file(path)
    # The first code that meets an unknown file runs in a process of its own: some files end it.
    info = read_in_process(path)
    digest, size = _hash_file(path, listener)
    return msgspec.structs.replace(info, sha256=digest, bytes=size)


def _hash_file(path: Path, listener: ProgressListener) -> tuple[str, int]:
    total = path.stat().st_size
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            listener.progress("probe", done, total)
    return digest.hexdigest(), done
