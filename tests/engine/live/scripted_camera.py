"""A camera without a face detector: a masker whose detectors do what a file tells them."""

import time
from fractions import Fraction

import numpy as np

from engine.live.detector_thread import DetectorRole
from engine.live.settings import JudgingSettings
from engine.media.stream.normalise import frame_from_rgb, rgb_from_frame
from tests.engine.live.scripted_detectors import Moody, MoodySettings, Swift

JUDGING = JudgingSettings(deadline=0.5, age=0.4, hang=1.2, load=60.0)
"""Patient with a busy machine as to single frames, strict as to what is asserted."""
PERIOD = 0.04


def watches(moods, seconds=0.03):
    return (
        DetectorRole(Swift, MoodySettings(mood=str(moods / "swift")), every_frame=True),
        DetectorRole(
            Moody, MoodySettings(mood=str(moods / "moody"), seconds=seconds), every_frame=False, niceness_steps=2
        ),
    )


def patch(left=100, top=60, side=40, size=(320, 180)):
    """A picture with noise in the dark and one white patch, which stands for a face."""
    picture = np.random.default_rng(0).integers(0, 120, (size[1], size[0], 3), dtype=np.uint8)
    picture[top : top + side, left : left + side] = 255
    return picture


class Camera:
    """Gives a masker a frame every 40 ms and keeps what comes out."""

    def __init__(self, masker):
        self.masker, self.number = masker, 0

    def frame(self, picture=None, decoded=None):
        """The verdict on one frame and its picture."""
        time.sleep(PERIOD)  # what a camera does; nothing is synchronised by it
        decoded = frame_from_rgb(patch() if picture is None else picture) if decoded is None else decoded
        self.masker.submit(decoded, self.number, self.number * Fraction(1, 25))
        self.number += 1
        masked = self.masker.collect()
        return masked.verdict, rgb_from_frame(masked.frame)

    def until(self, what, patience=30.0, picture=None):
        """Frames until `what` holds of a verdict: all verdicts and pictures on the way there."""
        end, passed = time.monotonic() + patience, []
        while time.monotonic() < end:
            passed.append(self.frame(picture))
            if what(passed[-1][0]):
                return passed
        raise AssertionError(f"never came: {[verdict.reason for verdict, _ in passed][-20:]}")


def judged(verdict):
    return verdict.reason is None


def black(picture):
    return int(picture.max()) <= 8
