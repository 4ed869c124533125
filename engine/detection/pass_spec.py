"""What decides the detections of one pass over a video, in a form that can be sent to another machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.detection.batches import BATCH_FRAMES
from engine.detection.carry import CarryContext
from engine.detection.look_decision import DecisionContext
from engine.detectors.registry import DetectorPlan, select_remote
from engine.media.facts import MediaInfo
from engine.record import DetectOptions, ScheduleSettings


@dataclass(frozen=True, slots=True)
class PassSpec:
    """One pass: which detectors look at which frames of which source.

    Attributes:
        source: the video, photograph or folder of stills.
        info: its facts.
        options: the options of the detection.
        plans: the detectors of the pass.
        confident_scores: confident score of every detector of the detection.
        schedule: when local detectors look. None: at every frame, and nothing is carried.
        uncertain: frames that a second pass asks about. None: it is the first pass.
    """

    source: Path
    info: MediaInfo
    options: DetectOptions
    plans: Sequence[DetectorPlan]
    confident_scores: Mapping[str, float]
    schedule: ScheduleSettings | None
    uncertain: frozenset[int] | None

    @property
    def has_remote_detector(self) -> bool:
        """True if frames leave the machine."""
        return any(select_remote(self.plans))

    @property
    def carry_context(self) -> CarryContext | None:
        """What carrying needs to know. None: nothing is carried."""
        if self.schedule is None:
            return None
        video = self.info.video
        return CarryContext(
            video.display, self.schedule, video.expected_frame_s, self.options.fusion, self.confident_scores
        )

    @property
    def decision_context(self) -> DecisionContext | None:
        """What deciding about changed frames needs to know. None: nothing is left to decide."""
        if self.schedule is None or self.schedule.change == 0.0:
            return None
        video, tracking = self.info.video, self.options.tracking
        return DecisionContext(
            video.display,
            self.options.fusion,
            self.confident_scores,
            tracking.toll + tracking.support,
            math.ceil(self.schedule.interval_s / video.expected_frame_s) + 1,
        )

    @property
    def undecided_frames(self) -> int:
        """Number of frames at the start of a range in which looks may be missing that decide about others."""
        context = self.decision_context
        return context.max_distance if context else 0

    @property
    def overlap_frames(self) -> int:
        """Number of frames before a range that decide what is found in it, in whole batches.

        A face may be carried into the range from a look that lies so far before it, and that look may depend on one
        before it.
        """
        context = self.carry_context
        needed = context.max_frames + 1 + self.undecided_frames if context else BATCH_FRAMES
        return -(-needed // BATCH_FRAMES) * BATCH_FRAMES
