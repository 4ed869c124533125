"""What happens over time: frames, faces, sightings, confidence, disagreement, tracks.

Each function takes an open index and a selection and gives a DataFrame whose columns are those of the tables
(`engine.index.schema.TABLES`), or are named in its docstring. All raise QueryError as `Index.ask` does.
"""

from __future__ import annotations

import math

import pandas as pd

from engine.index.index import Index
from engine.index.selection import Selection

_EVERYTHING = Selection()
_STEP_MARGIN = 1.02
"""Frames to the shortest step: with just one, rounding would leave steps empty now and then."""


def query_frames(index: Index, selection: Selection = _EVERYTHING, limit: int = 200_000) -> pd.DataFrame:
    """One row a frame, of the first `limit`."""
    return index.query(
        """
        FROM read_parquet($frames) WHERE <frames>
        ORDER BY run, frame LIMIT $limit
        """,
        selection,
        limit=limit,
    )


def query_faces(index: Index, selection: Selection = _EVERYTHING, limit: int = 200_000) -> pd.DataFrame:
    """One row a face that is covered, of the first `limit`."""
    return index.query(
        """
        FROM read_parquet($faces)
        WHERE <sure_faces>
        ORDER BY run, frame, track LIMIT $limit
        """,
        selection,
        limit=limit,
    )


def query_evidence(index: Index, selection: Selection = _EVERYTHING, limit: int = 200_000) -> pd.DataFrame:
    """One row a sighting of a face by a detector, of the first `limit`."""
    return index.query(
        """
        FROM read_parquet($evidence)
        WHERE <sightings>
        ORDER BY run, frame, track, detector LIMIT $limit
        """,
        selection,
        limit=limit,
    )


def query_doubtful(index: Index, selection: Selection = _EVERYTHING, limit: int = 200_000) -> pd.DataFrame:
    """One row a sighting that the frames around do not bear out and that is not covered, of the first `limit`."""
    return index.query(
        """
        FROM read_parquet($doubtful)
        WHERE <sightings_of_any_track>
        ORDER BY run, frame, detector LIMIT $limit
        """,
        selection,
        limit=limit,
    )


def query_lacking(index: Index, selection: Selection = _EVERYTHING, limit: int = 200_000) -> pd.DataFrame:
    """One row a sighting for each detector that lacks it, of the first `limit`; doubtful sightings count.

    Columns: those of the table `agreement`, where `other` is who lacks it.
    """
    return index.query(
        """
        SELECT * EXCLUDE (seen) FROM read_parquet($agreement) WHERE NOT seen AND <lacking>
        ORDER BY run, frame, score DESC, detector, other LIMIT $limit
        """,
        selection,
        limit=limit,
    )


def query_confidence(index: Index, selection: Selection = _EVERYTHING, buckets: int = 1200) -> pd.DataFrame:
    """How sure each detector was over time, in at most `buckets` steps of equal length.

    Columns: run, detector, bucket, seconds (of the lowest score), frame and track (likewise), lowest, mean and highest
    score, sightings. A step in which the detector saw nothing has no row.
    """
    return index.query(
        """
        SELECT run, detector, CAST(floor(seconds / $step) AS INTEGER) AS bucket,
            unnest(arg_min({'seconds': seconds, 'frame': frame, 'track': track},
                score + frame / 1e11 + track / 1e15)),
            min(score) AS lowest, avg(score) AS mean, max(score) AS highest, count(*) AS sightings
        FROM read_parquet($evidence)
        WHERE <sightings>
        GROUP BY run, detector, bucket ORDER BY run, detector, bucket
        """,
        selection,
        step=compute_step_s(index, selection, buckets),
    )


def query_disagreement(index: Index, selection: Selection = _EVERYTHING, buckets: int = 600) -> pd.DataFrame:
    """Where a detector did not see what another saw, in at most `buckets` steps of equal length.

    Columns: run, detector (who did not see it), bucket, start_seconds and stop_seconds (of the step), seconds, frame
    and track (of the surest sighting it lacks), seen_by (whose that is), score (its score), lacking (sightings it
    lacks), frames (in which it lacks any), of (frames in the step), share (frames / of). Doubtful sightings count.
    """
    return index.query(
        """
        WITH steps AS (
            SELECT run, CAST(floor(seconds / $step) AS INTEGER) AS bucket, count(*) AS of
            FROM read_parquet($frames) WHERE <frames>
            GROUP BY run, bucket
        ), lacks AS (
            SELECT run, other AS detector, CAST(floor(seconds / $step) AS INTEGER) AS bucket,
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


def query_tracks(index: Index, selection: Selection = _EVERYTHING, limit: int = 2000) -> pd.DataFrame:
    """Stretches of tracks with one origin, of at most `limit` tracks, the longest first chosen.

    Columns: those of the table, `of` (tracks in the selection). The detectors, scores and sizes of a selection do not
    restrict it.
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
    index: Index, selection: Selection = _EVERYTHING, buckets: int = 900, limit: int = 120
) -> pd.DataFrame:
    """Tracks as they can be drawn: bars of whole steps, each with the origin that most of its faces have.

    Columns: run, track, origin, frame and start_seconds (of the first face), stop_seconds, faces, of (tracks in the
    selection). At most `limit` tracks, the longest.
    """
    return index.query(
        """
        WITH face AS (
            SELECT * FROM read_parquet($faces)
            WHERE <faces>
        ), chosen AS (
            SELECT run, track, count(*) AS length, count(*) OVER () AS of
            FROM face GROUP BY run, track ORDER BY length DESC, run, track LIMIT $limit
        ), cell AS (
            SELECT run, track, CAST(floor(seconds / $step) AS INTEGER) AS bucket, mode(origin) AS origin,
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
    """Length in seconds of a step, so that `buckets` of them span the selection, and each holds at least one frame."""
    chosen = index.select_runs(selection).values()
    longest = max(entry.seconds for entry in chosen)
    stop = longest if math.isinf(selection.stop) else min(selection.stop, longest)
    frame = max(entry.seconds / entry.frames for entry in chosen)
    return max((stop - selection.start) / buckets, _STEP_MARGIN * frame)
