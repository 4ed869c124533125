"""A thread that feeds one detector and restarts it when it dies or hangs.

Submitting a picture never blocks. When the detector is too slow, the oldest waiting pictures are dropped; their frames
then have no answer, and the judge covers them.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors.base import Detector, DetectorSettings
from engine.detectors.pool import DetectorPool, FinishedTask
from engine.detectors.scale import shrink_picture
from engine.errors import DetectorError, InputError, VeilError
from engine.live.look_size import LookSizeChange, LookSizeController
from engine.live.priority import lower_priority
from engine.live.settings import JudgingSettings
from engine.record import Detection

_RESTART_PAUSE_S = 0.5
"""Seconds between two attempts to start a detector. Without it, a process that dies at once would occupy a core."""
_POLL_INTERVAL_S = 0.25
"""Seconds between two checks for a hanging detector; answers and new pictures end the wait at once."""
_LOOK_SHARE = 0.4
"""Share of `JudgingSettings.age` that a look of a detector beside may take. Just before an answer comes, the newest one
is two looks old; the rest is for the time until the frame is judged."""


class DetectorRole(NamedTuple):
    """A detector and its part in a live run.

    Attributes:
        detector: class of the detector.
        settings: its parameters.
        every_frame: the detector looks at every frame; otherwise it runs beside and looks at the newest frame whenever
            it is free.
        niceness_steps: number by which the niceness of its process is higher than that of this process.
        look_sides_px: longest sides of its pictures from which one is chosen by how long its looks take, largest first.
            Empty: the size is fixed. Its settings must not enlarge smaller pictures again.
    """

    detector: type[Detector]
    settings: DetectorSettings
    every_frame: bool
    niceness_steps: int = 0
    look_sides_px: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The detector's name."""
        return self.detector.name

    @property
    def longest_side_px(self) -> int | None:
        """Longest side of its pictures at most. None: full size."""
        return self.detector.longest_side(self.settings)


class Look(NamedTuple):
    """An answer of a detector.

    Attributes:
        detector: name of the detector.
        number: number of the frame.
        picture_size: size of the picture that it was given.
        detections: what it found, in pixels of that picture.
        seconds: time that the answer took, without the time that an earlier picture took.
    """

    detector: str
    number: int
    picture_size: Size
    detections: Sequence[Detection]
    seconds: float


class _SubmittedPicture(NamedTuple):
    size: Size
    submitted_s: float


class AnswerSink(Protocol):
    """Receives answers and failures of detectors, in the detectors' threads."""

    def receive_look(self, look: Look) -> None:
        """Receive what a detector found in a picture."""

    def change_look_size(self, change: LookSizeChange) -> None:
        """Receive the news that a detector looks at pictures of another size from some frame on."""

    def handle_failure(self, detector: str, error: VeilError) -> None:
        """Receive the loss of a detector. It is restarted unless the error is an `InputError`."""


