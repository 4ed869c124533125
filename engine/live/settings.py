"""Settings of judging and following in a live run, as its log and its report state them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.record import Document

Seconds = Annotated[float, msgspec.Meta(gt=0.0)]


class JudgingSettings(Document, frozen=True):
    """Limits within which a frame counts as judged.

    Attributes:
        deadline: seconds from a frame's submission after which it is covered if an answer is missing.
        beside: seconds from a frame's submission for which it waits for a detector that runs beside, if it would be
            covered without that answer.
        wait: seconds that frames may wait for the frames before them. While a new one would wait longer, a file is read
            more slowly, and a frame of a running source is dropped.
        age: greatest age in seconds of the newest answer of a detector that runs beside, measured between the time
            stamps of the frames.
        hang: seconds without an answer after which a detector's process is killed and restarted.
        load: seconds that loading a detector may take.
        cuts: cover frames from a scene cut on until every detector has looked at the new scene.
        backlog: number of frames of a running source that may wait; further frames are dropped and never shown.
    """

    deadline: Seconds = 0.25
    beside: Seconds = 0.15
    wait: Seconds = 0.1
    age: Seconds = 0.5
    hang: Seconds = 3.0
    load: Seconds = 120.0
    cuts: bool = True
    backlog: Annotated[int, msgspec.Meta(ge=2)] = 8


class FollowingSettings(Document, frozen=True):
    """Settings of how faces are followed between the answers of a detector. A face side is the box's longer side.

    Attributes:
        hold: seconds for which a face stays covered after its last detection.
        together: seconds within which the detections of different detectors are covered together.
        growth: face sides by which a mask grows on each side for each second since its detection.
        doubt: share of the distance travelled since the detection that is added on each side.
        limit: face sides that are added on each side at most.
        travel: seconds of motion that are predicted at most.
        agility: share of the difference between measured and expected speed that the track's speed takes over.
        reach: greatest distance, in face sides, of a detection from its track's expected position.
        stride: face sides added to `reach` for each second since the track's last detection, up to twice `reach`.
    """

    hold: Seconds = 1.0
    together: Seconds = 0.3
    growth: Annotated[float, msgspec.Meta(ge=0.0)] = 0.8
    doubt: Annotated[float, msgspec.Meta(ge=0.0)] = 0.5
    limit: Annotated[float, msgspec.Meta(ge=0.0)] = 0.6
    travel: Seconds = 0.4
    agility: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.4
    reach: Annotated[float, msgspec.Meta(gt=0.0)] = 0.7
    stride: Annotated[float, msgspec.Meta(ge=0.0)] = 5.0
