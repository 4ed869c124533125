"""The library: listing its videos and importing new ones."""

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
    """A video of the library.

    Attributes:
        path: path of the file.
        name: path relative to the library.
        bytes: size of the file.
        modified_at: time of the last change, in seconds since 1970.
    """

    path: Path
    name: str
    bytes: int
    modified_at: float


def list_library(data: DataFolder) -> tuple[LibraryVideo, ...]:
    """List the videos of the library and its subfolders, newest first; hidden files and folders are left out."""
    videos = (path for path in data.library.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES)
    visible = (path for path in videos if not any(part[0] == "." for part in path.relative_to(data.library).parts))
    listed = [_read_library_video(path, data.library) for path in visible if path.is_file()]
    return tuple(sorted(listed, key=lambda video: (-video.modified_at, video.name)))


def import_video(data: DataFolder, by: Person, name: str, content: BinaryIO) -> Path:
    """Write a video into the library, under a new name like `name`, unless it is already there.

    Args:
        data: the data folder.
        by: the person who imports it.
        name: original file name; it is not trusted.
        content: the file's bytes, read in pieces from the current position.

    Returns:
        Path of the new video, or of the one with the same bytes.

    Raises:
        AccessError: `by` may not start a detection, which includes importing.
        InputError: the name does not end like that of a video.
        TargetError: the video cannot be written.
        AuditError: the event cannot be logged.
    """
    person = authorise(data, by, "detect")
    safe_name = _make_safe_name(name)
    try:
        files.mkdir_private(data.library)
    except OSError as error:
        raise TargetError(
            f"The folder {data.library} cannot be created ({error.strerror}). Choose another data folder."
        ) from error
    sha256 = hashlib.sha256()
    target = _find_free_path(data.library / safe_name)
    with files.make_scratch_folder(target) as folder:
        unfinished = folder / target.name
        with unfinished.open("wb") as file:
            while piece := content.read(_PIECE_BYTES):
                sha256.update(piece)
                file.write(piece)
        # Duplicates are searched only now: the hash is known when the last byte has arrived.
        duplicate = _find_duplicate(data, unfinished, sha256.hexdigest())
        if duplicate is None:
            files.publish_file(unfinished, target)
    subjects = {"source": sha256.hexdigest()}
    audit.append(data.audit, audit.Event(actor=person.actor, kind="ingest", subjects=subjects))
    return duplicate or target


def _find_duplicate(data: DataFolder, file: Path, sha256: str) -> Path | None:
    """Return the video of the library with the same bytes; None if there is none."""
    size = file.stat().st_size
    # Only files of the same size are hashed; a library may hold hundreds of gigabytes.
    same_size = (video.path for video in list_library(data) if video.bytes == size)
    return next((path for path in same_size if files.hash_file(path) == sha256), None)


def _read_library_video(path: Path, root: Path) -> LibraryVideo:
    status = path.stat()
    return LibraryVideo(path, str(path.relative_to(root)), status.st_size, status.st_mtime)


def _make_safe_name(name: str) -> str:
    """Return a plain file name without folders, special characters and leading dots.

    Raises:
        InputError: the name does not end like that of a video.
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