class DetectorThread:
    """Runs one detector until it is closed.

    Args:
        role: the detector.
        models: folder of verified weights.
        judging: how long loading and one answer may take, and how many pictures may wait.
        answer_sink: receives answers and failures.

    Attributes:
        role: the detector.
        ready: set while the detector is loaded.
    """

    def __init__(self, role: DetectorRole, models: Path, judging: JudgingSettings, answer_sink: AnswerSink) -> None:
        self.role = role
        self.ready = threading.Event()
        self._models, self._judging, self._answer_sink = models, judging, answer_sink
        # A full deque drops its oldest entry. A detector that runs beside gets the newest picture only: a face that has
        # just appeared matters more than one that was there when the queue began.
        self._waiting_pictures: deque[tuple[int, Rgb]] = deque(maxlen=judging.backlog if role.every_frame else 1)
        self._submitted: dict[int, _SubmittedPicture] = {}
        self._last_answer_s = 0.0
        self._look_size = (
            LookSizeController(role.look_sides_px, _LOOK_SHARE * judging.age) if role.look_sides_px else None
        )
        self._pending_change: tuple[int, int] | None = None
        # A selector cannot wait for a deque, but for a socket: a byte in it means that a picture waits.
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"detector {role.name}", daemon=True)
        self._thread.start()

    def submit_picture(self, number: int, picture: Rgb) -> None:
        """Submit a picture and return at once; the caller must not change the picture any more."""
        self._waiting_pictures.append((number, picture))
        self._wake_thread()

    def close(self) -> None:
        """End the detector and wait for its thread; closing twice is allowed."""
        self._closing.set()
        self._wake_thread()
        self._thread.join()
        self._wake_receiver.close()
        self._wake_sender.close()

    def _wake_thread(self) -> None:
        with suppress(BlockingIOError, OSError):  # a full socket wakes the thread anyway; a closed one has no thread
            self._wake_sender.send(b"x")

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._run_detector()
            except InputError as error:
                # Missing weights or a wrong parameter stay wrong: no restart.
                self._answer_sink.handle_failure(self.role.name, error)
                return
            except VeilError as error:
                self._answer_sink.handle_failure(self.role.name, error)
                self._closing.wait(_RESTART_PAUSE_S)
            finally:
                # Pictures that the old process held are lost. Their frames are covered: no answer comes for them.
                self.ready.clear()
                self._submitted.clear()

    def _run_detector(self) -> None:
        role = self.role
        with (
            DetectorPool(role.detector, role.settings, self._models, timeout_s=self._judging.load) as pool,
            selectors.DefaultSelector() as selector,
        ):
            lower_priority(pool.pids, role.niceness_steps)
            selector.register(pool, selectors.EVENT_READ)
            selector.register(self._wake_receiver, selectors.EVENT_READ)
            while not self._closing.is_set():
                selector.select(_POLL_INTERVAL_S)
                self._drain_wake_socket()
                self._collect_answers(pool)
                self._submit_waiting(pool)

    def _drain_wake_socket(self) -> None:
        with suppress(BlockingIOError):
            while self._wake_receiver.recv(4096):
                pass

    def _collect_answers(self, pool: DetectorPool) -> None:
        if pool.has_result():
            for answer in pool.take_finished():
                self._hand_on_answer(answer)
        # Leaving `_run_detector` with an error kills the process, and `_run` starts a new one. Until the new one has
        # answered, every frame is covered, so a wrong alarm costs picture but shows nothing.
        now = time.monotonic()
        if any(now - picture.submitted_s > self._judging.hang for picture in self._submitted.values()):
            raise DetectorError(f"The detector {self.role.name} gave no answer for {self._judging.hang:g} s.")

    def _hand_on_answer(self, answer: FinishedTask) -> None:
        picture, now = self._submitted.pop(answer.ticket), time.monotonic()
        # A detector with two pictures begins the second one when it has answered for the first.
        seconds = now - max(picture.submitted_s, self._last_answer_s)
        self._last_answer_s = now
        detections = answer.batch.detections[0]
        self._answer_sink.receive_look(Look(self.role.name, answer.ticket, picture.size, detections, seconds))
        if self._look_size is not None:
            before_px = self._look_size.side_px
            if self._look_size.add_look(picture.size.longest_side, seconds):
                self._pending_change = before_px, round(seconds * 1000)

    def _submit_waiting(self, pool: DetectorPool) -> None:
        if not pool.is_ready():
            return
        self.ready.set()
        # Two pictures at once keep a detector that looks at every frame busy while its answer travels. One that runs
        # beside gets the next picture only when it is free, so that it is the newest one.
        while self._waiting_pictures and len(self._submitted) < (2 if self.role.every_frame else 1):
            number, picture = self._waiting_pictures.popleft()
            picture = self._fit_picture(number, picture)
            self._submitted[number] = _SubmittedPicture(Size(picture.shape[1], picture.shape[0]), time.monotonic())
            pool.submit(number, [picture], f"frame {number}")

    def _fit_picture(self, number: int, picture: Rgb) -> Rgb:
        """Scale a picture down to the size of the looks, and report a size that is new."""
        if self._look_size is None:
            return picture
        if self._pending_change is not None:
            (before_px, look_ms), self._pending_change = self._pending_change, None
            self._answer_sink.change_look_size(
                LookSizeChange(self.role.name, number, self._look_size.side_px, before_px, look_ms)
            )
        return shrink_picture(picture, self._look_size.side_px)
