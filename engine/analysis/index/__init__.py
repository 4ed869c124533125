"""An index over detection records: every frame, face and sighting as tables that answer fast.

It is a cache. It holds no fact of its own, may be deleted at any time, and is built again from the records. Reading it
takes no lock; building it publishes whole folders, so readers and writers of several processes never wait for each
other. Only this package imports DuckDB.

    from engine.analysis import index

    opened = index.open_index()
    opened.runs()
    index.confidence(opened, index.Selection(runs=("interview",)))
"""

from engine.analysis.index.across import across, same_source
from engine.analysis.index.box import Answer, ask
from engine.analysis.index.catalog import Indexed, Unreadable, rebuild, records_of, review_beside, stale
from engine.analysis.index.counts import agreement, captures, missed, scores, sizes
from engine.analysis.index.database import Database
from engine.analysis.index.opened import Index, open_index
from engine.analysis.index.selection import Selection
from engine.analysis.index.series import confidence, disagreement, doubtful, evidence, faces, frames, tracks
from engine.analysis.index.tables import TABLES, Column

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
    "ask",
    "captures",
    "confidence",
    "disagreement",
    "doubtful",
    "evidence",
    "faces",
    "frames",
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
