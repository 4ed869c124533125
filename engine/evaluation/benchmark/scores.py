"""The report of a benchmark: how much of what a tool was shown it covered, and what that cost."""

from __future__ import annotations

from collections.abc import Mapping

from engine.record import Document

SCORE_SCHEMA = "veil/benchmark-score/1"


class CellScores(Document, frozen=True, kw_only=True):
    """Scores of one cell, or of several together. A share of a total of 0 is None.

    Attributes:
        kind: What was tried; empty for all kinds together.
        value: How much of it; empty for all values together.
        resolution: As `1080p`; empty for all together.
        frames: Frames with a face that counts.
        frames_covered: Frames of which every face is covered.
        frame_coverage: frames_covered / frames.
        faces: Faces in frames.
        faces_covered: Those of which enough is hidden.
        face_coverage: faces_covered / faces.
        tracks: Faces followed through a shot; in kind `flash` each is one planted face.
        tracks_covered: Those that are covered in every frame.
        track_coverage: tracks_covered / tracks.
        false_area: Mean share of the picture that is hidden and is no part of a face or near one.
        mask_ratio: Hidden area on and near faces over the area of the faces.
    """

    kind: str = ""
    value: str = ""
    resolution: str = ""
    frames: int
    frames_covered: int
    frame_coverage: float | None
    faces: int
    faces_covered: int
    face_coverage: float | None
    tracks: int
    tracks_covered: int
    track_coverage: float | None
    false_area: float
    mask_ratio: float | None


class ToolCost(Document, frozen=True):
    """What a tool took for the clips of a resolution: frames, and seconds of wall and of processor time, all in all."""

    frames: int
    wall_s: float
    processor_s: float


class BenchmarkScore(Document, frozen=True, kw_only=True):
    """The scores of a tool.

    Attributes:
        schema: Always "veil/benchmark-score/1".
        tool: What was scored.
        judged_by: "records" or "videos", see `engine.evaluation.benchmark.score`.
        least_hidden: Share of a face that must be hidden for the face to count as covered.
        overall: All clips.
        kinds: Each kind.
        cells: Each value of each kind at each resolution.
        cost: By resolution; empty if the tool did not run here.
    """

    schema: str = SCORE_SCHEMA
    tool: str
    judged_by: str
    least_hidden: float
    overall: CellScores
    kinds: tuple[CellScores, ...]
    cells: tuple[CellScores, ...]
    cost: Mapping[str, ToolCost]
