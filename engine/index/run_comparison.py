"""Compare the detectors of several runs of the same source."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from engine.index.index import Index
from engine.index.selection import EVERYTHING, Selection


def find_runs_of_same_source(index: Index, run: str) -> list[str]:
    """List the other runs of the same source file as `run`."""
    indexed = index.indexed_runs
    source = indexed[run].source_sha256 if run in indexed else None
    return [name for name, entry in indexed.items() if entry.source_sha256 == source and name != run]


def compare_runs(
    index: Index, one: str, other: str, selection: Selection = EVERYTHING, iou: float = 0.35
) -> pd.DataFrame:
    """Return, for each pair of detectors of two runs, how many detections of the first the second has too.

    The other detector has a detection too if one of its boxes in the same frame overlaps it by at least `iou`. Doubtful
    detections do not count.

    Args:
        index: The index.
        one: Name of a run.
        other: Name of a run of the same source.
        selection: A part of both. Its runs are ignored.
        iou: Lowest IoU of two boxes that count as the same.

    Returns:
        One row for each pair of detectors of different runs, with the columns run, detector, other_run, other,
        detections, seen, share, and frame, seconds and track of the detection with the highest score that the other
        lacks.
    """
    both = replace(selection, runs=(one, other))
    # Boxes that do not touch are left out before the IoU is computed: the join compares every box of a frame with
    # every other, and most are far apart. The IoU is compared without a division: overlap >= iou * union.
    return index.query(
        """
        WITH detection AS (
            SELECT row_number() OVER () AS number, *
            FROM read_parquet($evidence)
            WHERE <detections_of_any_track>
        ), looker AS (SELECT DISTINCT run, detector FROM detection
        ), met AS (
            SELECT DISTINCT a.number, b.run AS other_run, b.detector AS other
            FROM detection AS a JOIN detection AS b ON a.frame = b.frame AND a.run <> b.run
                AND a.left_px < b.right_px AND b.left_px < a.right_px
                AND a.top_px < b.bottom_px AND b.top_px < a.bottom_px
            WHERE (least(a.right_px, b.right_px) - greatest(a.left_px, b.left_px))
                * (least(a.bottom_px, b.bottom_px) - greatest(a.top_px, b.top_px)) * (1 + $iou)
                >= $iou * ((a.right_px - a.left_px) * a.height_px + (b.right_px - b.left_px) * b.height_px)
        )
        SELECT a.run, a.detector, looker.run AS other_run, looker.detector AS other, count(*) AS detections,
            count(met.number) AS seen, count(met.number) / count(*) AS share,
            unnest(arg_max({'frame': a.frame, 'seconds': a.seconds, 'track': a.track},
                a.score - a.frame / 1e11 - a.track / 1e15) FILTER (met.number IS NULL))
        FROM detection AS a JOIN looker ON a.run <> looker.run
            LEFT JOIN met ON met.number = a.number AND met.other_run = looker.run AND met.other = looker.detector
        GROUP BY a.run, a.detector, looker.run, looker.detector
        ORDER BY a.run, a.detector, looker.run, looker.detector
        """,
        both,
        iou=iou,
    )
