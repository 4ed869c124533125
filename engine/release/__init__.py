"""Sign-off: signing statements, the only way to a final output, and what becomes of a run afterwards."""

from engine.release.anchors import check_log, kept_anchors
from engine.release.drafts import Draft, draft, drafts_of, remove_draft
from engine.release.frame_audit import audit_frames, drawn_frames, frame_audit
from engine.release.leak_judgements import found_leaks, judge, judgements, newest_leaks, open_leaks
from engine.release.playback import Playable, make_copy, playable
from engine.release.purge import Purged, purge
from engine.release.release import Release, release
from engine.release.risk import risk_of
from engine.release.sign import Wish, sign
from engine.release.snapshot import Case, on_terms, open_case, signed_options

__all__ = [
    "Case",
    "Draft",
    "Playable",
    "Purged",
    "Release",
    "Wish",
    "audit_frames",
    "check_log",
    "draft",
    "drafts_of",
    "drawn_frames",
    "found_leaks",
    "frame_audit",
    "judge",
    "judgements",
    "kept_anchors",
    "make_copy",
    "newest_leaks",
    "on_terms",
    "open_case",
    "open_leaks",
    "playable",
    "purge",
    "release",
    "remove_draft",
    "risk_of",
    "sign",
    "signed_options",
]
