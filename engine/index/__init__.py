"""An index over detection records: every frame, face and sighting as tables that answer fast.

It is a cache. It holds no fact of its own, may be deleted at any time, and is built again from the records. Reading it
takes no lock; building it publishes whole folders, so readers and writers of several processes never wait for each
other. Only this package imports DuckDB. Names load on first use.

    from engine import index

    opened = index.open_index()
    opened.list_runs()
    index.query_confidence(opened, index.Selection(runs=("interview",)))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.index.aggregates import (
        estimate_missed_in_run,
        query_agreement,
        query_captures,
        query_lone_detections,
        query_score_histogram,
        query_size_histogram,
    )
    from engine.index.catalog import (
        IndexedRun,
        UnreadableRun,
        find_records,
        find_stale_runs,
        rebuild_index,
        review_path_from_record,
    )
    from engine.index.database import Database
    from engine.index.index import Index, open_index
    from engine.index.run_comparison import compare_runs, find_runs_of_same_source
    from engine.index.schema import TABLES, Column
    from engine.index.selection import Selection
    from engine.index.sql import SqlResult, run_sql
    from engine.index.time_series import (
        query_confidence,
        query_disagreement,
        query_doubtful,
        query_evidence,
        query_faces,
        query_frames,
        query_lacking,
        query_track_lanes,
        query_tracks,
    )

__all__ = [
    "TABLES",
    "Column",
    "Database",
    "Index",
    "IndexedRun",
    "Selection",
    "SqlResult",
    "UnreadableRun",
    "compare_runs",
    "estimate_missed_in_run",
    "find_records",
    "find_runs_of_same_source",
    "find_stale_runs",
    "open_index",
    "query_agreement",
    "query_captures",
    "query_confidence",
    "query_disagreement",
    "query_doubtful",
    "query_evidence",
    "query_faces",
    "query_frames",
    "query_lacking",
    "query_lone_detections",
    "query_score_histogram",
    "query_size_histogram",
    "query_track_lanes",
    "query_tracks",
    "rebuild_index",
    "review_path_from_record",
    "run_sql",
]

_NAMES_BY_MODULE = {
    "aggregates": (
        "estimate_missed_in_run",
        "query_agreement",
        "query_captures",
        "query_lone_detections",
        "query_score_histogram",
        "query_size_histogram",
    ),
    "catalog": (
        "IndexedRun",
        "UnreadableRun",
        "find_records",
        "find_stale_runs",
        "rebuild_index",
        "review_path_from_record",
    ),
    "database": ("Database",),
    "index": ("Index", "open_index"),
    "run_comparison": ("compare_runs", "find_runs_of_same_source"),
    "schema": ("TABLES", "Column"),
    "selection": ("Selection",),
    "sql": ("SqlResult", "run_sql"),
    "time_series": (
        "query_confidence",
        "query_disagreement",
        "query_doubtful",
        "query_evidence",
        "query_faces",
        "query_frames",
        "query_lacking",
        "query_track_lanes",
        "query_tracks",
    ),
}
_MODULE_BY_NAME = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_BY_NAME:
        raise AttributeError(f"module 'engine.index' has no attribute {name!r}")
    return getattr(importlib.import_module(f"engine.index.{_MODULE_BY_NAME[name]}"), name)
