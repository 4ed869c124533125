"""How often: agreement of detectors, scores, sizes, and an estimate of what all of them missed.

Each function takes an open index and a selection. All raise QueryError as `Index.ask` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from engine.index.index import Index
from engine.index.selection import Selection
from engine.statistics.capture_recapture import Capture, RecaptureEstimate, estimate_missed_faces

_EVERYTHING = Selection()


def query_agreement(index: Index, selection: Selection = _EVERYTHING) -> pd.DataFrame:
    """Of what each detector saw, how much each other one saw too.

    Columns: run, detector, other, sightings, seen, share (seen / sightings), and of the surest sighting that the other
    lacks: frame, seconds, track (nothing where it lacks none). Doubtful sightings count.
    """
    return index.query(
        """
        SELECT run, detector, other, count(*) AS sightings, count(*) FILTER (seen) AS seen,
            count(*) FILTER (seen) / count(*) AS share,
            unnest(arg_max({'frame': frame, 'seconds': seconds, 'track': track},
                score - frame / 1e11 - coalesce(track, 0) / 1e15) FILTER (NOT seen))
        FROM read_parquet($agreement)
        WHERE <pairs>
        GROUP BY run, detector, other ORDER BY run, detector, other
        """,
        selection,
    )


def query_score_histogram(index: Index, selection: Selection = _EVERYTHING, bins: int = 40) -> pd.DataFrame:
    """How sure the detectors were.

    Columns: run, detector, low and high (ends of the bin), sightings, and of its least sure one: frame, seconds, track.
    """
    return index.query(
        """
        SELECT run, detector, least(floor(score * $bins), $bins - 1) / $bins AS low, low + 1 / $bins AS high,
            count(*) AS sightings,
            unnest(arg_min({'frame': frame, 'seconds': seconds, 'track': track},
                score + frame / 1e11 + track / 1e15))
        FROM read_parquet($evidence)
        WHERE <sightings>
        GROUP BY run, detector, low ORDER BY run, detector, low
        """,
        selection,
        bins=bins,
    )


def query_size_histogram(index: Index, selection: Selection = _EVERYTHING, steps: int = 4) -> pd.DataFrame:
    """How high faces are, by origin; bins widen with the height, `steps` to each doubling.

    Columns: run, origin, low and high (ends of the bin in display pixels), faces, and of the smallest: frame, seconds,
    track.
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


def query_captures(index: Index, selection: Selection = _EVERYTHING) -> Iterator[Capture]:
    """Faces seen in frames that every detector looked at, for `engine.statistics.capture_recapture.estimate`.

    A sure sighting's height stands for its class of sizes in whole pixels.
    """
    rows = index.query(
        """
        SELECT run, track, seen_by, floor(seen_height_px) AS height, count(*) AS count
        FROM read_parquet($faces)
        WHERE sightings > 0 AND all_asked AND <seen_faces>
        GROUP BY run, track, seen_by, height ORDER BY run, track, seen_by, height
        """,
        selection,
    )
    for run, track, seen_by, height, count in rows.itertuples(index=False, name=None):
        yield Capture((run, track), float(height), frozenset(seen_by.split("+")), int(count))


def query_lone_detections(index: Index, run: str, selection: Selection = _EVERYTHING) -> pd.DataFrame:
    """For each class of sizes, the surest face of a run that only one detector saw.

    Columns: size (a key of `engine.evaluation.scores.SIZES`), run, frame, seconds, track.
    """
    return index.query(
        """
        SELECT CASE WHEN seen_height_px < 24 THEN 'under_24' WHEN seen_height_px < 48 THEN 'from_24_to_48'
                ELSE 'from_48' END AS size, run,
            unnest(arg_max({'frame': frame, 'seconds': seconds, 'track': track},
                score - frame / 1e11 - track / 1e15))
        FROM read_parquet($faces)
        WHERE sightings = 1 AND all_asked AND <seen_faces>
        GROUP BY size, run ORDER BY size
        """,
        replace(selection, runs=(run,), detectors=()),
    )


def estimate_missed_in_run(index: Index, run: str, selection: Selection = _EVERYTHING) -> RecaptureEstimate:
    """Estimate how many faces of a run every detector missed: a likely lower bound.

    Args:
        index: the index.
        run: which run.
        selection: a part of it; its runs and detectors do not matter.

    Raises:
        InputError: fewer than two detectors ran.
        QueryError: the run is not in the index.
    """
    only = replace(selection, runs=(run,), detectors=())
    return estimate_missed_faces(query_captures(index, only), index.select_runs(only)[run].detectors)
