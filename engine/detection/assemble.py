"""From what the detectors saw to the detection record."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.geometry import Box, Size
from engine.detection import frame_selection
from engine.detection.checkpoint import FrameDetections
from engine.detectors.base import Detection
from engine.detectors.registry import DetectorPlan
from engine.media.facts import MediaInfo, make_source_facts
from engine.record import (
    SCHEMA,
    DetectionConfig,
    DetectOptions,
    DetectorFacts,
    Frame,
    Record,
)
from engine.timeline.build import build_timeline


def assemble_record(
    frame_detections: Sequence[FrameDetections],
    info: MediaInfo,
    facts: tuple[DetectorFacts, ...],
    options: DetectOptions,
) -> Record:
    """The record of what was seen."""
    sightings = [frame.sightings for frame in frame_detections]
    timeline = build_timeline(
        sightings,
        [frame.change for frame in frame_detections],
        info.video.display,
        options.fusion,
        options.tracking,
        options.smoothing,
        {detector.name: float(str(detector.parameters.get("sure") or 0.0)) for detector in facts},
    )
    asked = frame_selection.find_sent_ranges(sightings, [one.name for one in facts])
    return Record(
        schema=SCHEMA,
        source=make_source_facts(info, len(frame_detections)),
        detection=DetectionConfig(options.mode, facts, options.fusion, options.tracking, options.smoothing, asked),
        frames=tuple(
            Frame(index, frame.pts, tuple(timeline.faces[index]), tuple(timeline.doubtful[index]))
            for index, frame in enumerate(frame_detections)
        ),
        cuts=timeline.cuts,
        damaged=tuple(index for index, frame in enumerate(frame_detections) if frame.damaged),
    )


def scale_to_display(
    plan: DetectorPlan, detections: Sequence[Detection], display: Size
) -> tuple[tuple[Box, float], ...]:
    """What a detector saw at the size it looks at, in display pixels on the record's grid."""
    seen = display.fit(plan.longest_side)
    x, y = display.width / seen.width, display.height / seen.height
    boxes = ((sighting.box.scale_axes(x, y).round_outwards(display), sighting.score) for sighting in detections)
    return tuple((box, round(score, 4)) for box, score in boxes if box is not None)
