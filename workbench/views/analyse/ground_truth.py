"""Recall and precision of a run, compared with an uploaded table of ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from engine.evaluation import ground_truth
from engine.evaluation.scores import DetectorScores, Evaluation, MissedFace, Scores
from engine.evaluation.text_table import SIZE_LABELS
from engine.index import Index, Selection
from workbench import charts
from workbench.core import caches
from workbench.core.formatting import escape_markdown
from workbench.views.analyse import filters
from workbench.views.analyse.panels import is_dark_theme, show_chart, show_table

_UPLOAD_LABEL = "Truth table: CSV with the columns file, frame, x, y, w, h (optional: ignore, track)"


def show(run_index: Index, selection: Selection) -> None:
    """Show the upload of a table, and compare the first chosen run with it.

    Raises:
        InputError: the table cannot be read, or it does not describe the source of the record.
    """
    run = selection.runs[0]
    title = filters.list_run_titles(run_index)[run]
    uploaded = st.file_uploader(_UPLOAD_LABEL, "csv", key="analyse_truth")
    st.caption(f"Compares the whole record of {escape_markdown(title)}, before amendments. The filters do not apply.")
    if uploaded is None:
        return
    # Spreadsheets put a byte order mark in front of a CSV file; utf-8-sig removes it.
    text = uploaded.getvalue().decode("utf-8-sig", errors="replace")
    truth = ground_truth.parse_truth(text, uploaded.name)
    clip = st.selectbox(
        "Which file in the table is this video?", [clip.name for clip in truth.clips], key="analyse_clip"
    )
    entry = run_index.indexed_runs[run]
    figures, misses = caches.get_evaluation(text, clip, Path(entry.record), entry.record_sha256)
    rows = _build_score_rows(figures)
    _show_totals(figures)
    meaning = "Share of the true faces that were found (IoU at least 0.35), by face height, with 95 % intervals."
    show_chart(charts.draw_recall(figures, misses, run, dark=is_dark_theme()), rows, "recall", "Recall", meaning)
    show_table(rows, "recall-table")
    st.markdown("**Missed faces, largest first**")
    show_table(_build_miss_rows(misses, run), "misses", empty_text="No face was missed.")


def _show_totals(figures: Evaluation) -> None:
    """Show recall, precision and false boxes of the whole record."""
    false = "none" if figures.false_per_frame is None else f"{figures.false_per_frame:.3f}"
    recall, precision, wrong = st.columns(3)
    recall.metric(
        "Recall",
        _format_share(figures.recall),
        f"{figures.found:,} of {figures.faces:,} faces",
        delta_color="off",
        delta_arrow="off",
    )
    precision.metric(
        "Precision", _format_share(figures.precision), f"{figures.boxes:,} boxes", delta_color="off", delta_arrow="off"
    )
    wrong.metric(
        "False boxes per frame", false, f"{figures.frames:,} frames in the truth", delta_color="off", delta_arrow="off"
    )


def _format_share(value: float | None) -> str:
    return "none" if value is None else f"{value:.1%}"


def _build_score_rows(figures: Evaluation) -> pd.DataFrame:
    """Return a row for the record and for each union of detectors, for all sizes and for each size."""
    rows = []
    subjects: list[tuple[str, Evaluation | DetectorScores]] = [("record", figures)]
    subjects += [(" + ".join(union.detectors), union) for union in figures.by_detectors]
    for name, subject in subjects:
        sizes: list[tuple[str, Scores]] = [("all sizes", subject)]
        sizes += [(SIZE_LABELS[key], scores) for key, scores in subject.by_size.items()]
        for size, scores in sizes:
            low, high = scores.recall_interval or (None, None)
            rows.append((
                name, size, scores.faces, scores.found, scores.recall, low, high, scores.boxes, scores.precision,
                scores.false_per_frame,
            ))  # fmt: skip
    columns = ["who", "size", "faces", "found", "recall", "low", "high", "boxes", "precision", "false_per_frame"]
    return pd.DataFrame(rows, columns=columns)


def _build_miss_rows(misses: Sequence[MissedFace], run: str) -> pd.DataFrame:
    rows = [(run, miss.frame, miss.height, miss.hidden, miss.box.left, miss.box.top) for miss in misses]
    return pd.DataFrame(rows, columns=["run", "frame", "height_px", "hidden_share", "left_px", "top_px"])
