"""A crew that somebody made up, and clips for it: a face is a patch of pure red and black checks."""

import numpy as np

from engine.core.geometry import Box
from engine.detectors.pool import DetectionBatch
from engine.record import Detection
from tests import clips

SIZE = (160, 120)


class Watchers:
    """Stands for `Crew`: every detector finds the bright red checks, and nothing in what a mask left of them."""

    def __init__(self, plans, models, workers, *, blind=False, score=0.9):
        self._plans, self._blind, self._score = plans, blind, score
        self._answers = []
        self.labels = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @property
    def input_sides(self):
        return frozenset(plan.longest_side for plan in self._plans)

    def set_first_ticket(self, ticket):
        self._answers.clear()

    def submit(self, ticket, pictures, label, positions=None):
        self.labels.append(label)
        answers = {
            plan.name: DetectionBatch([self._look(one, plan.name) for one in pictures[plan.longest_side]])
            for plan in self._plans
        }
        self._answers.append((ticket, answers))

    def take_finished(self):
        answers, self._answers = self._answers, []
        yield from answers

    drain = take_finished

    def _look(self, picture, detector):
        red = (picture[..., 0] > 170) & (picture[..., 1] < 90) & (picture[..., 2] < 90)
        rows, columns = np.nonzero(red)
        if self._blind or len(rows) < 12:
            return []
        box = Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
        return [Detection(detector, box, self._score)]


def blind(plans, models, workers):
    return Watchers(plans, models, workers, blind=True)


def face_clip(path, frames=48, shown=None):
    """A checked patch that moves to the right over grey noise; `shown(index)` says in which frames it is there."""
    noise = np.random.default_rng(1)
    raw = path.with_suffix(".raw")
    with raw.open("wb") as file:
        for index in range(frames):
            picture = noise.integers(100, 120, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
            if shown is None or shown(index):
                draw(picture, place(index))
            file.write(picture.tobytes())
    clips.ffmpeg(
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIZE[0]}x{SIZE[1]}", "-r", "25", "-i", raw,
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "10", "-pix_fmt", "yuv444p", path,
    )  # fmt: skip
    raw.unlink()
    return path


def place(index):
    """Where the face is in a frame."""
    return (20 + index, 40, 52 + index, 76)


def draw(picture, box):
    left, top, right, bottom = box
    y, x = np.mgrid[top:bottom, left:right]
    checks = ((x - left) // 4 + (y - top) // 4) % 2
    picture[top:bottom, left:right] = np.where(checks[..., None], (230, 10, 10), (10, 10, 10))
