"""How a live run judges and follows; plain values that stand in its log."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.record import Document

Seconds = Annotated[float, msgspec.Meta(gt=0.0)]


class JudgingSettings(Document, frozen=True):
    """When a frame counts as judged.

    Attributes:
        deadline: seconds from a frame's arrival to the moment from which it is covered for want of a judgement.
        age: seconds that the newest answer of a detector that looks beside the run may be old, measured between
            pictures, for a frame to count as judged.
        hang: seconds without an answer after which a detector's process is ended and started afresh.
        load: seconds that loading a detector may take.
        cuts: cover from a scene cut until every detector has looked at the new scene.
        backlog: frames of a running source that may wait at once; more are dropped, never shown.
    """

    deadline: Seconds = 0.08
    age: Seconds = 0.5
    hang: Seconds = 3.0
    load: Seconds = 120.0
    cuts: bool = True
    backlog: Annotated[int, msgspec.Meta(ge=2)] = 8


class FollowingSettings(Document, frozen=True):
    """How faces are followed between the looks of a detector.

    Attributes:
        hold: seconds a face stays covered after it was last seen.
        together: seconds within which the sightings of different detectors are covered together.
        growth: face sides a mask grows to each side for each second since the sighting it is made from.
        doubt: share of the way travelled since that sighting that is added to each side.
        limit: most face sides that are added to each side.
        travel: seconds of motion that are predicted at most.
        agility: share of a surprise that is taken for a change of speed.
        reach: greatest distance, in face sides, of a sighting from where its track was expected.
        stride: face sides that are added to it for each second since the track was seen, until it has doubled.
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
