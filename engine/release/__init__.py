"""Sign-off: signing statements, the only way to a final output, and what becomes of a run afterwards."""

from engine.release.anchors import check_log, kept_anchors
from engine.release.case import Case, open_case
from engine.release.publishing import Release, draft, release
from engine.release.purging import Purged, purge
from engine.release.signing import Wish, sign

__all__ = [
    "Case",
    "Purged",
    "Release",
    "Wish",
    "check_log",
    "draft",
    "kept_anchors",
    "open_case",
    "purge",
    "release",
    "sign",
]
