"""A folder of stills as one video: each file is a frame, in the order of the numbers in their names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from engine.core.file_types import STILL_SUFFIXES
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import SourceError
from engine.media.facts import MediaInfo
from engine.media.frame import SourceFrame
from engine.media.source.decode import OnDamage, open_source
from engine.media.source.probe import probe

_TIME_BASE = "1/25"
"""Stills have no times; a frame's pts is its place."""
_SILENT = SilentListener()


class FrameSource(Protocol):
    """Whatever gives frames in presentation order."""

    def frames(self) -> Iterator[SourceFrame]:
        """Every frame, once."""


def probe_any(path: Path, *, listener: ProgressListener = _SILENT) -> MediaInfo:
    """What `probe` finds in a file, or the same said of a folder of stills.

    Raises:
        SourceError: the file is not a readable video or photograph; or the folder holds no stills, or stills of several
            sizes.
    """
    return _probe_folder(path, listener) if path.is_dir() else probe(path, listener=listener)


@contextmanager
def open_any(path: Path, info: MediaInfo, *, on_damage: OnDamage = "stop") -> Iterator[FrameSource]:
    """Open for decoding what `look` looked at; arguments and errors are those of `open_source`."""
    if path.is_dir():
        yield _StillFolder(path, info, on_damage)
        return
    with open_source(path, info, on_damage=on_damage) as source:
        yield source


def list_stills(folder: Path) -> tuple[Path, ...]:
    """The stills of a folder in the order in which they are seen: 2.png comes before 10.png.

    Raises:
        SourceError: there are none.
    """
    stills = [path for path in folder.iterdir() if path.suffix.lower() in STILL_SUFFIXES and path.is_file()]
    if not stills:
        raise SourceError(f"{folder} is a folder without stills. Give a video, or a folder of numbered pictures.")
    return tuple(sorted(stills, key=lambda path: (_natural_sort_key(path.name), path.name)))


class _StillFolder:
    def __init__(self, folder: Path, info: MediaInfo, on_damage: OnDamage) -> None:
        self._folder, self._info, self._on_damage = folder, info, on_damage

    def frames(self) -> Iterator[SourceFrame]:
        """Every still in order, its place for its time.

        Raises:
            DamagedFrameError: with `on_damage="stop"`, a still cannot be decoded whole.
            SourceError: the stills were changed since they were looked at.
        """
        seen = hashlib.sha256()
        for number, path in enumerate(list_stills(self._folder)):
            info = probe(path)
            _hash_still(seen, path, info)
            with open_source(path, info, on_damage=self._on_damage) as source:
                pictures = list(source.frames())
            if len(pictures) != 1:
                raise SourceError(f"{path} holds {len(pictures)} pictures. Keep stills of one picture each.")
            pictures[0].index = pictures[0].pts = number
            yield pictures[0]
        if seen.hexdigest() != self._info.sha256:
            raise SourceError(f"{self._folder} was changed while it was read. Start again with the stills as they are.")


def _probe_folder(folder: Path, listener: ProgressListener) -> MediaInfo:
    stills = list_stills(folder)
    seen, total = hashlib.sha256(), 0
    first = probe(stills[0])
    for number, path in enumerate(stills, start=1):
        info = probe(path)
        if info.video.display != first.video.display:
            raise SourceError(f"{path} has another size than {stills[0].name}. Keep stills of one video in one folder.")
        _hash_still(seen, path, info)
        total += info.bytes
        listener.progress("probe", number, len(stills))
    video = msgspec.structs.replace(
        first.video,
        time_base=_TIME_BASE,
        declared_frames=None,
        declared_rate=None,
        packets=len(stills),
        first_pts=0,
        last_pts=len(stills) - 1,
        step=1,
        key_pts=None,
    )
    return msgspec.structs.replace(first, sha256=seen.hexdigest(), bytes=total, container="stills", video=video)


def _hash_still(seen: hashlib._Hash, path: Path, info: MediaInfo) -> None:
    """Add a still, by its name and its bytes, to what identifies the folder."""
    seen.update(f"{path.name}\0{info.sha256}\n".encode())


def _natural_sort_key(name: str) -> tuple[tuple[int, str], ...]:
    """The name with its numbers compared as numbers."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name))
