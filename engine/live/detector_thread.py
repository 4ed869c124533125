"""One detector that is kept at work: a thread of its own feeds it, and starts it afresh when it dies or hangs.

Whoever shows it pictures never waits for it. When it cannot follow, pictures are passed over, the oldest first.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from engine.core.picture import Rgb
from engine.detectors.base import Detector, DetectorSettings
from engine.detectors.pool import DetectorPool
from engine.errors import DetectorError, InputError, VeilError
from engine.live.settings import JudgingSettings
from engine.record import Detection

_RESTART_PAUSE_S = 0.5
"""Seconds between two attempts to start a detector."""
_POLL_INTERVAL_S = 0.25
"""Seconds between two looks at the clock."""


class DetectorRole(NamedTuple):
    """A detector and how it takes part.

    Attributes:
        detector: its class.
        settings: its parameters.
        every_frame: it looks at every frame; else at the newest one whenever it is free.
        niceness_steps: by how many steps of niceness its process stands back behind this one.
    """

    detector: type[Detector]
    settings: DetectorSettings
    every_frame: bool
    niceness_steps: int = 0

    @property
    def name(self) -> str:
        """The detector's name."""
        return self.detector.name


class AnswerSink(Protocol):
    """Hears what a lookout has to say, from the lookout's thread."""

    def receive_answer(self, detector: str, number: int, detections: Sequence[Detection]) -> None:
        """What was seen in picture `number`, in pixels of that picture."""

    def handle_failure(self, detector: str, error: VeilError) -> None:
        """The detector is gone; it is started afresh unless the error is an `InputError`."""


class DetectorThread:
    """Keeps one detector at work until it is closed.

    Args:
        role: the detector.
        models: folder of the weights.
        judging: how long it may load and think.
        audience: hears the answers.
    """

    def __init__(self, role: DetectorRole, models: Path, judging: JudgingSettings, answer_sink: AnswerSink) -> None:
        self.role = role
        self.ready = threading.Event()
        self._models, self._judging, self._answer_sink = models, judging, answer_sink
        self._waiting_pictures: deque[tuple[int, Rgb]] = deque(maxlen=judging.backlog if role.every_frame else 1)
        self._submit_times: dict[int, float] = {}
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lookout {role.name}", daemon=True)
        self._thread.start()

    def submit_picture(self, number: int, picture: Rgb) -> None:
        """Hand over a picture, which is not to be changed any more; returns at once."""
        self._waiting_pictures.append((number, picture))
        self._wake_thread()

    def drop_waiting(self) -> None:
        """Pass over the pictures that wait."""
        self._waiting_pictures.clear()

    def close(self) -> None:
        """End the detector; closing twice is allowed."""
        self._closing.set()
        self._wake_thread()
        self._thread.join()
        self._wake_receiver.close()
        self._wake_sender.close()

    def _wake_thread(self) -> None:
        with suppress(BlockingIOError, OSError):  # a full socket has rung already, a closed one has nobody to wake
            self._wake_sender.send(b"x")

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._run_detector()
            except InputError as error:
                self._answer_sink.handle_failure(self.role.name, error)
                return
            except VeilError as error:
                self._answer_sink.handle_failure(self.role.name, error)
                self._closing.wait(_RESTART_PAUSE_S)
            finally:
                self.ready.clear()
                self._submit_times.clear()

    def _run_detector(self) -> None:
        watch = self.role
        with (
            DetectorPool(watch.detector, watch.settings, self._models, timeout_s=self._judging.load) as pool,
            selectors.DefaultSelector() as selector,
        ):
            _lower_priority(pool.pids, watch.niceness_steps)
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
                self._submit_times.pop(answer.ticket)
                self._answer_sink.receive_answer(self.role.name, answer.ticket, answer.batch.detections[0])
        now = time.monotonic()
        if any(now - since > self._judging.hang for since in self._submit_times.values()):
            raise DetectorError(f"The detector {self.role.name} gave no answer for {self._judging.hang:g} s.")

    def _submit_waiting(self, pool: DetectorPool) -> None:
        if not pool.is_ready():
            return
        self.ready.set()
        while self._waiting_pictures and len(self._submit_times) < (2 if self.role.every_frame else 1):
            number, picture = self._waiting_pictures.popleft()
            self._submit_times[number] = time.monotonic()
            pool.submit(number, [picture], f"frame {number}")


def _lower_priority(pids: Sequence[int], steps: int) -> None:
    """Let processes that have just started, and all their threads to come, stand back behind this one.

    Workers are sessions of their own. Where Linux shares the processor among sessions first, niceness counts within one
    only, and a session's own weight has to say the same.
    """
    niceness = os.getpriority(os.PRIO_PROCESS, 0) + steps
    weight = read_session_niceness(Path("/proc/self/autogroup"))
    for pid in pids:
        with suppress(OSError):  # it died at once, and the pool will say so; or the system grants no weights
            os.setpriority(os.PRIO_PROCESS, pid, min(19, niceness))
            if weight is not None:
                Path(f"/proc/{pid}/autogroup").write_text(str(min(19, weight + steps)))


def read_session_niceness(autogroup: Path) -> int | None:
    """The niceness of a process's session, from its `autogroup` file; None where sessions have none of their own.

    The file is missing in a kernel without such groups, and empty where a control group took a process out of them.
    """
    words = autogroup.read_text().split() if autogroup.exists() else []
    return int(words[-1]) if words else None
