"""What a run will take, before it is begun: time, and for a service calls and money."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from engine import record as records
from engine import runs
from engine.detectors.base import RemoteSettings
from engine.detectors.registry import DetectorPlan
from engine.errors import RecordError
from engine.jobs.asking import options_of
from engine.media.facts import MediaInfo
from engine.options import plans
from engine.pipeline import RunFacts
from engine.runs import Asked, Run
from engine.spending import Spending
from engine.store import Data

_USUAL = {"mtcnn": 0.2, "yolov8-face": 0.06, "mediapipe": 0.008, "centerface": 0.2}
"""Processor seconds for a frame of 1920x1080; see docs/recall.md."""
_FULL_HD = 1920 * 1080
_REMEMBERED = 20
"""Newest runs that are looked at for their speed."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be expected.

    Attributes:
        seconds: that the local detectors will take, None when none of them runs.
        measured: `seconds` comes from earlier runs on this machine, not from a table.
        leaves: what leaves the machine and what it costs, in a sentence; None when nothing does.
    """

    seconds: float | None
    measured: bool
    leaves: str | None


def outlook(data: Data, info: MediaInfo, asked: Asked) -> Outlook:
    """What detecting a source will take.

    Raises:
        InputError: the options are not those of a detection, or it would cost more than they allow.
    """
    chosen = plans(options_of(asked))
    work = info.video.packets * info.video.display.width * info.video.display.height / _FULL_HD
    earlier = _pace(data, asked)
    usual = _usual(chosen)
    pace = earlier if earlier is not None else usual
    return Outlook(None if pace is None else pace * work, earlier is not None, _leaves(chosen, asked, info))


def _usual(chosen: Iterable[DetectorPlan]) -> float | None:
    """Seconds for a frame of 1920x1080 by the table; detectors share the cores."""
    costs = [_USUAL[plan.name] for plan in chosen if plan.name in _USUAL]
    return max(*costs, sum(costs) / (os.cpu_count() or 1)) if costs else None


def _pace(data: Data, asked: Asked) -> float | None:
    """Seconds for a frame of 1920x1080 by the newest runs with the same options."""
    same = [run for run in runs.register(data).runs[:_REMEMBERED] if run.status == "done" and _alike(run, asked)]
    paces = [pace for run in same if (pace := _pace_of(run)) is not None]
    return statistics.median(paces) if paces else None


def _alike(run: Run, asked: Asked) -> bool:
    other = run.request.detection
    return (other.mode, other.detectors, other.parameters) == (asked.mode, asked.detectors, asked.parameters)


def _pace_of(run: Run) -> float | None:
    try:
        facts = records.read_as(run.folder.facts, RunFacts, "facts of a run")
    except RecordError:
        # An estimate can do without one run; whoever opens it is told what is wrong with it.
        return None
    display = run.state.display
    if display is None or facts.resumed_frames or facts.frames < 1:
        return None
    return facts.seconds / (facts.frames * display.width * display.height / _FULL_HD)


def _leaves(chosen: list[DetectorPlan], asked: Asked, info: MediaInfo) -> str | None:
    if not any(isinstance(plan.settings, RemoteSettings) for plan in chosen):
        return None
    heard = _Heard()
    Spending(chosen, asked.max_cost, heard).plan(info.video.packets, None)
    return " ".join(heard.sentences)


class _Heard:
    """A listener that keeps the sentences."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Ignore it."""

    def notice(self, message: str) -> None:
        """Keep it."""
        self.sentences.append(message)
