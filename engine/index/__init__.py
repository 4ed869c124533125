"""The index: tables of all frames, faces and detections of the records, for fast queries.

It is a cache: it can be deleted at any time and is rebuilt from the records. Reading takes no lock. A build publishes
whole folders, so readers and writers in several processes never wait for each other. Only this package imports DuckDB.
Names load on first use.

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
    from engine.index.questions import read_questions, remove_question, save_question
    from engine.index.run_comparison import compare_runs, find_runs_of_same_source
    from engine.index.schema import RUN_COLUMNS, TABLES, Column
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
    "RUN_COLUMNS",
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
    "read_questions",
    "rebuild_index",
    "remove_question",
    "review_path_from_record",
    "run_sql",
    "save_question",
]

_MODULES = (
    *("catalog", "schema", "questions", "selection", "database"),
    *("index", "aggregates", "time_series", "run_comparison", "sql"),
)
"""Modules that the names above come from. Those that are quick to import come first: a name is looked for in this
order, and `catalog` needs neither DuckDB nor pandas, which take half a second."""


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module_name in _MODULES:
            module = importlib.import_module(f"engine.index.{module_name}")
            if name in vars(module):
                globals()[name] = vars(module)[name]  # found directly the next time
                return globals()[name]
    raise AttributeError(f"module 'engine.index' has no attribute {name!r}")
