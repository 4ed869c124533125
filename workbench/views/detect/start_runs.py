"""The lower part of the Detect page: summary and estimate of the chosen videos, start, and run history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
import streamlit as st

from engine import runs
from engine.core.wording import format_count
from engine.detectors.cloud.credentials import check_cloud_credentials
from engine.detectors.registry import local_detector_names
from engine.errors import VeilError
from engine.jobs.cases import PRIORITIES, remove_video
from engine.jobs.estimate import (
    PastRun,
    RunEstimate,
    estimate_run,
    find_missing_models,
    load_past_runs,
    measure_slowdown,
)
from engine.jobs.library import LibraryVideo
from engine.jobs.queue import submit_run
from engine.jobs.requests import Submission, create_group
from engine.media.facts import MediaInfo
from engine.media.source.preflight import check_renderable
from engine.record import DetectOptions
from engine.runs import RunRegister
from workbench.auth import current_user
from workbench.components import model_check, run_list
from workbench.core import caches, formatting, session
from workbench.views.detect import footage_picker
from workbench.views.detect.cancel_waiting import show_cancel_waiting
from workbench.views.detect.planned_run import PlannedRun
from workbench.views.detect.planned_table import show_planned_table
from workbench.views.detect.run_groups import show_groups

_MAX_CARDS = 5
"""Most videos that are shown as cards with all their streams; more of them are a table."""
_MAX_NAMED = 6
"""Most dropped streams and tags that are named in one line."""
_CONTAINER_TAGS = frozenset({
    *("compatible_brands", "encoder", "handler_name", "language", "major_brand", "minor_version", "vendor_id"),
})  # fmt: skip
"""Tags about how a file was written. They say nothing about its content, so they are only counted."""


def show_planned_runs(chosen: list[LibraryVideo], options: DetectOptions) -> None:
    """Show a summary of each chosen video, and start the runs when the button is pressed."""
    # Once for all videos, because it reads every run.
    register = runs.read_register(session.get_data()) if chosen else RunRegister((), ())
    planned_runs = _plan_runs(chosen, options, register)
    _show_summaries(planned_runs)
    has_models = not chosen or model_check.check_models(options)
    is_remote = any(planned.estimate.transfer for planned in planned_runs)
    if is_remote:
        _check_credentials()
    where = " in the cloud" if is_remote else ""
    label = f"Start {format_count(len(planned_runs), 'run')}{where}" if planned_runs else "Start"
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(label, type="primary", icon=":material/play_arrow:", disabled=not (planned_runs and has_models)):
            session.ASKED_TO_SEND.set(is_remote)
            if not is_remote:
                _start_runs(planned_runs, (options,))
        _show_all_detectors_button(planned_runs, options)
        if planned_runs:
            _choose_priority()
        if not chosen:
            st.caption("Choose footage first.")
        elif planned_runs and has_models:
            st.caption(_describe_queue(register))
    if is_remote and has_models and session.ASKED_TO_SEND.get():
        _ask_to_send(planned_runs, options)


def _check_credentials() -> None:
    """Warn before the start, because a run without credentials fails in the background later."""
    try:
        check_cloud_credentials()
    except VeilError as error:
        st.warning(formatting.escape_markdown(str(error)), icon=":material/key_off:")


def _ask_to_send(planned_runs: list[PlannedRun], options: DetectOptions) -> None:
    """Ask once before frames leave the machine and cost money."""
    with st.container(border=True):
        st.markdown(f"**Send frames with visible faces to Amazon?**  \n{_describe_total(planned_runs)}")
        with st.container(horizontal=True):
            if st.button("Send and start", type="primary", icon=":material/cloud_upload:", key="cloud-yes"):
                session.ASKED_TO_SEND.set(False)
                _start_runs(planned_runs, (options,))
            if st.button("Do not send", key="cloud-no"):
                session.ASKED_TO_SEND.set(False)
                st.rerun()


def show_history(register: RunRegister) -> None:
    """Show all runs, and the run folders that are damaged."""
    if not (register.runs or register.damaged):
        st.caption("No runs yet.")
    show_groups(register)
    show_cancel_waiting(register)
    run_list.show_runs(run_list.list_runs(register))
    run_list.show_damaged_runs(register.damaged)


_NOTED_SLOWDOWN = 1.5
"""Slowdown by other programs from which an estimate names it."""


def _plan_runs(chosen: Sequence[LibraryVideo], options: DetectOptions, register: RunRegister) -> list[PlannedRun]:
    """Plan a run of each video that can be read. Each is read once from beginning to end, which takes a while."""
    earlier = load_past_runs(register)
    slowdown = measure_slowdown(is_detecting=any(run.status == "running" for run in register.runs))
    place, planned_runs = st.empty(), []
    for number, video in enumerate(chosen):
        if len(chosen) > _MAX_CARDS:
            text = f"Reading {number + 1:,} of {len(chosen):,}: {formatting.escape_markdown(video.name)}"
            place.progress(number / len(chosen), text=text)
        planned = _plan_run(video, options, earlier, slowdown)
        if planned is not None:
            planned_runs.append(planned)
    place.empty()
    return planned_runs


def _plan_run(
    video: LibraryVideo, options: DetectOptions, earlier: tuple[PastRun, ...], slowdown: float
) -> PlannedRun | None:
    try:
        info = caches.get_media_info(video.path)
        check_renderable(video.path, info)
        return PlannedRun(video, info, estimate_run(earlier, info, options, slowdown))
    except VeilError as error:
        # By the name that the choice above shows; the folder of the library is the same for all.
        st.error(formatting.escape_markdown(str(error).replace(str(video.path), video.name)))
        _show_remove_button(video)
        return None


def _show_remove_button(video: LibraryVideo) -> None:
    """Offer to remove a file from the library that is no video, or a broken one."""
    if st.button(
        f"Remove {formatting.escape_markdown(video.name)} from the library",
        icon=":material/delete:",
        key=f"bad-{video.name}",
    ):
        try:
            remove_video(session.get_data(), current_user.require_person(), video.path)
        except VeilError as error:
            st.error(formatting.escape_markdown(str(error)))
        else:
            st.rerun()


def _show_summaries(planned_runs: Sequence[PlannedRun]) -> None:
    if len(planned_runs) > _MAX_CARDS:
        show_planned_table(planned_runs)
    else:
        for planned in planned_runs:
            _show_summary(planned)
    if len(planned_runs) > 1:
        st.markdown(_describe_total(planned_runs))


def _show_summary(planned: PlannedRun) -> None:
    info, expected, video = planned.info, planned.estimate, planned.info.video
    with st.container(border=True, gap="xsmall"):
        parts = [
            f"{video.display.width} x {video.display.height}",
            format_count(video.packets, "frame"),
            formatting.format_duration(video.to_seconds(video.last_pts + video.step)),
            _describe_audio(info),
            _describe_estimate(expected),
        ]
        st.markdown(
            f"**{formatting.escape_markdown(planned.footage.name)}**  \n{' · '.join(part for part in parts if part)}"
        )
        if expected.transfer:
            st.warning(expected.transfer.describe(), icon=":material/cloud_upload:")
        if info.cut_short:
            st.warning(
                f"The file is incomplete: {formatting.escape_markdown(info.cut_short)}", icon=":material/content_cut:"
            )
        with st.expander(_describe_dropped(info)):
            _show_streams(info)


def _describe_estimate(estimate: RunEstimate) -> str:
    if estimate.seconds is None:
        return ""
    basis = "from earlier runs" if estimate.measured else "rough estimate"
    if estimate.slowdown >= _NOTED_SLOWDOWN:
        basis += f"; the machine is busy, which makes it {estimate.slowdown:.0f} times as long"
    return f"about {formatting.format_duration(estimate.seconds)} ({basis})"


def _describe_audio(info: MediaInfo) -> str:
    kept = sum(stream.kind == "audio" and stream.fate == "copied" for stream in info.streams)
    return f"{format_count(kept, 'audio stream')} kept unchanged" if kept else "no audio"


def _describe_dropped(info: MediaInfo) -> str:
    """List in one line what the output leaves out: streams by kind, then tags."""
    streams = Counter(stream.kind for stream in info.streams if stream.fate == "dropped")
    parts = [format_count(number, f"{kind} stream") for kind, number in streams.items()]
    tags = {extra.name.rpartition(": ")[2] for extra in info.extras if extra.fate == "dropped"}
    parts += sorted(tags - _CONTAINER_TAGS)
    if technical := tags & _CONTAINER_TAGS:
        parts.append(format_count(len(technical), "technical tag"))
    if len(parts) > _MAX_NAMED:
        parts = [*parts[:_MAX_NAMED], f"{len(parts) - _MAX_NAMED} more"]
    return f"Dropped: {', '.join(parts)}" if parts else "Nothing dropped"


def _show_streams(info: MediaInfo) -> None:
    rows = [(f"{stream.kind} {stream.codec}", stream.fate, stream.reason) for stream in info.streams]
    rows += [(f"{extra.kind} {extra.name}", extra.fate, extra.reason) for extra in info.extras]
    st.table({"part": [row[0] for row in rows], "result": [row[1] for row in rows], "reason": [row[2] for row in rows]})
    st.caption(f"SHA-256 of the file: {info.sha256}")


def _describe_total(planned_runs: Iterable[PlannedRun]) -> str:
    """Sum up duration and cost of all planned runs."""
    estimates = [planned.estimate for planned in planned_runs]
    seconds = sum(estimate.seconds for estimate in estimates if estimate.seconds is not None)
    parts = [f"**Total for {len(estimates)} videos**"]
    if seconds:
        parts.append(f"about {formatting.format_duration(seconds)}, one after the other")
    costs = [estimate.transfer.cost for estimate in estimates if estimate.transfer is not None]
    if costs:
        most = "at most " if any(cost.is_upper_bound for cost in costs) else ""
        frames, dollars = sum(cost.frames for cost in costs), sum(cost.dollars for cost in costs)
        parts.append(f"{most}{format_count(frames, 'frame')} leave this machine, {most}USD {dollars:,.3f}")
    return " · ".join(parts)


def _describe_queue(register: RunRegister) -> str:
    before = sum(run.status == "queued" for run in register.runs)
    behind = f" after {format_count(before, 'queued run')}" if before else ""
    return f"Runs in the background{behind}. You can close this page."


def _choose_priority() -> None:
    chosen = st.selectbox(
        "Priority",
        PRIORITIES,
        PRIORITIES.index(session.RUN_PRIORITY.get()),
        format_func=lambda priority: f"{priority} priority",
        label_visibility="collapsed",
        width=160,
        help="Runs of high priority are taken before all others that wait, and those of low priority after them.",
        key="priority",
    )
    session.RUN_PRIORITY.set(chosen)


def _show_all_detectors_button(planned_runs: Sequence[PlannedRun], options: DetectOptions) -> None:
    """Show the button that starts a run with each local detector by itself, to compare them in Analyse."""
    if not planned_runs:
        return
    data = session.get_data()
    alone = [
        msgspec.structs.replace(options, mode="on-prem", detectors=(name,), asking={}, max_cost=None)
        for name in local_detector_names()
    ]
    ready = [one for one in alone if not find_missing_models(data, one)]
    names = ", ".join(name for one in ready for name in one.detectors or ())
    help_text = f"One run of each video for each detector by itself, to compare them in Analyse: {names}."
    if st.button("Run with all detectors", icon=":material/playlist_add:", help=help_text, disabled=not ready):
        _start_runs(planned_runs, ready)


def _start_runs(planned_runs: Iterable[PlannedRun], choices: Sequence[DetectOptions]) -> None:
    """Put a run of each video with each choice of options into the queue and confirm it."""
    started_count, group, priority = 0, create_group(), session.RUN_PRIORITY.get()
    try:
        for planned in planned_runs:
            for options in choices:
                # With the hash from the probe, so that a large file is not read once more.
                submission = Submission(planned.info.sha256, group, priority)
                submit_run(session.get_data(), current_user.require_person(), planned.footage.path, options, submission)
                started_count += 1
    except VeilError as error:
        st.error(formatting.escape_markdown(str(error)))
        return
    footage_picker.clear_choice()
    st.toast(f"{format_count(started_count, 'run')} queued. You can close this page.")
    st.rerun()
