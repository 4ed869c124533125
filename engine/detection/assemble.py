"""From detections to the detection record."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from fractions import Fraction

from engine.detection import frame_selection
from engine.detection.frame_detections import FrameDetections
from engine.detection.options import find_schedule
from engine.media.facts import MediaInfo, make_source_facts
from engine.record import (
    SCHEMA,
    DetectionConfig,
    DetectOptions,
    DetectorFacts,
    Frame,
    Record,
    pack_frames,
    usual_duration_s,
)
from engine.timeline.build import Looks, build_timeline


def assemble_record(
    frame_detections: Collection[FrameDetections],
    info: MediaInfo,
    facts: Sequence[DetectorFacts],
    options: DetectOptions,
) -> Record:
    """Build the record of a video.

    Args:
        frame_detections: detections of every frame, in order.
        info: facts of the source.
        facts: facts of the detectors.
        options: options of the detection.
    """
    pts, changes, looked, damaged = array("q"), array("d"), bytearray(), array("q")
    for index, frame in enumerate(frame_detections):
        pts.append(frame.pts)
        changes.append(frame.change)
        looked.append(bool(frame.by_detector))
        if frame.damaged:
            damaged.append(index)
    timeline = build_timeline(
        frame_detections,
        changes,
        info.video.display,
        options,
        {detector.name: detector.confident_score for detector in facts},
        Looks(
            frame_s=usual_duration_s(pts, Fraction(info.video.time_base)),
            looked=looked,
            paths=(path for frame in frame_detections for path in frame.carried),
        ),
    )
    asked = frame_selection.find_sent_ranges(frame_detections, [detector.name for detector in facts])
    return Record(
        schema=SCHEMA,
        source=make_source_facts(info, len(frame_detections)),
        detection=DetectionConfig(
            options.mode,
            tuple(facts),
            options.fusion,
            options.tracking,
            options.smoothing,
            asked,
            find_schedule(options),
        ),
        frames=pack_frames(
            Frame(index, time, faces, doubtful)
            for index, (time, faces, doubtful) in enumerate(zip(pts, timeline.faces, timeline.doubtful, strict=True))
        ),
        cuts=timeline.cuts,
        damaged=tuple(damaged),
    )
