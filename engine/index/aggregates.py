"""Queries that count: agreement of detectors, scores, sizes, and an estimate of the faces that all of them missed.

Each function takes an open index and a selection. All raise QueryError as `Index.query` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from engine.index.index import Index
from engine.index.schema import DetectorNames
from engine.index.selection import EVERYTHING, Selection
from engine.statistics.capture_recapture import Capture, RecaptureEstimate, estimate_missed_faces


def query_agreement(index: Index, selection: Selection = EVERYTHING) -> pd.DataFrame:
    """Return, for each pair of detectors, how many detections of the first the second has too.

    Columns: run, detector, other, detections, seen, share (seen / detections), and frame, seconds and track of the
    detection with the highest score that the other lacks (empty if it lacks none). Doubtful detections count.
    """
    return index.query(
        """
        SELECT run, detector, other, count(*) AS detections, count(*) FILTER (seen) AS seen,
            count(*) FILTER (seen) / count(*) AS share,
            unnest(<place_of_highest_score> FILTER (NOT seen))
        FROM read_parquet($agreement)
        WHERE <pairs>
        GROUP BY run, detector, other ORDER BY run, detector, other
        """,
        selection,
    )


def query_score_histogram(index: Index, selection: Selection = EVERYTHING, bins: int = 40) -> pd.DataFrame:
    """Return how many detections of each detector have which score.

    Columns: run, detector, low and high (ends of the bin), detections, and frame, seconds and track of the one with the
    lowest score.
    """
    return index.query(
        """
        SELECT run, detector, least(floor(score * $bins), $bins - 1) / $bins AS low, low + 1 / $bins AS high,
            count(*) AS detections,
            unnest(<place_of_lowest_score>)
        FROM read_parquet($evidence)
        WHERE <detections>
        GROUP BY run, detector, low ORDER BY run, detector, low
        """,
        selection,
        bins=bins,
    )


def query_size_histogram(index: Index, selection: Selection = EVERYTHING, steps: int = 4) -> pd.DataFrame:
    """Return how many faces have which height, by origin; `steps` bins for each doubling of the height.

    Columns: run, origin, low and high (ends of the bin in display pixels), faces, and frame, seconds and track of the
    smallest face.
    """
    return index.query(
        """
        SELECT run, origin, floor(log2(height_px) * $steps) AS bin, 2 ** (bin / $steps) AS low,
            2 ** ((bin + 1) / $steps) AS high, count(*) AS faces,
            unnest(arg_min({'frame': frame, 'seconds': seconds, 'track': track},
                height_px + frame / 1e8 + track / 1e12))
        FROM read_parquet($faces)
        WHERE <sure_faces>
        GROUP BY run, origin, bin ORDER BY run, origin, bin
        """,
        selection,
        steps=steps,
    ).drop(columns="bin")


def query_captures(index: Index, selection: Selection = EVERYTHING) -> Iterator[Capture]:
    """Yield the captures of the frames in which every detector was asked, for `estimate_missed_faces`.

    Heights are rounded down to whole pixels, so that equal captures can be counted together. The limits of the size
    classes are whole pixels, so every capture stays in its class.
    """
    rows = index.query(
        """
        SELECT run, track, seen_by, floor(seen_height_px) AS height, count(*) AS count
        FROM read_parquet($faces)
        WHERE detections > 0 AND all_asked AND <seen_faces>
        GROUP BY run, track, seen_by, height ORDER BY run, track, seen_by, height
        """,
        selection,
    )
    for run, track, seen_by, height, count in rows.itertuples(index=False, name=None):
        yield Capture((run, track), float(height), frozenset(DetectorNames.parse(seen_by).names), int(count))


def query_lone_detections(index: Index, run: str, selection: Selection = EVERYTHING) -> pd.DataFrame:
    """Return, for each size class, the face with the highest score that only one detector of a run found.

    Columns: size (a key of `engine.core.face_sizes.SIZE_CLASSES`), run, frame, seconds, track.
    """
    return index.query(
        """
        SELECT CASE WHEN seen_height_px < 24 THEN 'under_24' WHEN seen_height_px < 48 THEN 'from_24_to_48'
                ELSE 'from_48' END AS size, run,
            unnest(<place_of_highest_score>)
        FROM read_parquet($faces)
        WHERE detections = 1 AND all_asked AND <seen_faces>
        GROUP BY size, run ORDER BY size
        """,
        replace(selection, runs=(run,), detectors=()),
    )


def estimate_missed_in_run(index: Index, run: str, selection: Selection = EVERYTHING) -> RecaptureEstimate:
    """Estimate how many faces of a run every detector missed; the estimate is a likely lower bound.

    Args:
        index: The index.
        run: Name of the run.
        selection: A part of the run. Its runs and detectors are ignored.

    Raises:
        InputError: Fewer than two detectors ran.
        QueryError: The run is not in the index.
    """
    only = replace(selection, runs=(run,), detectors=())
    return estimate_missed_faces(query_captures(index, only), index.select_runs(only)[run].detectors)
