"""The settings of a timeline, with durations in seconds as a person states them, and counted in frames.

What the settings mean in the world must not depend on the frame rate of a camera, so a record states seconds. The
timeline counts frames: `in_frames` converts them with the usual duration of a frame of the video.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from itertools import accumulate, pairwise
from statistics import median
from typing import Annotated

import msgspec

from engine.record.document import Count, Document, Score, Seconds

REFERENCE_FRAME_S = 0.04
"""Duration of a frame at 25 frames/s, to which settings of the kind "from one frame to the next" refer."""

_Positive = Annotated[int, msgspec.Meta(ge=1)]


class TrackingInFrames(Document, frozen=True):
    """`TrackingSettings` with durations counted in frames, as records of the schema veil/detections/1 state them."""

    iou: Score = 0.2
    reach: Annotated[float, msgspec.Meta(ge=0.0)] = 0.6
    patience: Count = 30
    support: Annotated[float, msgspec.Meta(ge=0.0)] = 1.0
    toll: Annotated[float, msgspec.Meta(ge=0.0)] = 1.0
    hold: _Positive = 5
    agility: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.4
    inertia: Score = 0.95
    cut_threshold: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.3
    cut_prominence: Annotated[float, msgspec.Meta(ge=1.0)] = 2.0

    def in_frames(self, frame_s: float) -> TrackingInFrames:
        """Return itself: what was stated in frames stays so, whatever the frame rate."""
        del frame_s
        return self


class SmoothingInFrames(Document, frozen=True):
    """`SmoothingSettings` with durations counted in frames, as records of the schema veil/detections/1 state them."""

    gap: Count = 30
    lead: Count = 8
    tail: Count = 12
    trust: _Positive = 2
    breadth: Score = 0.9
    margin: Score = 0.1
    window: Count = 2
    horizon: _Positive = 5
    damping: Score = 0.8

    def in_frames(self, frame_s: float) -> SmoothingInFrames:
        """Return itself: what was stated in frames stays so, whatever the frame rate."""
        del frame_s
        return self


class TrackingSettings(Document, frozen=True):
    """How faces of successive frames become tracks.

    Attributes:
        iou: least IoU of a face with its predicted place.
        reach: greatest distance of the centres, in face sizes, if the boxes do not overlap enough.
        patience_s: seconds without a detection after which a track ends.
        support: least support that makes a track a face: the sum, over a stretch of the frames that detectors looked
            at, of the score divided by the detector's confident score, minus the toll. One detection must also be
            confident; in a single picture that is enough.
        toll: support that every look of that stretch costs.
        hold_s: greatest distance in seconds at which weak detections extend a track beyond its confident ones.
        agility: share of a deviation from the predicted place that counts as a change of speed.
        inertia: share of its speed that a face without a detection keeps after 1/25 s.
        cut_threshold: change between successive frames (0 to 1) from which there may be a cut.
        cut_prominence: least ratio of a cut's change to the usual change around it.
    """

    iou: Score = 0.2
    reach: Annotated[float, msgspec.Meta(ge=0.0)] = 0.6
    patience_s: Seconds = 1.2
    support: Annotated[float, msgspec.Meta(ge=0.0)] = 1.0
    toll: Annotated[float, msgspec.Meta(ge=0.0)] = 1.0
    hold_s: Seconds = 0.2
    agility: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.4
    inertia: Score = 0.95
    cut_threshold: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.3
    cut_prominence: Annotated[float, msgspec.Meta(ge=1.0)] = 2.0

    def in_frames(self, frame_s: float) -> TrackingInFrames:
        """Count the durations in frames of `frame_s` seconds."""
        return TrackingInFrames(
            iou=self.iou,
            reach=self.reach,
            patience=round(self.patience_s / frame_s),
            support=self.support,
            toll=self.toll,
            hold=max(1, round(self.hold_s / frame_s)),
            agility=self.agility,
            inertia=_scale_share(self.inertia, frame_s),
            cut_threshold=self.cut_threshold,
            cut_prominence=self.cut_prominence,
        )


class SmoothingSettings(Document, frozen=True):
    """Interpolation, extension and margins of the faces in a video; in a single picture nothing is added.

    Attributes:
        gap_s: longest gap within a track, in seconds, that is filled by interpolation.
        lead_s: seconds by which a track is extended before its first detection.
        tail_s: seconds by which a track is extended after its last detection.
        trust_s: greatest number of seconds by which a track is extended for each of its detections.
        breadth: least ratio of the shorter side of a box to its longer one: a head that turns away shows less of the
            face, but ear, temple and jaw identify too.
        margin: share of a box by which it grows on each side: detectors draw tightly round eyes, nose and mouth.
        window_s: seconds to each side over which a box is steadied; 0 leaves boxes as they were detected.
        horizon_s: seconds over which the speed of an extended face is measured.
        damping: share of that speed that an extended face keeps after 1/25 s.
    """

    gap_s: Seconds = 1.2
    lead_s: Seconds = 0.32
    tail_s: Seconds = 0.48
    trust_s: Seconds = 0.08
    breadth: Score = 0.9
    margin: Score = 0.1
    window_s: Seconds = 0.08
    horizon_s: Seconds = 0.2
    damping: Score = 0.8

    def in_frames(self, frame_s: float) -> SmoothingInFrames:
        """Count the durations in frames of `frame_s` seconds."""
        return SmoothingInFrames(
            gap=round(self.gap_s / frame_s),
            lead=round(self.lead_s / frame_s),
            tail=round(self.tail_s / frame_s),
            trust=max(1, round(self.trust_s / frame_s)),
            breadth=self.breadth,
            margin=self.margin,
            window=round(self.window_s / frame_s),
            horizon=max(1, round(self.horizon_s / frame_s)),
            damping=_scale_share(self.damping, frame_s),
        )


def usual_duration_s(pts: Iterable[int], time_base: Fraction) -> float:
    """Return the median distance of successive time stamps in seconds; 1/25 s if there is a single frame."""
    # The median, because a pause in the recording must not change what a second means in the rest of it. Counted by
    # value, as there are few different distances in a long video.
    counts = Counter(after - before for before, after in pairwise(pts))
    if not counts:
        return REFERENCE_FRAME_S
    total, ordered = counts.total(), sorted(counts)
    ends = list(accumulate(counts[distance] for distance in ordered))
    middle = [ordered[bisect_right(ends, place)] for place in ((total - 1) // 2, total // 2)]
    return float(median(middle) * time_base)


def _scale_share(share: float, frame_s: float) -> float:
    return share if frame_s == REFERENCE_FRAME_S else float(share ** (frame_s / REFERENCE_FRAME_S))
