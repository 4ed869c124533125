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
from engine.media.containers import VIDEO_SUFFIXES
from engine.storage import files
from engine.storage.data_folder import DataFolder

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class LibraryVideo:
    """A video of the library: `name` is its path in there, `bytes` its size, `modified_at` seconds since 1970."""

    path: Path
    name: str
    bytes: int
    modified_at: float


def list_library(data: DataFolder) -> tuple[LibraryVideo, ...]:
    """The videos of the library, newest first; folders in it are looked into, but for hidden ones."""
    videos = (path for path in data.library.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES)
    seen = (path for path in videos if not any(part[0] == "." for part in path.relative_to(data.library).parts))
    listed = [_read_library_video(path, data.library) for path in seen if path.is_file()]
    return tuple(sorted(listed, key=lambda footage: (-footage.modified_at, footage.name)))


def import_video(data: DataFolder, by: Person, name: str, content: BinaryIO) -> Path:
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
    wanted = _make_safe_name(name)
    try:
        data.library.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TargetError(f"{data.library} cannot be made ({error.strerror}); choose another data folder.") from error
    sha256 = hashlib.sha256()
    target = _find_free_path(data.library / wanted)
    with files.make_scratch_folder(target) as folder:
        unfinished = folder / target.name
        with unfinished.open("wb") as file:
            while piece := content.read(_PIECE_BYTES):
                sha256.update(piece)
                file.write(piece)
        found = _find_duplicate(data, unfinished, sha256.hexdigest())
        if found is None:
            files.publish_file(unfinished, target)
    subjects = {"source": sha256.hexdigest()}
    audit.append(data.audit, audit.Event(actor=person.actor, kind="ingest", subjects=subjects))
    return found or target


def _find_duplicate(data: DataFolder, file: Path, sha256: str) -> Path | None:
    """The video of the library that has the same bytes: footage is not to lie about in copies."""
    size = file.stat().st_size
    alike = (footage.path for footage in list_library(data) if footage.bytes == size)
    return next((path for path in alike if files.hash_file(path) == sha256), None)


def _read_library_video(path: Path, root: Path) -> LibraryVideo:
    status = path.stat()
    return LibraryVideo(path, str(path.relative_to(root)), status.st_size, status.st_mtime)


def _make_safe_name(name: str) -> str:
    """A plain file name: no folders, no control or other strange characters, no leading dot.

    Raises:
        InputError: it does not end like a video.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    stem, dot, suffix = last.rpartition(".")
    ending = f"{dot}{suffix}".lower()
    if ending not in VIDEO_SUFFIXES:
        raise InputError(f"{last!r} is not called like a video; Veil takes {', '.join(sorted(VIDEO_SUFFIXES))}.")
    return (re.sub(r"[^\w .()+-]+", "_", stem).strip(" .")[:80] or "video") + ending


def _find_free_path(target: Path) -> Path:
    number = 1
    candidate = target
    while candidate.exists():
        number += 1
        candidate = target.with_stem(f"{target.stem} ({number})")
    return candidate
