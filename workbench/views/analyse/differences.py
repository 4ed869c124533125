"""Two accounts of one video side by side: detectors, runs, or a record before and after its review."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import pandas as pd
import streamlit as st

from engine import access, index
from engine.core.frame_ranges import describe_range
from engine.core.geometry import Box, Size
from engine.evaluation.record_diff import Difference, PlacedBox, RecordDiff
from engine.evaluation.text_table import SIZE_LABELS
from engine.index import Index, IndexedRun, Selection
from workbench.auth import current_user
from workbench.components.face_tiles import build_boxed_tile, show_tiles
from workbench.core import caches
from workbench.core.caches import AccountSource
from workbench.core.formatting import escape_markdown
from workbench.core.links import Page, PageLocation
from workbench.core.page_table import show_page_link
from workbench.views.analyse import detector_runs, filters
from workbench.views.analyse.panels import show_table

_PER_PAGE = 6
_STILL_SIDE_PX = 1280
_KIND_TEXTS = {"first": "Only A", "second": "Only B", "moved": "Moved or resized"}


@dataclass(frozen=True, slots=True)
class _Side:
    """One choice of what to compare: the run, its label, and where its boxes come from."""

    run: str
    label: str
    source: AccountSource


def show(run_index: Index, selection: Selection) -> None:
    """Choose two sides of the first chosen run's video, and show where they differ."""
    run = selection.runs[0]
    detector_runs.offer_missing(run_index, run)
    sides = {side.label: side for side in _list_sides(run_index, selection)}
    if len(sides) < 2:
        st.caption("There is only one account of this video. Detect it with another detector to compare.")
        return
    labels = list(sides)
    left, right = st.columns(2, gap="large")
    one = sides[left.selectbox("A", labels, 0, key=f"analyse_a_{run}")]
    # A review is what a person did last, so it is compared first; else the masks of another run; else two detectors.
    others = [label for label in labels if label != one.label]
    other = sides[right.selectbox("B", others, 0, key=f"analyse_b_{run}_{one.label}")]
    entry = run_index.indexed_runs[one.run]
    frames = _find_frames(entry, selection)
    diff = caches.get_diff(one.source, other.source, frames)
    _show_counts(diff)
    chosen = _filter_differences(diff, selection)
    if not chosen:
        st.caption("A and B agree in everything that is selected.")
        return
    st.caption(
        "Blue: a box that both have. Orange: what differs. "
        "The same face: boxes of a frame that overlap by at least 0.35 (IoU). Moved: they overlap by less than 0.7."
    )
    _show_pictures(chosen, one, other, entry.display)
    rows = _build_rows(chosen, one.run)
    show_table(rows, "differences")


def _list_sides(run_index: Index, selection: Selection) -> Iterator[_Side]:
    """Yield the sides: the masks of the run, after its review, then other runs of the source, then detectors."""
    first = selection.runs[0]
    # The chosen runs come first; other runs of the same video need not be chosen to be compared.
    same = index.find_runs_of_same_source(run_index, first)
    ordered = [
        first,
        *(run for run in selection.runs if run in same),
        *(run for run in same if run not in selection.runs),
    ]
    titles = _shorten_titles(run_index, ordered)
    for run in ordered:
        entry = run_index.indexed_runs[run]
        source = AccountSource(entry.record, entry.record_sha256)
        yield _Side(run, f"Masks as detected · {titles[run]}", source)
        if entry.amendments:
            review = str(index.review_path_from_record(run_index.record_paths[run]))
            reviewed = source._replace(review=review, review_sha256=entry.review_sha256)
            yield _Side(run, f"Masks after review · {titles[run]}", reviewed)
    for run in ordered:
        entry = run_index.indexed_runs[run]
        for detector in entry.detectors:
            source = AccountSource(entry.record, entry.record_sha256, detector=detector)
            yield _Side(run, f"Detector {detector} · {titles[run]}", source)


def _shorten_titles(run_index: Index, same_source: list[str]) -> dict[str, str]:
    """Return titles without the name of the source, which is the same for all of them."""
    titles, names = filters.list_run_titles(run_index), filters.list_source_names(run_index)
    return {run: titles[run].removeprefix(f"{names[run]} · ") for run in same_source}


def _find_frames(entry: IndexedRun, selection: Selection) -> tuple[int, int]:
    """Return the frames of the chosen time, on average frame times."""
    rate = (entry.frames - 1) / entry.seconds if entry.seconds else 1.0
    stop = entry.frames if math.isinf(selection.stop) else min(entry.frames, math.ceil(selection.stop * rate))
    return min(math.floor(selection.start * rate), stop), stop


