"""Find folders of the data folder that other users of the machine can read: earlier versions did not close them."""

from __future__ import annotations

import stat
from pathlib import Path

from engine.storage.data_folder import DataFolder


def find_open_folders(data: DataFolder) -> tuple[Path, ...]:
    """Return the folders with footage, runs, accounts and the log that every user of this machine can read.

    A folder inside one that is closed to them cannot be reached.
    """
    if not _read_other_mode(data.root) & stat.S_IXOTH:
        return ()
    folders = (data.library, data.runs, data.access, data.audit, data.live_records)
    return tuple(folder for folder in folders if _read_other_mode(folder))


def _read_other_mode(folder: Path) -> int:
    """Return the bits of the mode that concern other users; 0 if there is no such folder."""
    try:
        return stat.S_IMODE(folder.stat().st_mode) & stat.S_IRWXO
    except OSError:
        return 0
