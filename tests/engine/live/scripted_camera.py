"""A camera without a face detector: a masker whose detectors behave as a file tells them.

The tests hold on a busy machine. A healthy detector is waited for, however long it takes, and not expected to be fast;
what a test asserts follows from the answers that are there, not from how much time has passed.
"""

import time
from fractions import Fraction

import msgspec
import numpy as np

from engine.live.detector_thread import DetectorRole
from engine.live.settings import JudgingSettings
from engine.media.stream.normalise import frame_from_rgb, rgb_from_frame
from tests.engine.live.scripted_detectors import Moody, MoodySettings, Swift

PERIOD_S = 0.04
PATIENCE_S = 120.0
"""Bound for anything that happens sooner or later; reached only if it never happens."""
JUDGING = JudgingSettings(deadline=0.5, age=0.4, hang=1.2, load=PATIENCE_S)
PATIENT = msgspec.structs.replace(JUDGING, deadline=PATIENCE_S, hang=PATIENCE_S)
"""For healthy detectors: a frame waits for its answer, and a detector that gets no processor time is not restarted."""

STEADY = msgspec.structs.replace(JUDGING, cuts=False, age=2.0)
"""Judges a clip without cuts; on a busy machine some frames are covered."""
STEADY_FILE = msgspec.structs.replace(STEADY, deadline=PATIENCE_S, hang=PATIENCE_S)
"""The same for a file, which can wait: a busy machine takes longer and covers no more."""


def detector_roles(moods, seconds=0.03):
    return (
        DetectorRole(Swift, MoodySettings(mood=str(moods / "swift")), every_frame=True),
        DetectorRole(
            Moody, MoodySettings(mood=str(moods / "moody"), seconds=seconds), every_frame=False, niceness_steps=2
        ),
    )


def white_patch(left=100, top=60, side=40, size=(320, 180)):
    """A picture with noise in the dark and one white patch, which stands for a face."""
    picture = np.random.default_rng(0).integers(0, 120, (size[1], size[0], 3), dtype=np.uint8)
    picture[top : top + side, left : left + side] = 255
    return picture


class Camera:
    """Gives a masker a frame every 40 ms; `frame_s` is the time between two frames by their time stamps."""

    def __init__(self, masker, frame_s=Fraction(1, 25)):
        self.masker, self.frame_s, self.number = masker, frame_s, 0

    def send_frame(self, picture=None, decoded=None, wait_s=0.0):
        """Send a frame, wait up to `wait_s` until both detectors have answered for it; return verdict and picture."""
        time.sleep(PERIOD_S)  # what a camera does; nothing is synchronised by it
        decoded = frame_from_rgb(white_patch() if picture is None else picture) if decoded is None else decoded
        self.masker.submit(decoded, self.number, self.number * self.frame_s)
        self.masker.state.wait_for_answers(self.number, wait_s)
        self.number += 1
        masked = self.masker.collect()
        return masked.verdict, rgb_from_frame(masked.frame)

    def send_answered_frame(self, **frame):
        """Send a frame that both detectors answer before it is collected."""
        return self.send_frame(**frame, wait_s=PATIENCE_S)

    def send_until(self, condition, picture=None, wait_step_s=PERIOD_S):
        """Send frames until `condition` holds for a verdict; return all verdicts and pictures up to then.

        Each frame waits `wait_step_s` longer for its answers than the one before, so a busy machine gets there too.
        """
        end, sent = time.monotonic() + PATIENCE_S, []
        while time.monotonic() < end:
            sent.append(self.send_frame(picture, wait_s=len(sent) * wait_step_s))
            if condition(sent[-1][0]):
                return sent
        raise AssertionError(f"never came: {[verdict.reason for verdict, _ in sent][-20:]}")


def is_judged(verdict):
    return verdict.reason is None


def is_black(picture):
    return int(picture.max()) <= 8
