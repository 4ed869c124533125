"""Sign-off: signing statements, the only way to a final output, and what becomes of a run afterwards."""

from engine.release.anchors import check_log, kept_anchors
from engine.release.case import Case, open_case, signed_options
from engine.release.findings import found_leaks, judge, judgements, newest_leaks, open_leaks
from engine.release.frameaudit import audit_frames, drawn_frames, frame_audit
from engine.release.publishing import Release, draft, release
from engine.release.purging import Purged, purge
from engine.release.risks import risk_of
from engine.release.signing import Wish, sign

__all__ = [
    "Case",
    "Purged",
    "Release",
    "Wish",
    "audit_frames",
    "check_log",
    "draft",
    "drawn_frames",
    "found_leaks",
    "frame_audit",
    "judge",
    "judgements",
    "kept_anchors",
    "newest_leaks",
    "open_case",
    "open_leaks",
    "purge",
    "release",
    "risk_of",
    "sign",
    "signed_options",
]
