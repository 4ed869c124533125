"""An index over detection records: every frame, face and sighting as tables that answer fast.

It is a cache. It holds no fact of its own, may be deleted at any time, and is built again from the records. Reading it
takes no lock; building it publishes whole folders, so readers and writers of several processes never wait for each
other. Only this package imports DuckDB. Names load on first use.

    from engine.analysis import index

    opened = index.open_index()
    opened.runs()
    index.confidence(opened, index.Selection(runs=("interview",)))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.index.aggregates import agreement, alone, captures, missed, scores, sizes
    from engine.index.catalog import Indexed, Unreadable, rebuild, records_of, review_beside, stale
    from engine.index.database import Database
    from engine.index.index import Index, open_index
    from engine.index.run_comparison import across, same_source
    from engine.index.schema import TABLES, Column
    from engine.index.selection import Selection
    from engine.index.sql import Answer, ask
    from engine.index.time_series import (
        confidence,
        disagreement,
        doubtful,
        evidence,
        faces,
        frames,
        lacking,
        lanes,
        tracks,
    )

__all__ = [
    "TABLES",
    "Answer",
    "Column",
    "Database",
    "Index",
    "Indexed",
    "Selection",
    "Unreadable",
    "across",
    "agreement",
    "alone",
    "ask",
    "captures",
    "confidence",
    "disagreement",
    "doubtful",
    "evidence",
    "faces",
    "frames",
    "lacking",
    "lanes",
    "missed",
    "open_index",
    "rebuild",
    "records_of",
    "review_beside",
    "same_source",
    "scores",
    "sizes",
    "stale",
    "tracks",
]

_MODULES = {
    "run_comparison": ("across", "same_source"),
    "sql": ("Answer", "ask"),
    "catalog": ("Indexed", "Unreadable", "rebuild", "records_of", "review_beside", "stale"),
    "aggregates": ("agreement", "alone", "captures", "missed", "scores", "sizes"),
    "database": ("Database",),
    "index": ("Index", "open_index"),
    "selection": ("Selection",),
    "time_series": (
        "confidence",
        "disagreement",
        "doubtful",
        "evidence",
        "faces",
        "frames",
        "lacking",
        "lanes",
        "tracks",
    ),
    "schema": ("TABLES", "Column"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'engine.index' has no attribute {name!r}")
    return getattr(importlib.import_module(f"engine.index.{_HOMES[name]}"), name)
