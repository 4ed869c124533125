"""Score what a tool did with the clips: from records, or from masked videos of any tool.

With records, a face counts as covered as in `veil evaluate`. A masked video says less: its pixels are compared with
those of the clip, and a face counts as covered if enough of the ellipse inside its box differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.core.geometry import Box
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import InputError
from engine.evaluation.benchmark.clip_table import FRAME_SIZES
from engine.evaluation.benchmark.hidden_maps import (
    GRID,
    NEAR_SCALE,
    HiddenMap,
    map_boxes,
    map_record,
    map_video,
    measure_ellipse,
    scale_to_grid,
)
from engine.evaluation.benchmark.scores import BenchmarkScore, CellScores, ToolCost
from engine.evaluation.ground_truth import Clip, LabelledFrame, Truth
from engine.evaluation.judgements import Criteria, judge_records
from engine.masking.presets import style_from_preset
from engine.masking.style import Style
from engine.record import Record

LEAST_HIDDEN_IN_VIDEO = 0.8
"""Share of the ellipse of a face that must differ from the clip. A mask seldom changes every pixel under it."""
_Key = tuple[str, str, str]
"""Kind, value and resolution."""


@dataclass(slots=True)
class _Tally:
    """Counts of the frames of one clip or of several."""

    frames: list[bool] = field(default_factory=list)
    faces: list[bool] = field(default_factory=list)
    tracks: dict[tuple[str, str], bool] = field(default_factory=dict)
    false_areas: list[float] = field(default_factory=list)
    near_cells: float = 0.0
    face_cells: float = 0.0

    def add_frame(self, clip: str, covered: Mapping[str, bool]) -> None:
        """Add a frame of a clip; `covered` tells for each track that counts in it whether it is covered."""
        if not covered:
            return
        self.frames.append(all(covered.values()))
        self.faces += covered.values()
        for track, is_covered in covered.items():
            self.tracks[clip, track] = self.tracks.get((clip, track), True) and is_covered

    def add_map(self, hidden: HiddenMap, faces: Sequence[Box]) -> None:
        """Add the areas of a frame; `faces` are in cells, those to be ignored among them."""
        near = map_boxes(box.scale(NEAR_SCALE) for box in faces)
        self.false_areas.append(float((hidden & ~near).mean()))
        self.near_cells += int((hidden & near).sum())
        self.face_cells += sum(inside.area for box in faces if (inside := box.clip(GRID)) is not None)

    def merge(self, other: _Tally) -> None:
        """Add the counts of other clips."""
        self.frames += other.frames
        self.faces += other.faces
        self.tracks |= other.tracks
        self.false_areas += other.false_areas
        self.near_cells += other.near_cells
        self.face_cells += other.face_cells

    def summarise(self, kind: str = "", value: str = "", resolution: str = "") -> CellScores:
        """Compute the scores."""
        return CellScores(
            kind=kind,
            value=value,
            resolution=resolution,
            frames=len(self.frames),
            frames_covered=sum(self.frames),
            frame_coverage=_share(sum(self.frames), len(self.frames)),
            faces=len(self.faces),
            faces_covered=sum(self.faces),
            face_coverage=_share(sum(self.faces), len(self.faces)),
            tracks=len(self.tracks),
            tracks_covered=sum(self.tracks.values()),
            track_coverage=_share(sum(self.tracks.values()), len(self.tracks)),
            false_area=round(float(np.mean(self.false_areas)) if self.false_areas else 0.0, 6),
            mask_ratio=_share(self.near_cells, self.face_cells),
        )


def score_records(
    truth: Truth,
    records: Mapping[str, Record],
    tool: str,
    *,
    style: Style | None = None,
    cost: Mapping[str, ToolCost] | None = None,
) -> BenchmarkScore:
    """Score records of the clips.

    Args:
        truth: The truth of the benchmark.
        records: The records by name of the clip.
        tool: What made them, for the report.
        style: Style of the masks; the preset `strong` if left out.
        cost: What making them took, by resolution.

    Raises:
        InputError: The truth is not of a benchmark, a clip has no record, or a record is not of its clip.
    """
    style, criteria = style or style_from_preset(), Criteria(resamples=1)
    covered: dict[tuple[str, int], dict[str, bool]] = defaultdict(dict)
    for face in judge_records(truth, records, criteria, style).faces:
        covered[face.clip, face.frame][face.truth.track or ""] = face.covered
    tallies: dict[_Key, _Tally] = defaultdict(_Tally)
    for clip in truth.clips:
        key = _find_key(clip, truth.name)
        tally = tallies[key]
        for frame, hidden in zip(clip.frames, map_record(records[clip.name], style), strict=False):
            tally.add_frame(clip.name, covered[clip.name, frame.number])
            tally.add_map(hidden, _scale_faces(frame, key))
    return _build_score(tallies, tool, "records", criteria.hidden, cost or {})


def score_videos(
    truth: Truth,
    find_files: Callable[[str], tuple[Path, Path]],
    tool: str,
    *,
    cost: Mapping[str, ToolCost] | None = None,
    listener: ProgressListener | None = None,
) -> BenchmarkScore:
    """Score masked copies of the clips.

    Args:
        truth: The truth of the benchmark.
        find_files: Returns for the name of a clip the clip and its masked copy.
        tool: What made them, for the report.
        cost: What making them took, by resolution.
        listener: Receives the progress.

    Raises:
        InputError: The truth is not of a benchmark, or a copy has another size or number of frames.
        SourceError: A file cannot be read.
    """
    listener, tallies = listener or SilentListener(), dict[_Key, _Tally]()
    for number, clip in enumerate(truth.clips):
        listener.progress("compare", number, len(truth.clips))
        key = _find_key(clip, truth.name)
        tally = tallies.setdefault(key, _Tally())
        faces = [_scale_faces(frame, key) for frame in clip.frames]
        for frame, boxes, hidden in zip(clip.frames, faces, map_video(*find_files(clip.name), faces), strict=True):
            tally.add_frame(clip.name, _judge_frame(frame, boxes, hidden))
            tally.add_map(hidden, boxes)
    return _build_score(tallies, tool, "videos", LEAST_HIDDEN_IN_VIDEO, cost or {})


def _judge_frame(frame: LabelledFrame, boxes: Sequence[Box], hidden: HiddenMap) -> dict[str, bool]:
    return {
        face.track or "": measure_ellipse(hidden, box) >= LEAST_HIDDEN_IN_VIDEO
        for face, box in zip(frame.faces, boxes, strict=True)
        if not face.ignore
    }


def _find_key(clip: Clip, name: str) -> _Key:
    """Return kind, value and resolution of a clip. Clips without people have them in no row, but in their name."""
    resolution, _, rest = clip.name.partition("/")
    kind, dash, value = rest.removesuffix(".mp4").partition("-")
    if resolution not in FRAME_SIZES or not dash:
        raise InputError(f"{name} is not the truth of a benchmark: it has no clip like {clip.name}. Use veil evaluate.")
    return kind, value, resolution


def _scale_faces(frame: LabelledFrame, key: _Key) -> list[Box]:
    return [scale_to_grid(face.box, FRAME_SIZES[key[2]]) for face in frame.faces]


def _build_score(
    tallies: Mapping[_Key, _Tally], tool: str, judged_by: str, least_hidden: float, cost: Mapping[str, ToolCost]
) -> BenchmarkScore:
    by_kind: dict[str, _Tally] = defaultdict(_Tally)
    for (kind, _, _), tally in tallies.items():
        by_kind[kind].merge(tally)
    return BenchmarkScore(
        tool=tool,
        judged_by=judged_by,
        least_hidden=least_hidden,
        overall=_merge_all(tallies.values()).summarise(),
        kinds=tuple(tally.summarise(kind) for kind, tally in by_kind.items()),
        cells=tuple(tally.summarise(*key) for key, tally in tallies.items()),
        cost=cost,
    )


def _merge_all(tallies: Iterable[_Tally]) -> _Tally:
    merged = _Tally()
    for tally in tallies:
        merged.merge(tally)
    return merged


def _share(count: float, total: float) -> float | None:
    return round(count / total, 6) if total else None


def list_weak_cells(score: BenchmarkScore, least: float) -> Iterator[CellScores]:
    """Yield the cells of which less than a share of the frames is covered."""
    for cell in score.cells:
        if cell.frame_coverage is not None and cell.frame_coverage < least:
            yield cell
