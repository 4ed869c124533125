"""Which files an action reads and which it writes, compared before it starts.

An output that is an input under another name would destroy the only copy of it. So every action that writes files
states them here first, together with everything that it reads, and nothing runs if two of them are the same file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError, TargetError

_LONGEST_NAME_BYTES = 255
"""Bytes of a file name that every common file system of Linux takes."""

_FileKey = tuple[int, int]
"""Device and inode: the same for all names and links of one file."""


@dataclass(frozen=True, slots=True)
class FileUse:
    """The files of one action; None stands for a file that is left out.

    Attributes:
        reads: every file that is read.
        writes: outputs that a person named. One that exists is only replaced if that was asked for.
        writes_beside: documents that belong to an output and are replaced with it.
    """

    reads: Iterable[Path | None] = ()
    writes: Iterable[Path | None] = ()
    writes_beside: Iterable[Path | None] = ()


def check_file_use(use: FileUse, *, overwrite: bool) -> None:
    """Refuse an action that would write over what it reads, or over what is there already.

    Args:
        use: every file of the action.
        overwrite: whether outputs that exist may be replaced. An input never is.

    Raises:
        InputError: a file to read is a pipe or a device, so it cannot be read twice.
        TargetError: an output is a file to read, is written twice, exists already, is no regular file, or has a name
            that is too long.
    """
    inputs = dict(_list_inputs(path for path in use.reads if path is not None))
    outputs = [path for path in use.writes if path is not None]
    beside = [path for path in use.writes_beside if path is not None]
    for target in (*outputs, *beside):
        _check_is_usable(target)
    _check_differ([*outputs, *beside], inputs)
    for target in () if overwrite else outputs:
        if os.path.lexists(target):
            raise TargetError(f"{target} exists already. Give another name, or replace it with --overwrite.")


def check_is_regular(path: Path) -> None:
    """Refuse a pipe, a socket or a device as a file to read. What does not exist is left to the reader.

    Raises:
        InputError: it is none that can be read more than once.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    except ValueError as error:
        raise InputError(f"{str(path)!r} cannot be the name of a file ({error}). Give another one.") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        kind = "a pipe" if stat.S_ISFIFO(mode) else "a device or a socket"
        raise InputError(f"{path} is {kind} and not a file, so it cannot be read twice. Save it as a file first.")


def _list_inputs(paths: Iterable[Path]) -> Iterator[tuple[_FileKey, Path]]:
    """Yield the files that exist, by device and inode."""
    for path in paths:
        check_is_regular(path)
        if (key := _read_key(path)) is not None:
            yield key, path


def _read_key(path: Path) -> _FileKey | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _check_is_usable(target: Path) -> None:
    name = os.fsencode(target.name)
    try:
        mode = target.stat().st_mode
    except OSError:
        mode = None
    except ValueError as error:
        raise TargetError(f"{str(target)!r} cannot be the name of a file ({error}). Give another one.") from error
    # Path(".") has no name at all, and ".." has one that is a folder.
    if not name or (mode is not None and stat.S_ISDIR(mode)):
        raise TargetError(f"{target} is a folder; give the name of a file to write.")
    if len(name) > _LONGEST_NAME_BYTES:
        raise TargetError(
            f"The name {target.name[:20]}... of a file to write has {len(name)} bytes and may have "
            f"{_LONGEST_NAME_BYTES}. Give the output a name that is {len(name) - _LONGEST_NAME_BYTES} bytes shorter."
        )
    if mode is not None and not stat.S_ISREG(mode):
        raise TargetError(f"{target} is a device, a pipe or a socket; give the name of a file to write.")


def _check_differ(targets: Iterable[Path], inputs: dict[_FileKey, Path]) -> None:
    seen: dict[_FileKey | str, Path] = {}
    for target in targets:
        key = _read_key(target)
        if key is not None and (source := inputs.get(key)) is not None:
            name = "which is read too" if source == target else f"which is the same file as {source}, an input"
            raise TargetError(f"{target} would be written over, {name}. Give the output another name.")
        # Outputs that do not exist yet have no inode: they are compared by their path, without links.
        same = seen.setdefault(key or os.path.realpath(target), target)
        if same is not target:
            raise TargetError(f"{target} would be written twice, for two outputs. Give each of them its own name.")