def _filter_differences(diff: RecordDiff, selection: Selection) -> list[Difference]:
    kinds = st.pills(
        "Kinds of differences",
        list(_KIND_TEXTS),
        selection_mode="multi",
        default=list(_KIND_TEXTS),
        format_func=_KIND_TEXTS.__getitem__,
        key="analyse_kinds",
        label_visibility="collapsed",
    )
    return [
        one
        for one in diff.differences
        if one.kind in kinds
        and selection.least_height <= one.box.height < selection.most_height
        and selection.track in {None, one.track}
    ]


def _show_counts(diff: RecordDiff) -> None:
    """Show how many faces in frames both have, and only one of them, by size."""
    columns: Mapping[str, Mapping[str, int]] = {"both": diff.both, "only A": diff.first, "only B": diff.second}
    rows = [("all sizes", *(sum(counts.values()) for counts in columns.values()))]
    rows += [(label, *(counts[size] for counts in columns.values())) for size, label in SIZE_LABELS.items()]
    st.markdown(
        f"**{diff.frames_differing:,} of {diff.frames:,} frames differ**",
        help="A face is counted once in each frame.",
    )
    table = pd.DataFrame(rows, columns=["size", *columns])
    table["agreement"] = table["both"] / (table["both"] + table["only A"] + table["only B"]).where(
        lambda all_: all_ > 0
    )
    st.dataframe(
        table,
        hide_index=True,
        key="table_difference_counts",
        column_config={"agreement": st.column_config.NumberColumn(format="percent")},
    )


def _show_pictures(differences: list[Difference], one: _Side, other: _Side, size: Size) -> None:
    """Show a page of the differences, each as a picture of A beside one of B."""
    pages = math.ceil(len(differences) / _PER_PAGE)
    page = 1
    if pages > 1:
        page = int(
            st.number_input(
                f"Page of {pages} ({len(differences):,} differences, the largest and longest first)",
                1, pages, 1, key="analyse_difference_page", width=360,
            )
        )  # fmt: skip
    may_look = access.is_allowed(current_user.require_person(), "look")
    if not may_look:
        st.caption("You see the boxes alone. You need the Operator, Reviewer or Approver role to see footage.")
    accounts = [(side, caches.get_account(side.source)) for side in (one, other)]
    grid = st.columns(2, gap="large")
    for position, difference in enumerate(differences[(page - 1) * _PER_PAGE : page * _PER_PAGE]):
        with grid[position % 2], st.container(border=True, gap="small"):
            tiles = []
            for letter, (side, account) in zip("AB", accounts, strict=True):
                placed = account[difference.frame] if difference.frame < len(account) else ()
                address = (
                    f"/api/stills/{quote(side.run)}/{difference.frame}?side={_STILL_SIDE_PX}" if may_look else None
                )
                boxes = [(box.box, _is_different(box, difference)) for box in placed]
                tiles.append(
                    build_boxed_tile(f"{letter}, frame {difference.frame}", address, difference.box, size, boxes)
                )
            st.markdown(escape_markdown(_describe(difference)))
            show_tiles(tiles)
            owner = other.run if difference.kind == "second" else one.run
            track = difference.track if difference.track >= 0 else None
            if may_look:
                label = f"Open frame {difference.frame} in Review"
                show_page_link(Page.REVIEW, label, PageLocation(owner, difference.frame, track))


def _is_different(placed: PlacedBox, difference: Difference) -> bool:
    """Return True for the box that differs, and, if it was moved, for what it became."""
    limit = 0.35 if difference.kind == "moved" else 0.999
    return placed.box.iou(difference.box) >= limit


def _describe(difference: Difference) -> str:
    whose = "possible face" if difference.track < 0 else f"track {difference.track}"
    stretch = describe_range(difference.start, difference.stop)
    return f"{_KIND_TEXTS[difference.kind]}: {whose}, {stretch}, {difference.box.height:.0f} px"


def _build_rows(differences: list[Difference], run: str) -> pd.DataFrame:
    rows = [
        (
            _KIND_TEXTS[one.kind], run, one.track if one.track >= 0 else None, one.start, one.stop - 1, one.frame,
            one.box.height, *_edges(one.box),
        )
        for one in differences
    ]  # fmt: skip
    columns = ["difference", "run", "track", "first", "last", "frame", "height_px", "left_px", "top_px"]
    return pd.DataFrame(rows, columns=columns).astype({"track": "Int64"})


def _edges(box: Box) -> tuple[float, float]:
    return box.left, box.top
