"""Entry of a process that builds the missing tables of the index: `python -m engine.index.rebuild_main DATA`.

Reading a long record takes several times its size in memory. A process of its own returns that memory to the system
when it ends; the server that starts it stays small.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.errors import RecordError, VeilError
from engine.index.catalog import UnreadableRun, find_records, rebuild_index
from engine.storage.data_folder import DataFolder


def main(arguments: list[str]) -> int:
    """Build the tables of runs that are missing or stale; return the exit code.

    Args:
        arguments: the data folder.
    """
    data = DataFolder(Path(arguments[0]))
    try:
        entries = rebuild_index(data.index, find_records(data), missing_only=True)
    except VeilError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return RecordError.exit_code if any(isinstance(entry, UnreadableRun) for entry in entries.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
