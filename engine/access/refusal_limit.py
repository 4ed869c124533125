"""A limit on log entries that anyone can cause without knowing anything: sign-ins to accounts that do not exist, or are
locked.

Each would stay in the log for good, so a visitor could fill the disk. Beyond the limit they are counted, and the next
entry says how many were not written. Wrong passwords and codes are not limited here: the lock limits them.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from engine.access.folder_lock import lock_access_folder
from engine.core.json_decoder import decode_json
from engine.record import Count, Document, encode_document
from engine.storage.data_folder import DataFolder
from engine.storage.files import write_file

MAX_PER_MINUTE = 20


class RefusalCount(Document, frozen=True):
    """Refusals of one minute.

    Attributes:
        minute: The minute, as time of the machine.
        written: Number of refusals in this minute that are in the log.
        unwritten: Number of refusals that are not in the log since the last that is.
    """

    minute: str = ""
    written: Count = 0
    unwritten: Count = 0


def count_refusal(data: DataFolder, now: datetime) -> int | None:
    """Count a refusal.

    Returns:
        The number of refusals before it that were not written, for its log entry; None if it is not to be written.

    Raises:
        AccessError: The folder of accounts cannot be written.
    """
    minute = f"{now:%Y-%m-%dT%H:%M%z}"
    with lock_access_folder(data):
        count = _read_count(data)
        if count.minute != minute:
            count = RefusalCount(minute, 0, count.unwritten)
        is_written = count.written < MAX_PER_MINUTE
        write_file(
            data.refused_sign_ins,
            encode_document(
                RefusalCount(minute, count.written + 1, 0)
                if is_written
                else RefusalCount(minute, count.written, count.unwritten + 1)
            ),
        )
    return count.unwritten if is_written else None


def _read_count(data: DataFolder) -> RefusalCount:
    try:
        return decode_json(data.refused_sign_ins.read_bytes(), type=RefusalCount)
    except (OSError, msgspec.MsgspecError):
        # A damaged count costs at most a minute's worth of entries.
        return RefusalCount()
