"""What a run will take, before it is begun: models, time, and for a service calls and money."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine import record as records
from engine import runs
from engine.core.geometry import Size
from engine.detection.cost import Spending, remote
from engine.detection.detect import RunFacts
from engine.detection.frame_selection import how_many
from engine.detection.options import plans
from engine.detectors.registry import DetectorPlan
from engine.errors import RecordError
from engine.jobs.requests import options_of
from engine.media.facts import MediaInfo
from engine.runs import Asked, Run
from engine.storage.files import Data

_USUAL = {"mtcnn": 0.2, "yolov8-face": 0.06, "mediapipe": 0.008, "centerface": 0.2}
"""Processor seconds for a frame of 1920x1080; see docs/recall.md."""
_FULL_HD = 1920 * 1080
_BEGINNING = 5.0
"""Seconds until the detectors are loaded."""
_REMEMBERED = 40
"""Newest runs that are looked at for their speed."""
_ALIKE = 4.0
"""Frames with up to so many times the pixels, or so many times less, tell how long others take."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What leaves the machine for a run.

    Attributes:
        frames: that are sent.
        dollars: that they cost.
        at_most: both are the most it can be; which frames are sent is only known during the run.
    """

    frames: int
    dollars: float
    at_most: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be expected.

    Attributes:
        seconds: that the local detectors will take, None when none of them runs.
        measured: `seconds` comes from earlier runs on this machine, not from a table.
        leaves: what leaves the machine and what it costs, in sentences; None when nothing does.
        spent: the same in figures.
    """

    seconds: float | None
    measured: bool
    leaves: str | None
    spent: Spent | None


@dataclass(frozen=True, slots=True)
class Past:
    """A run that tells how long others take: its options, the size of its frames, seconds a frame once it had begun."""

    asked: Asked
    display: Size
    pace: float


def past(data: Data) -> tuple[Past, ...]:
    """The newest runs that tell how long others take."""
    done = [run for run in runs.register(data).runs if run.status == "done"]
    return tuple(told for run in done[:_REMEMBERED] if (told := _past(run)) is not None)


def outlook(earlier: Sequence[Past], info: MediaInfo, asked: Asked) -> Outlook:
    """What detecting a source will take.

    Args:
        earlier: the runs to go by, as `past` tells them.
        info: what is in the source.
        asked: the options.

    Raises:
        InputError: the options are not those of a detection, or it would cost more than they allow.
    """
    chosen = plans(options_of(asked))
    frames, display = info.video.packets, info.video.display
    known = _pace(earlier, display, asked)
    pace = known if known is not None else _usual(chosen, display)
    seconds = None if pace is None else _BEGINNING + pace * frames
    return Outlook(seconds, known is not None, _leaves(chosen, asked, frames), _spent(chosen, frames))


def missing_models(data: Data, asked: Asked) -> tuple[str, ...]:
    """The files of weights that a detection would need and that are not there.

    Raises:
        InputError: the options are not those of a detection.
    """
    needed = (model.name for plan in plans(options_of(asked)) for model in plan.facts.models)
    return tuple(name for name in needed if not (data.models / name).exists())


def _past(run: Run) -> Past | None:
    try:
        facts = records.read_as(run.folder.facts, RunFacts, "facts of a run")
    except RecordError:
        # An estimate can do without one run; whoever opens it is told what is wrong with it.
        return None
    display = run.state.display
    if display is None or facts.resumed_frames or facts.frames < 1:
        return None
    return Past(run.request.detection, display, max(0.0, facts.seconds - _BEGINNING) / facts.frames)


def _pace(earlier: Iterable[Past], display: Size, asked: Asked) -> float | None:
    """Seconds a frame by earlier runs with the same options and frames of about that size."""
    here = _pixels(display)
    paces = [
        one.pace * here / _pixels(one.display)
        for one in earlier
        if _alike(one.asked, asked) and 1 / _ALIKE <= here / _pixels(one.display) <= _ALIKE
    ]
    return statistics.median(paces) if paces else None


def _usual(chosen: Iterable[DetectorPlan], display: Size) -> float | None:
    """Seconds a frame by the table; detectors share the cores."""
    costs = [_USUAL[plan.name] for plan in chosen if plan.name in _USUAL]
    if not costs:
        return None
    return max(*costs, sum(costs) / (os.cpu_count() or 1)) * _pixels(display) / _FULL_HD


def _pixels(display: Size) -> int:
    return display.width * display.height


def _alike(one: Asked, other: Asked) -> bool:
    return (one.mode, one.detectors, one.parameters) == (other.mode, other.detectors, other.parameters)


def _leaves(chosen: Sequence[DetectorPlan], asked: Asked, frames: int) -> str | None:
    if not list(remote(chosen)):
        return None
    heard = _Heard()
    Spending(chosen, asked.max_cost, heard).plan(frames, None)
    longest = max(plan.longest_side or 0 for plan, _ in remote(chosen))
    what = f"They go whole, with the faces in them, at most {longest} pixels long; no sound, no name, no metadata goes."
    return " ".join([*heard.sentences, what])


def _spent(chosen: Sequence[DetectorPlan], frames: int) -> Spent | None:
    needs = [(how_many(plan, frames, None), settings) for plan, settings in remote(chosen)]
    if not needs:
        return None
    return Spent(
        sum(calls for calls, _ in needs),
        sum(calls * settings.price for calls, settings in needs),
        at_most=any(settings.policy == "contested" for _, settings in needs),
    )


class _Heard:
    """A listener that keeps the sentences."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Ignore it."""

    def notice(self, message: str) -> None:
        """Keep it."""
        self.sentences.append(message)
