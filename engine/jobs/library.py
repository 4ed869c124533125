"""The library of sources: what lies there, and how something comes to lie there."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine import audit
from engine.access import Person, authorise
from engine.errors import InputError, TargetError
from engine.storage import files
from engine.storage.files import Data

VIDEOS = frozenset({
    *(".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv"),
    *(".ts", ".vob", ".webm", ".wmv"),
})  # fmt: skip
"""Endings of files that the library lists."""
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Footage:
    """A video of the library: `name` is its path in there, `bytes` its size, `changed` seconds since 1970."""

    path: Path
    name: str
    bytes: int
    changed: float


def library(data: Data) -> tuple[Footage, ...]:
    """The videos of the library, newest first; folders in it are looked into, but for hidden ones."""
    videos = (path for path in data.footage.rglob("*") if path.suffix.lower() in VIDEOS)
    seen = (path for path in videos if not any(part[0] == "." for part in path.relative_to(data.footage).parts))
    listed = [_listed(path, data.footage) for path in seen if path.is_file()]
    return tuple(sorted(listed, key=lambda footage: (-footage.changed, footage.name)))


def take_in(data: Data, by: Person, name: str, content: BinaryIO) -> Path:
    """Write a video into the library, under a name of its own that resembles `name`, unless it is there already.

    Args:
        data: the data folder.
        by: who brings it.
        name: as the file was called where it comes from; nothing of it is trusted.
        content: read from where it stands, a piece at a time.

    Returns:
        Where it lies.

    Raises:
        AccessError: `by` may not start a detection, so may not bring sources either.
        InputError: it is not called like a video.
        TargetError: it cannot be written.
        AuditError: it cannot be put on record.
    """
    person = authorise(data, by, "detect")
    wanted = _safe(name)
    try:
        data.footage.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TargetError(f"{data.footage} cannot be made ({error.strerror}); choose another data folder.") from error
    sha256 = hashlib.sha256()
    target = _free(data.footage / wanted)
    with files.scratch(target) as folder:
        unfinished = folder / target.name
        with unfinished.open("wb") as file:
            while piece := content.read(_PIECE):
                sha256.update(piece)
                file.write(piece)
        found = _same(data, unfinished, sha256.hexdigest())
        if found is None:
            files.publish(unfinished, target)
    subjects = {"source": sha256.hexdigest()}
    audit.append(data.audit, audit.Event(actor=person.actor, kind="ingest", subjects=subjects))
    return found or target


def _same(data: Data, file: Path, sha256: str) -> Path | None:
    """The video of the library that has the same bytes: footage is not to lie about in copies."""
    size = file.stat().st_size
    alike = (footage.path for footage in library(data) if footage.bytes == size)
    return next((path for path in alike if files.file_digest(path) == sha256), None)


def _listed(path: Path, root: Path) -> Footage:
    status = path.stat()
    return Footage(path, str(path.relative_to(root)), status.st_size, status.st_mtime)


def _safe(name: str) -> str:
    """A plain file name: no folders, no control or other strange characters, no leading dot.

    Raises:
        InputError: it does not end like a video.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    stem, dot, suffix = last.rpartition(".")
    ending = f"{dot}{suffix}".lower()
    if ending not in VIDEOS:
        raise InputError(f"{last!r} is not called like a video; Veil takes {', '.join(sorted(VIDEOS))}.")
    return (re.sub(r"[^\w .()+-]+", "_", stem).strip(" .")[:80] or "video") + ending


def _free(target: Path) -> Path:
    number = 1
    candidate = target
    while candidate.exists():
        number += 1
        candidate = target.with_stem(f"{target.stem} ({number})")
    return candidate
