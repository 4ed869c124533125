"""The head of the Analyse page: the index, which is built if necessary, and the filters."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Mapping

import streamlit as st

from engine import access, index, runs
from engine.core.python_process import build_child_environment, build_module_command
from engine.core.wording import format_count
from engine.errors import AccessError, RunError
from engine.index import Index, Selection
from engine.runs import RunRegister
from engine.storage.data_folder import DataFolder
from workbench.auth import current_user
from workbench.core import caches, formatting, session
from workbench.core.links import Page, PageLocation
from workbench.core.page_table import show_page_link

_STATUS_TEXTS = {
    "queued": "is queued",
    "running": "is being detected",
    "interrupted": "was interrupted",
    "cancelled": "was cancelled",
    "failed": "failed",
    "done": "has no record any more",
}


def require_analyse_permission() -> None:
    """Stop the page if the user may not analyse. The server checks this at every rerun."""
    try:
        access.authorise(session.get_data(), current_user.require_person(), "analyse")
    except AccessError as error:
        st.error(formatting.escape_markdown(str(error)))
        show_page_link(Page.HOME, "Go to Home")
        st.stop()


def open_page_index() -> Index:
    """Return the index of the data folder; build what is missing.

    If there is nothing to show, the page explains why and stops here.
    """
    data = session.get_data()
    register = runs.read_register(data)
    _explain_chosen_run()
    run_index = _open_index(data)
    if run_index.missing_runs:
        _build_missing(data, run_index)
        run_index = _open_index(data)
    _show_unreadable_runs(run_index)
    if not run_index.indexed_runs:
        _explain_empty_index(register)
        st.stop()
    return run_index


def list_run_titles(run_index: Index) -> dict[str, str]:
    """Return a title for each indexed run, newest first: source, setup and time."""
    names, setups = list_source_names(run_index), list_setups(run_index)
    titles: dict[str, str] = {}
    for run in sorted(run_index.indexed_runs, reverse=True):
        title = f"{names[run]} · {setups[run]} · {_format_run_time(run)}"
        # Streamlit takes options with one label for the same option, so two such runs could never be chosen together.
        titles[run] = title if title not in titles.values() else f"{title} · {run.rpartition('-')[2]}"
    return titles


def list_source_names(run_index: Index) -> dict[str, str]:
    """Return the file name of the source of each indexed run; the run itself if its request cannot be read."""
    names = {run.folder.id: run.title for run in runs.read_register(session.get_data()).runs}
    return {run: names.get(run, run) for run in run_index.indexed_runs}


def list_setups(run_index: Index) -> dict[str, str]:
    """Return mode and detectors of each indexed run, and the settings in which runs with the same of both differ."""
    alike: dict[str, list[str]] = {}
    for run, entry in run_index.indexed_runs.items():
        alike.setdefault(f"{entry.mode}: {', '.join(entry.detectors)}", []).append(run)
    setups = {}
    for name, members in alike.items():
        settings = {run: run_index.indexed_runs[run].settings for run in members}
        keys = sorted({key for values in settings.values() for key in values})
        differing = [key for key in keys if len({values.get(key) for values in settings.values()}) > 1]
        for run in members:
            values = [f"{key}={settings[run][key]}" for key in differing if key in settings[run]]
            setups[run] = " · ".join([name, ", ".join(values)]) if values else name
    return setups


def choose(run_index: Index) -> Selection:
    """Show the filters and return what they select. The address of the page names the first chosen run."""
    names = list_run_titles(run_index)
    chosen = _choose_runs(run_index, names)
    longest = max(run_index.indexed_runs[run].seconds for run in chosen)
    detectors = sorted({name for run in chosen for name in run_index.indexed_runs[run].detectors})
    time, detector_column, confidence, size, track = st.columns([3, 2, 2, 2, 1], gap="medium")
    with time:
        start, stop = _choose_time(longest)
    with detector_column:
        chosen_detectors = st.multiselect("Detectors", detectors, placeholder="all", key="analyse_detectors")
    with confidence:
        min_score = st.slider("Minimum confidence", 0.0, 1.0, 0.0, 0.05, key="analyse_score")
    with size:
        low, high = st.select_slider(
            "Face height (px)",
            _HEIGHT_STEPS_PX,
            (_HEIGHT_STEPS_PX[0], _HEIGHT_STEPS_PX[-1]),
            key="analyse_height",
        )
    with track:
        number = st.number_input("Track", 0, None, None, 1, placeholder="any", key="analyse_track")
    return Selection(
        runs=tuple(chosen),
        detectors=tuple(chosen_detectors),
        start=start,
        stop=stop,
        track=None if number is None else int(number),
        least_score=min_score,
        least_height=0.0 if low == _HEIGHT_STEPS_PX[0] else float(low),
        most_height=math.inf if high == _HEIGHT_STEPS_PX[-1] else float(high),
    )


_HEIGHT_STEPS_PX = ("0", "12", "24", "36", "48", "72", "96", "144", "192", "288", "384", "any")


def _choose_runs(run_index: Index, names: Mapping[str, str]) -> list[str]:
    place = session.get_location()
    first = place.run if place.run in names else next(iter(names))
    if place.run is not None and place.run != first:
        st.caption("The newest run with a record is shown instead.")
    chosen = st.multiselect(
        "Runs",
        list(names),
        [first],
        format_func=lambda run: names[run],
        key=session.ANALYSED_RUNS.name,
        placeholder="Choose runs",
    )
    _offer_same_source(run_index, chosen)
    if not chosen:
        st.info("Choose a run.")
        st.stop()
    if place.run != chosen[0]:
        session.set_location(PageLocation(chosen[0]))
    return [run for run in chosen if run in run_index.indexed_runs]


def _offer_same_source(run_index: Index, chosen: list[str]) -> None:
    """Offer to add the other runs of the first chosen run's video, which is what comparing detectors takes."""
    if not chosen or chosen[0] not in run_index.indexed_runs:
        return
    missing = [run for run in index.find_runs_of_same_source(run_index, chosen[0]) if run not in chosen]
    if missing:
        others = "run" if len(missing) == 1 else format_count(len(missing), "run")
        label = f"Add the other {others} of this video"
        st.button(
            label, icon=":material/library_add:", key="analyse_add_runs", on_click=_set_runs, args=(chosen, missing)
        )


