"""Start a run with every detector of this machine that has none of a video yet, in one click."""

from __future__ import annotations

import streamlit as st

from engine import access, index, runs
from engine.core.wording import format_count
from engine.detectors.registry import local_detector_names
from engine.errors import VeilError
from engine.index import Index
from engine.jobs.estimate import find_missing_models
from engine.jobs.queue import list_queued_runs, submit_run
from engine.jobs.requests import Submission, create_group
from engine.record import DetectOptions
from workbench.auth import current_user
from workbench.core import session
from workbench.core.formatting import escape_markdown


def offer_missing(run_index: Index, run: str) -> None:
    """Offer to detect the video of a run with each local detector by itself, as far as that was not done or queued."""
    if not access.is_allowed(current_user.require_person(), "detect"):
        return
    missing = _list_missing(run_index, run)
    if not missing:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Run with all detectors ({len(missing)} to run)"
        help_text = f"Queues one run for each detector that this video was not detected with: {', '.join(missing)}."
        if st.button(label, icon=":material/playlist_add:", help=help_text, key="analyse_run_all"):
            progress = st.empty()
            # At once, as writing the runs to the disk takes a while.
            progress.caption(f"Queueing {format_count(len(missing), 'run')}.")
            _submit(run_index, run, missing)
            progress.empty()


def _list_missing(run_index: Index, run: str) -> list[str]:
    """List the local detectors without a run of their own of this video, finished or on its way."""
    same = [run, *index.find_runs_of_same_source(run_index, run)]
    done = {entry.detectors for name in same if (entry := run_index.indexed_runs[name])}
    sha256 = run_index.indexed_runs[run].source_sha256
    waiting = {
        one.request.detection.detectors
        for one in runs.read_register(session.get_data()).runs
        if one.status in {"queued", "running"} and one.request.source_sha256 == sha256
    }
    return [name for name in local_detector_names() if (name,) not in done | waiting]


def _submit(run_index: Index, run: str, detectors: list[str]) -> None:
    data, person = session.get_data(), current_user.require_person()
    started, skipped = 0, []
    try:
        source = runs.load_run(data, run).source
        sha256 = run_index.indexed_runs[run].source_sha256
        submission = Submission(sha256, create_group())
        for detector in detectors:
            options = DetectOptions(detectors=(detector,))
            if find_missing_models(data, options):
                skipped.append(detector)
                continue
            submit_run(data, person, source, options, submission)
            started += 1
    except VeilError as error:
        st.error(escape_markdown(str(error)))
        return
    if skipped:
        st.warning(f"Models are missing ({', '.join(skipped)}). Run `veil models fetch` in a terminal, then try again.")
    if started:
        waiting = len(list_queued_runs(data))
        st.toast(f"{format_count(started, 'run')} queued, {waiting} waiting. They appear here when they are done.")
