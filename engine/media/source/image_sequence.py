"""Reads a folder of numbered stills as one video: each file is a frame."""

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
from engine.media.source.start_points import StartPoint

_TIME_BASE = "1/25"
"""Stills have no times, so the pts of a frame is its index."""
_SILENT = SilentListener()


class FrameSource(Protocol):
    """Anything that yields frames in presentation order."""

    def frames(self) -> Iterator[SourceFrame]:
        """Yield every frame once."""

    @property
    def has_unexplained_errors(self) -> bool:
        """True if a decoder has reported an error, and no lost frame has been found for it so far."""

    def check_unchanged(self) -> None:
        """Check that the path still leads to what was opened; see `Source.check_unchanged`."""


def probe_any(path: Path, *, listener: ProgressListener = _SILENT) -> MediaInfo:
    """Probe a file, or a folder of stills as if it were one video.

    Raises:
        SourceError: the file is not a readable video or photograph; or the folder holds no stills, or stills of several
            sizes.
    """
    return _probe_folder(path, listener) if path.is_dir() else probe(path, listener=listener)


@contextmanager
def open_any(
    path: Path, info: MediaInfo, *, on_damage: OnDamage = "stop", start: StartPoint | None = None
) -> Iterator[FrameSource]:
    """Open a file or folder of stills for decoding after `probe_any`; see `open_source` for arguments and errors.

    A folder of stills has no start points.
    """
    if path.is_dir():
        yield _StillFolder(path, info, on_damage)
        return
    with open_source(path, info, on_damage=on_damage, start=start) as source:
        yield source


def list_stills(folder: Path) -> tuple[Path, ...]:
    """List the stills of a folder in the order of the numbers in their names: 2.png comes before 10.png.

    Raises:
        SourceError: the folder holds no stills.
    """
    stills = [path for path in folder.iterdir() if path.suffix.lower() in STILL_SUFFIXES and path.is_file()]
    # Other files in the folder, such as a table of ground truth, are ignored.
    if not stills:
        raise SourceError(f"{folder} is a folder without stills. Give a video, or a folder of numbered pictures.")
    return tuple(sorted(stills, key=lambda path: (_natural_sort_key(path.name), path.name)))


def list_source_files(path: Path) -> tuple[Path, ...]:
    """List the files that a source consists of: the file itself, or the stills of a folder, which may have none."""
    if not path.is_dir():
        return (path,)
    return tuple(file for file in path.iterdir() if file.suffix.lower() in STILL_SUFFIXES)


class _StillFolder:
    def __init__(self, folder: Path, info: MediaInfo, on_damage: OnDamage) -> None:
        self._folder, self._info, self._on_damage = folder, info, on_damage
        self.has_unexplained_errors = False

    def check_unchanged(self) -> None:
        """Leave the check to the end of `frames`, which hashes every still."""

    def frames(self) -> Iterator[SourceFrame]:
        """Yield every still in order, with its index as its time.

        Raises:
            DamagedFrameError: with `on_damage="stop"`, a still cannot be decoded completely.
            SourceError: the stills were changed since they were probed.
        """
        digest = hashlib.sha256()
        for number, path in enumerate(list_stills(self._folder)):
            info = probe(path)
            _hash_still(digest, path, info)
            with open_source(path, info, on_damage=self._on_damage) as source:
                pictures = list(source.frames())
            if len(pictures) != 1:
                raise SourceError(f"{path} holds {len(pictures)} pictures. Keep stills of one picture each.")
            # Each still was decoded as a video of its own, so its frame has index and time 0.
            pictures[0].index = pictures[0].pts = number
            yield pictures[0]
        if digest.hexdigest() != self._info.sha256:
            raise SourceError(f"{self._folder} was changed while it was read. Start again with the stills as they are.")


def _probe_folder(folder: Path, listener: ProgressListener) -> MediaInfo:
    stills = list_stills(folder)
    digest, total = hashlib.sha256(), 0
    first = probe(stills[0])
    for number, path in enumerate(stills, start=1):
        info = probe(path)
        # A record has one size for all frames, and boxes are in its pixels.
        if info.video.display != first.video.display:
            raise SourceError(f"{path} has another size than {stills[0].name}. Keep stills of one video in one folder.")
        _hash_still(digest, path, info)
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
    return msgspec.structs.replace(first, sha256=digest.hexdigest(), bytes=total, container="stills", video=video)


def _hash_still(digest: hashlib._Hash, path: Path, info: MediaInfo) -> None:
    """Add a still, by its name and the hash of its bytes, to the hash that identifies the folder."""
    digest.update(f"{path.name}\0{info.sha256}\n".encode())


def _natural_sort_key(name: str) -> tuple[tuple[int, str], ...]:
    """Return a sort key that compares the numbers in a name as numbers."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name))