def _set_runs(chosen: list[str], missing: list[str]) -> None:
    # In a callback: Streamlit refuses to set a widget's value after it was drawn.
    session.ANALYSED_RUNS.set([*chosen, *missing])


def _choose_time(longest_s: float) -> tuple[float, float]:
    """Return start and stop in seconds; the stop is infinite if the whole video is selected."""
    end = max(1, math.ceil(longest_s))
    # The key has the length, so that the range of a longer video is not kept for a shorter one.
    start, stop = st.slider("Time (s)", 0, end, (0, end), key=f"analyse_time_{end}")
    return float(start), math.inf if stop == end else float(stop)


def _format_run_time(run: str) -> str:
    day, _, rest = run.partition("-")
    clock = rest[:6]
    if len(day) == 8 and (day + clock).isdecimal():
        return f"{day[:4]}-{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:4]}"
    return run


def _open_index(data: DataFolder) -> Index:
    return index.open_index(data, database=caches.get_index_database(data.index), refresh=False)


def _build_missing(data: DataFolder, run_index: Index) -> None:
    """Build what is missing, in a process of its own.

    Reading a long record needs much memory, and the server would not give it back.
    """
    total = len(run_index.missing_runs)
    bar = st.progress(0.0, "Adding records to the index")
    command = build_module_command("engine.index.rebuild_main", str(data.root))
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=build_child_environment()
    ) as process:
        while process.poll() is None:
            left = len(index.find_stale_runs(data.index, run_index.record_paths))
            bar.progress(1.0 - left / total, f"Adding records to the index: {total - left} of {total}")
            try:
                # Short waits, because the bar moves only while this script runs.
                process.wait(0.3)
            except subprocess.TimeoutExpired:
                continue
        error_lines = process.stderr.read().strip().splitlines() if process.stderr else []
    bar.empty()
    if _open_index(data).missing_runs:
        st.error(
            error_lines[-1]
            if error_lines
            else "The index could not be built. Try again, or run `veil index rebuild` in a terminal."
        )
        if st.button("Try again", icon=":material/refresh:"):
            st.rerun()
        st.stop()


def _explain_chosen_run() -> None:
    """Explain why the run in the address has no record."""
    try:
        run = session.load_chosen_run()
    except RunError as error:
        st.warning(formatting.escape_markdown(str(error)))
        return
    if run is not None and not run.folder.record.exists():
        status_text = _STATUS_TEXTS.get(run.status, "has no record")
        sentence = f": {run.state.sentence}" if run.status == "failed" and run.state.sentence else "."
        st.info(formatting.escape_markdown(f"{run.title} {status_text}{sentence} It has no record to analyse."))
        show_page_link(Page.HOME, "Go to the runs on Home")


def _show_unreadable_runs(run_index: Index) -> None:
    if not run_index.unreadable_runs:
        return
    number = len(run_index.unreadable_runs)
    label = "One run cannot be analysed" if number == 1 else f"{number} runs cannot be analysed"
    with st.expander(label, icon=":material/warning:", expanded=not run_index.indexed_runs):
        for run, entry in run_index.unreadable_runs.items():
            st.markdown(f"**{run}**: {formatting.escape_markdown(entry.failure)}")
        st.caption("Detect the video again, or restore the record from a backup. Other runs are not affected.")


def _explain_empty_index(register: RunRegister) -> None:
    working = sum(run.status in {"queued", "running"} for run in register.runs)
    if working:
        st.info(f"No run is finished yet ({working} in progress). Come back when a run is done.")
        show_page_link(Page.HOME, "Show the progress", as_button=True)
    else:
        st.info("There is no record to analyse yet. Detect a video first.")
        show_page_link(Page.DETECT, "Detect a video", as_button=True)
        show_page_link(Page.HOME, "Go to Home")
