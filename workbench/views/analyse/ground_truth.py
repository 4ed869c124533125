"""Recall, precision and coverage of all chosen runs, compared with uploaded tables of ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from engine.evaluation import ground_truth
from engine.evaluation.run_scores import RunScores, compute_f1, find_clip, merge_truths
from engine.evaluation.scores import DetectorScores, Evaluation, MissedFace, RecordScores, Scores
from engine.evaluation.text_table import SIZE_LABELS
from engine.index import Index, Selection
from workbench import charts
from workbench.core import caches
from workbench.core.caches import ClipRecord, TruthText
from workbench.core.formatting import escape_markdown
from workbench.views.analyse import filters
from workbench.views.analyse.panels import is_dark_theme, show_chart, show_table

_UPLOAD_LABEL = "Truth tables: CSV with the columns file, frame, x, y, w, h (optional: ignore, track)"
_LEFT_OUT = "none of them"
_MASKED = "masks of the record"
_SIZE_COLUMNS = dict(zip(SIZE_LABELS, ("under_24", "24_to_48", "from_48"), strict=True))


def show(run_index: Index, selection: Selection) -> None:
    """Show the upload of tables, and compare the chosen runs with them.

    Raises:
        InputError: a table cannot be read, or it does not describe the source of a record.
    """
    uploads = st.file_uploader(_UPLOAD_LABEL, "csv", accept_multiple_files=True, key="analyse_truth")
    st.caption(
        "Compares the whole records of all chosen runs, before amendments; the filters do not apply. Runs with the "
        "same detectors and settings are one line over all their videos."
    )
    if not uploads:
        return
    # Spreadsheets put a byte order mark in front of a CSV file; utf-8-sig removes it.
    tables = tuple((one.name, one.getvalue().decode("utf-8-sig", errors="replace")) for one in uploads)
    clips = [clip.name for clip in merge_truths([ground_truth.parse_truth(text, name) for name, text in tables]).clips]
    clip_by_source = _assign_clips(run_index, selection, clips)
    scores = _score_setups(run_index, selection, clip_by_source, tables)
    if not scores:
        st.info("None of the chosen runs is of a video in the tables.")
        return
    rows = _build_comparison_rows(scores)
    st.markdown(
        "**Detectors compared**",
        help="Found: IoU at least 0.35. Covered: 90 % of the face under the mask of style strong. F1 is the harmonic "
        "mean of recall and precision. Sizes are heights of faces in pixels.",
    )
    show_table(rows, "detectors", lambda: _build_size_rows(scores))
    meaning = (
        "Each point leaves out the detections below a score; a curve ends at the threshold of its detector. "
        "The circle is what the record masks."
    )
    curve_rows = _build_curve_rows(scores)
    if not curve_rows.empty:
        figure = charts.draw_precision_recall(curve_rows, rows[rows["detector"] == _MASKED], dark=is_dark_theme())
        show_chart(figure, curve_rows, "precision-recall", "Precision and recall over the score", meaning)
    _show_details(run_index, selection, scores, clip_by_source)


def _assign_clips(run_index: Index, selection: Selection, clips: Sequence[str]) -> dict[str, str]:
    """Find the file of the tables for each source, by hash; ask where the names do not tell."""
    names = filters.list_source_names(run_index)
    sources = {run_index.indexed_runs[run].source_sha256: names[run] for run in selection.runs}
    only = clips[0] if len(clips) == len(sources) == 1 else None
    guesses = {source: find_clip(name, clips) or only for source, name in sources.items()}
    with st.expander("Which file in the tables is each video?", expanded=None in guesses.values()):
        options = [_LEFT_OUT, *clips]
        chosen = {
            source: st.selectbox(
                name, options, options.index(guesses[source] or _LEFT_OUT), key=f"analyse_clip_{source[:16]}"
            )
            for source, name in sources.items()
        }
    return {source: clip for source, clip in chosen.items() if clip != _LEFT_OUT}


def _score_setups(
    run_index: Index, selection: Selection, clip_by_source: Mapping[str, str], tables: tuple[TruthText, ...]
) -> dict[str, RunScores]:
    """Score the runs of each setup together. Of several runs of one video with the same setup, the newest counts."""
    setups = filters.list_setups(run_index)
    records: dict[str, dict[str, ClipRecord]] = {}
    for run in sorted(selection.runs):
        entry = run_index.indexed_runs[run]
        if clip := clip_by_source.get(entry.source_sha256):
            records.setdefault(setups[run], {})[clip] = ClipRecord(clip, entry.record, entry.record_sha256)
    return {setup: caches.get_run_scores(tables, tuple(of_setup.values())) for setup, of_setup in records.items()}


def _list_subjects(setup: str, evaluation: Evaluation) -> list[tuple[str, str, RecordScores | DetectorScores]]:
    """List what has scores in a setup, with its name: the record, and each detector alone."""
    detectors = [(one.detectors[0], one) for one in evaluation.by_detectors if len(one.detectors) == 1]
    return [(setup, _MASKED, evaluation), *((setup, name, one) for name, one in detectors)]


def _build_comparison_rows(scores: Mapping[str, RunScores]) -> pd.DataFrame:
    """Return a row for the record of each setup and for each of its detectors, with recall and coverage by size."""
    rows = []
    for setup, one in scores.items():
        for run, name, subject in _list_subjects(setup, one.evaluation):
            assert isinstance(subject, Evaluation | DetectorScores)
            row: dict[str, object] = {"runs": run, "detector": name, "faces": subject.faces, "recall": subject.recall}
            row |= {"precision": subject.precision, "f1": compute_f1(subject)}
            row |= {"coverage": getattr(subject, "coverage", None), "false_per_frame": subject.false_per_frame}
            for size, column in _SIZE_COLUMNS.items():
                row[f"recall_{column}"] = subject.by_size[size].recall
            for size, column in _SIZE_COLUMNS.items():
                row[f"coverage_{column}"] = getattr(subject.by_size[size], "coverage", None)
            for size, column in _SIZE_COLUMNS.items():
                row[f"false_{column}"] = subject.by_size[size].false_per_frame
            rows.append(row)
    numbers = set(rows[0]) - {"runs", "detector", "faces"}
    # Sizes of which the truth has no face would only widen the table.
    return pd.DataFrame(rows).astype(dict.fromkeys(numbers, float)).dropna(axis="columns", how="all")


def _build_size_rows(scores: Mapping[str, RunScores]) -> pd.DataFrame:
    """Return a row for each setup, detector and size, with counts and intervals, for the export."""
    rows = []
    for setup, one in scores.items():
        for run, name, subject in _list_subjects(setup, one.evaluation):
            assert isinstance(subject, Evaluation | DetectorScores)
            sizes: list[tuple[str, Scores]] = [("all sizes", subject)]
            sizes += [(SIZE_LABELS[key], part) for key, part in subject.by_size.items()]
            for size, part in sizes:
                low, high = part.recall_interval or (None, None)
                rows.append((
                    run, name, size, part.faces, part.found, part.recall, low, high, getattr(part, "coverage", None),
                    part.boxes, part.false_boxes, part.precision, compute_f1(part), part.false_per_frame,
                ))  # fmt: skip
    columns = [
        "runs", "detector", "size", "faces", "found", "recall", "low", "high", "coverage", "boxes", "false_boxes",
        "precision", "f1", "false_per_frame",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _build_curve_rows(scores: Mapping[str, RunScores]) -> pd.DataFrame:
    rows = [
        (setup, detector, point.score, point.recall, point.precision)
        for setup, one in scores.items()
        for detector, points in one.curves.items()
        for point in points
    ]
    return pd.DataFrame(rows, columns=["runs", "detector", "score", "recall", "precision"])


def _show_details(
    run_index: Index, selection: Selection, scores: Mapping[str, RunScores], clip_by_source: Mapping[str, str]
) -> None:
    """Show the totals, the recall by size and the missed faces of one setup."""
    setup = st.selectbox("Details of", list(scores), key="analyse_setup")
    one, setups = scores[setup], filters.list_setups(run_index)
    run_by_clip = {
        clip_by_source[run_index.indexed_runs[run].source_sha256]: run
        for run in sorted(selection.runs)
        if setups[run] == setup and run_index.indexed_runs[run].source_sha256 in clip_by_source
    }
    _show_totals(one.evaluation)
    rows = _build_miss_rows(one.misses, run_by_clip)
    first_run = str(rows["run"].iloc[0]) if len(rows) else next(iter(run_by_clip.values()))
    meaning = "Share of the true faces that were found (IoU at least 0.35), by face height, with 95 % intervals."
    figure = charts.draw_recall(one.evaluation, one.misses, first_run, dark=is_dark_theme())
    show_chart(figure, _build_size_rows({setup: one}), "recall", "Recall by face size", meaning)
    st.markdown(f"**Missed faces, largest first**: {escape_markdown(setup)}")
    show_table(rows, "misses", empty_text="No face was missed.")


def _show_totals(figures: Evaluation) -> None:
    """Show recall, precision, coverage and false boxes of the records of a setup."""
    false = "none" if figures.false_per_frame is None else f"{figures.false_per_frame:.3f}"
    totals = (
        ("Recall", _format_share(figures.recall), f"{figures.found:,} of {figures.faces:,} faces"),
        ("Coverage", _format_share(figures.coverage), f"{figures.covered:,} of {figures.faces:,} faces"),
        ("Precision", _format_share(figures.precision), f"{figures.boxes:,} boxes"),
        ("False boxes per frame", false, f"{figures.frames:,} frames in the truth"),
    )
    # A row that wraps: on a phone, columns would fill the screen one below the other.
    with st.container(horizontal=True, gap="large"):
        for label, value, basis in totals:
            st.metric(label, value, basis, delta_color="off", delta_arrow="off", width="content")


def _format_share(value: float | None) -> str:
    return "none" if value is None else f"{value:.1%}"


def _build_miss_rows(misses: Sequence[MissedFace], run_by_clip: Mapping[str, str]) -> pd.DataFrame:
    rows = [
        (run_by_clip[miss.file], miss.file, miss.frame, miss.height, miss.hidden, miss.box.left, miss.box.top)
        for miss in misses
        if miss.file in run_by_clip
    ]
    columns = ["run", "file", "frame", "height_px", "hidden_share", "left_px", "top_px"]
    return pd.DataFrame(rows, columns=columns)
