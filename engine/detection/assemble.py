"""From what the detectors saw to the detection record."""

from __future__ import annotations

from collections.abc import Sequence

from engine import record as records
from engine.core.geometry import Box, Size
from engine.detection import frame_selection
from engine.detection.checkpoint import Seen
from engine.detection.options import DetectOptions
from engine.detectors.base import Sighting
from engine.detectors.registry import DetectorPlan
from engine.media.facts import MediaInfo, source_facts
from engine.record import (
    SCHEMA,
    Detection,
    Frame,
    Record,
)
from engine.timeline.build import build


def assembled(
    seen: Sequence[Seen], info: MediaInfo, facts: tuple[records.DetectorFacts, ...], options: DetectOptions
) -> Record:
    """The record of what was seen."""
    sightings = [frame.sightings for frame in seen]
    timeline = build(
        sightings,
        [frame.change for frame in seen],
        info.video.display,
        options.fusion,
        options.tracking,
        options.smoothing,
        {detector.name: float(str(detector.parameters.get("sure") or 0.0)) for detector in facts},
    )
    asked = frame_selection.ranges(sightings, [one.name for one in facts])
    return Record(
        schema=SCHEMA,
        source=source_facts(info, len(seen)),
        detection=Detection(options.mode, facts, options.fusion, options.tracking, options.smoothing, asked),
        frames=tuple(
            Frame(index, frame.pts, tuple(timeline.faces[index]), tuple(timeline.doubtful[index]))
            for index, frame in enumerate(seen)
        ),
        cuts=timeline.cuts,
        damaged=tuple(index for index, frame in enumerate(seen) if frame.damaged),
    )


def on_display(plan: DetectorPlan, sightings: Sequence[Sighting], display: Size) -> tuple[tuple[Box, float], ...]:
    """What a detector saw at the size it looks at, in display pixels on the record's grid."""
    seen = display.fit(plan.longest_side)
    x, y = display.width / seen.width, display.height / seen.height
    boxes = ((sighting.box.stretched(x, y).rounded(display), sighting.score) for sighting in sightings)
    return tuple((box, round(score, 4)) for box, score in boxes if box is not None)
