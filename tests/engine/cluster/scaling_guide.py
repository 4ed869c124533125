"""The figures of docs/guides/scaling.md, and the time that a division into ranges takes by them."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import dropwhile, takewhile

from engine.detection.detection_range import plan_ranges
from engine.media.source.start_points import StartPoint
from tests.repository import ROOT

GUIDE = ROOT / "docs" / "guides" / "scaling.md"
HOUR_S = 3600
CALLS_A_SECOND = 50
"""The usual quota of Rekognition."""
RATE = 25
KEY_FRAMES = 50
OVERLAP_FRAMES = 24
"""Frames that are detected twice at 25 frames/s, with the schedule of the modes."""


@dataclass(frozen=True)
class Mode:
    """A row of the guide's table of times.

    Attributes:
        title: its first cell.
        minutes: minutes for an hour of 4K, by number of workers.
        step: row of the table of costs that decides the time.
        on_cluster: True if the step is divided among the workers.
        calls_share: share of the frames that is sent.
        after: True if frames are sent after the step, False if they are sent meanwhile.
    """

    title: str
    minutes: dict[int, float]
    step: str
    on_cluster: bool = True
    calls_share: float = 0.0
    after: bool = False


_STEPS = {
    "`on-prem`": ("detect, `on-prem`", True, 0.0, False),
    "`hybrid`": ("detect, `hybrid`", True, 0.0, False),
    "`cloud`, `contested`": ("detect, first pass of `--policy contested`", True, 0.25, True),
    "`cloud`, `every:5`": ("read for `--policy every:5`", False, 0.2, False),
    "`cloud`, `all`": ("detect, `cloud` with `--policy all`", False, 1.0, False),
}


def read_table(before: str) -> dict[str, dict[str, str]]:
    """Return the rows of the first table after a text of the guide, by first cell, each by column title."""
    lines = GUIDE.read_text().partition(before)[2].splitlines()
    table = takewhile(lambda line: line.startswith("|"), dropwhile(lambda line: not line.startswith("|"), lines))
    titles, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {row[0]: dict(zip(titles[1:], row[1:], strict=True)) for row in rows}


def read_times() -> list[Mode]:
    """Return the guide's table of times for an hour of 4K."""
    modes = []
    for title, cells in read_table("The time of a detection").items():
        minutes = {
            int(column.split()[0]): float(text.removesuffix(" min"))
            for column, text in cells.items()
            if "worker" in column
        }
        modes.append(Mode(title, minutes, *_STEPS[title]))
    return modes


def read_costs() -> dict[str, float]:
    """Return the processor seconds for a second of 4K video, by step."""
    return {step: float(cells["4K"]) for step, cells in read_table("## How much it takes").items()}


def simulate_pass(cost_s: float, workers: int, video_s: float = HOUR_S) -> float:
    """Return the seconds that a pass takes when its ranges are done by workers of one core, each as it gets free."""
    count = round(video_s * RATE)
    points = (StartPoint(index, index) for index in range(KEY_FRAMES, count, KEY_FRAMES))
    free_at = [0.0] * workers
    for part in plan_ranges(points, 0, count, OVERLAP_FRAMES, lambda: workers):
        seconds = ((part.stop or count) - part.overlap_start) / RATE * cost_s
        heapq.heapreplace(free_at, free_at[0] + seconds)
    return max(free_at)


def add_calls(mode: Mode, pass_s: float, video_s: float = HOUR_S) -> float:
    """Return the seconds of a pass with the calls that the mode makes."""
    calls_s = video_s * RATE * mode.calls_share / CALLS_A_SECOND
    return pass_s + calls_s if mode.after else max(pass_s, calls_s)
