"""Sign-off: signing statements, the only way to a final output, and what becomes of a run afterwards."""

from engine.release.anchors import check_audit_log, read_anchors
from engine.release.archive import stream_release_archive
from engine.release.download import record_download
from engine.release.drafts import Draft, list_drafts, remove_draft, render_draft
from engine.release.frame_audit import draw_run_audit_frames, read_frame_audit, save_frame_audit
from engine.release.leak_judgements import (
    judge_leak,
    list_open_leaks,
    read_judgements,
    read_leak_report,
    read_newest_leak_report,
)
from engine.release.missing_files import check_evidence, find_missing_files
from engine.release.playback import Playback, choose_playback, make_playback_copy
from engine.release.purge import PurgeReport, purge
from engine.release.release import Release, release
from engine.release.review_figures import is_sample_checked, measure_review
from engine.release.risk import compute_residual_risk
from engine.release.several import SeriesRequest, release_series, release_several, sign_several
from engine.release.sign import SignRequest, sign
from engine.release.snapshot import SignOffSnapshot, open_snapshot, read_signed_options, replace_terms

__all__ = [
    "Draft",
    "Playback",
    "PurgeReport",
    "Release",
    "SeriesRequest",
    "SignOffSnapshot",
    "SignRequest",
    "check_audit_log",
    "check_evidence",
    "choose_playback",
    "compute_residual_risk",
    "draw_run_audit_frames",
    "find_missing_files",
    "is_sample_checked",
    "judge_leak",
    "list_drafts",
    "list_open_leaks",
    "make_playback_copy",
    "measure_review",
    "open_snapshot",
    "purge",
    "read_anchors",
    "read_frame_audit",
    "read_judgements",
    "read_leak_report",
    "read_newest_leak_report",
    "read_signed_options",
    "record_download",
    "release",
    "release_series",
    "release_several",
    "remove_draft",
    "render_draft",
    "replace_terms",
    "save_frame_audit",
    "sign",
    "sign_several",
    "stream_release_archive",
]
