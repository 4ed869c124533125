"""Queries over time: frames, faces, detections, confidence, disagreement, tracks.

Each function takes an open index and a selection and returns a DataFrame. Its columns are those of the table
(`engine.index.schema.TABLES`) unless the docstring names them. All raise QueryError as `Index.query` does.
"""

from __future__ import annotations

import math
from typing import Literal

import pandas as pd

from engine.index.index import Index
from engine.index.selection import EVERYTHING, Selection

_STEP_MARGIN = 1.02
"""Shortest step in frames. With exactly 1, rounding would leave some steps without a frame."""


def query_frames(index: Index, selection: Selection = EVERYTHING, limit: int = 200_000) -> pd.DataFrame:
    """Return one row for each frame, the first `limit` of them."""
    return _query_rows(index, "frames", selection, limit)


def query_faces(index: Index, selection: Selection = EVERYTHING, limit: int = 200_000) -> pd.DataFrame:
    """Return one row for each face after review, the first `limit` of them."""
    return _query_rows(index, "faces", selection, limit)


def query_evidence(index: Index, selection: Selection = EVERYTHING, limit: int = 200_000) -> pd.DataFrame:
    """Return one row for each detection that belongs to a face, the first `limit` of them."""
    return _query_rows(index, "evidence", selection, limit)


def query_doubtful(index: Index, selection: Selection = EVERYTHING, limit: int = 200_000) -> pd.DataFrame:
    """Return one row for each possible face that is not masked, the first `limit` of them."""
    return _query_rows(index, "doubtful", selection, limit)


def query_lacking(index: Index, selection: Selection = EVERYTHING, limit: int = 200_000) -> pd.DataFrame:
    """Return one row for each detection and detector that lacks it, the first `limit`; doubtful detections count.

    Columns: those of the table `agreement`; `other` is the detector that lacks the detection.
    """
    return _query_rows(index, "lacking", selection, limit)


_ROW_STATEMENTS = {
    "frames": "FROM read_parquet($frames) WHERE <frames> ORDER BY run, frame LIMIT $limit",
    "faces": "FROM read_parquet($faces) WHERE <sure_faces> ORDER BY run, frame, track LIMIT $limit",
    "evidence": "FROM read_parquet($evidence) WHERE <detections> ORDER BY run, frame, track, detector LIMIT $limit",
    "doubtful": "FROM read_parquet($doubtful) WHERE <detections_of_any_track> "
    "ORDER BY run, frame, detector LIMIT $limit",
    "lacking": "SELECT * EXCLUDE (seen) FROM read_parquet($agreement) WHERE NOT seen AND <lacking> "
    "ORDER BY run, frame, score DESC, detector, other LIMIT $limit",
}


def _query_rows(
    index: Index,
    rows: Literal["frames", "faces", "evidence", "doubtful", "lacking"],
    selection: Selection,
    limit: int,
) -> pd.DataFrame:
    return index.query(_ROW_STATEMENTS[rows], selection, limit=limit)


def query_confidence(index: Index, selection: Selection = EVERYTHING, buckets: int = 1200) -> pd.DataFrame:
    """Return the scores of each detector over time, in at most `buckets` steps of equal length.

    Columns: run, detector, bucket, frame, seconds and track of the lowest score, lowest, mean and highest score,
    detections. A step without a detection has no row.
    """
    return index.query(
        """
        SELECT run, detector, <bucket>,
            unnest(<place_of_lowest_score>),
            min(score) AS lowest, avg(score) AS mean, max(score) AS highest, count(*) AS detections
        FROM read_parquet($evidence)
        WHERE <detections>
        GROUP BY run, detector, bucket ORDER BY run, detector, bucket
        """,
        selection,
        step=compute_step_s(index, selection, buckets),
    )


