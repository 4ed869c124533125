"""Who has seen the tour of the workbench. It is no evidence: a file that cannot be read shows the tour again."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.core.json_decoder import decode_json
from engine.errors import TargetError
from engine.record import Document, encode_document
from engine.storage.data_folder import DataFolder
from engine.storage.files import make_private_folder, write_file


class _SeenTours(Document, frozen=True):
    schema: Literal["veil/tours/1"] = "veil/tours/1"
    accounts: tuple[str, ...] = ()


def has_seen_tour(data: DataFolder, account: str) -> bool:
    """Return True if a person has taken the tour or does not want it."""
    return account in _read(data).accounts


def dismiss_tour(data: DataFolder, account: str) -> None:
    """Note that a person has taken the tour or does not want it; it is shown again if that cannot be written."""
    seen = _read(data)
    try:
        make_private_folder(data.access)
        write_file(data.tours, encode_document(_SeenTours(accounts=tuple(sorted({*seen.accounts, account})))))
    except TargetError:
        return


def _read(data: DataFolder) -> _SeenTours:
    try:
        return decode_json(data.tours.read_bytes(), type=_SeenTours)
    except (OSError, msgspec.MsgspecError):
        return _SeenTours()