def query_disagreement(index: Index, selection: Selection = EVERYTHING, buckets: int = 600) -> pd.DataFrame:
    """Return how often each detector lacks what another detected, in at most `buckets` steps of equal length.

    Columns: run, detector (the one that lacks detections), bucket, start_seconds and stop_seconds of the step,
    seconds, frame, track, seen_by (the other detector) and score of the detection with the highest score that it
    lacks, lacking (number of detections it lacks), frames (number of frames in which it lacks any), of (frames in the
    step), share (frames / of). Doubtful detections count.
    """
    return index.query(
        """
        WITH steps AS (
            SELECT run, <bucket>, count(*) AS of
            FROM read_parquet($frames) WHERE <frames>
            GROUP BY run, bucket
        ), lacks AS (
            SELECT run, other AS detector, <bucket>,
                arg_max({'seconds': seconds, 'frame': frame, 'track': track, 'seen_by': detector},
                    score - frame / 1e11 - coalesce(track, 0) / 1e15) AS surest, max(score) AS score,
                count(*) AS lacking, count(DISTINCT frame) AS frames
            FROM read_parquet($agreement)
            WHERE NOT seen AND <lacking>
            GROUP BY run, other, bucket
        )
        SELECT lacks.* EXCLUDE (surest), bucket * $step AS start_seconds, (bucket + 1) * $step AS stop_seconds,
            unnest(surest), steps.of, lacks.frames / steps.of AS share
        FROM lacks JOIN steps USING (run, bucket) ORDER BY run, detector, bucket
        """,
        selection,
        step=compute_step_s(index, selection, buckets),
    )


def query_tracks(index: Index, selection: Selection = EVERYTHING, limit: int = 2000) -> pd.DataFrame:
    """Return the stretches of one origin of the `limit` longest tracks.

    Columns: those of the table, `of` (tracks in the selection). The detectors, scores and sizes of the selection are
    ignored.
    """
    return index.query(
        """
        WITH chosen AS (
            SELECT run, track, sum(stop - start) AS length, count(*) OVER () AS of
            FROM read_parquet($tracks)
            WHERE stop_seconds > $start AND start_seconds < $stop AND ($track IS NULL OR track = $track)
            GROUP BY run, track ORDER BY length DESC, run, track LIMIT $limit
        )
        SELECT stretch.*, chosen.of FROM read_parquet($tracks) AS stretch JOIN chosen USING (run, track)
        WHERE stop_seconds > $start AND start_seconds < $stop
        ORDER BY run, track, stretch.start
        """,
        selection,
        limit=limit,
    )


def query_track_lanes(
    index: Index, selection: Selection = EVERYTHING, buckets: int = 900, limit: int = 120
) -> pd.DataFrame:
    """Return the `limit` longest tracks for drawing: bars of whole steps, each with the origin of most of its faces.

    Columns: run, track, origin, frame and start_seconds of the first face, stop_seconds, faces, of (tracks in the
    selection).
    """
    # A bar ends where the origin changes, or where the track is interrupted: its next cell is then neither in the next
    # step nor begins with the next frame. `begins` marks these places, and their running sum numbers the bars.
    return index.query(
        """
        WITH face AS (
            SELECT * FROM read_parquet($faces)
            WHERE <faces>
        ), chosen AS (
            SELECT run, track, count(*) AS length, count(*) OVER () AS of
            FROM face GROUP BY run, track ORDER BY length DESC, run, track LIMIT $limit
        ), cell AS (
            SELECT run, track, <bucket>, mode(origin) AS origin,
                min(frame) AS frame, max(frame) AS last, min(seconds) AS seconds, count(*) AS faces, any_value(of) AS of
            FROM face JOIN chosen USING (run, track) GROUP BY run, track, bucket
        ), marked AS (
            SELECT *, (origin = lag(origin) OVER along
                AND (bucket = lag(bucket) OVER along + 1 OR frame = lag(last) OVER along + 1)) IS NOT TRUE AS begins
            FROM cell WINDOW along AS (PARTITION BY run, track ORDER BY bucket)
        ), numbered AS (
            SELECT *, sum(CAST(begins AS INTEGER)) OVER (PARTITION BY run, track ORDER BY bucket) AS bar FROM marked
        )
        SELECT run, track, origin, min(frame) AS frame, min(seconds) AS start_seconds,
            (max(bucket) + 1) * $step AS stop_seconds, CAST(sum(faces) AS BIGINT) AS faces, any_value(of) AS of
        FROM numbered GROUP BY run, track, bar, origin ORDER BY run, track, start_seconds
        """,
        selection,
        limit=limit,
        step=compute_step_s(index, selection, buckets),
    )


def compute_step_s(index: Index, selection: Selection, buckets: int) -> float:
    """Return the length of a step in seconds: `buckets` steps span the selection, and each holds at least one frame."""
    chosen = index.select_runs(selection).values()
    longest = max(entry.seconds for entry in chosen)
    stop = longest if math.isinf(selection.stop) else min(selection.stop, longest)
    frame = max(entry.seconds / entry.frames for entry in chosen)
    return max((stop - selection.start) / buckets, _STEP_MARGIN * frame)
