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
from engine.detectors.base import Detector, Settings, Sighting
from engine.detectors.pool import DetectorPool
from engine.errors import DetectorError, InputError, VeilError
from engine.live.settings import Judging

_PAUSE = 0.5
"""Seconds between two attempts to start a detector."""
_TICK = 0.25
"""Seconds between two looks at the clock."""


class Watch(NamedTuple):
    """A detector and how it takes part.

    Attributes:
        detector: its class.
        settings: its parameters.
        every: it looks at every frame; else at the newest one whenever it is free.
        yielding: by how many steps of niceness its process stands back behind this one.
    """

    detector: type[Detector]
    settings: Settings
    every: bool
    yielding: int = 0

    @property
    def name(self) -> str:
        """The detector's name."""
        return self.detector.name


class Audience(Protocol):
    """Hears what a lookout has to say, from the lookout's thread."""

    def answered(self, detector: str, number: int, sightings: Sequence[Sighting]) -> None:
        """What was seen in picture `number`, in pixels of that picture."""

    def failed(self, detector: str, error: VeilError) -> None:
        """The detector is gone; it is started afresh unless the error is an `InputError`."""


class Lookout:
    """Keeps one detector at work until it is closed.

    Args:
        watch: the detector.
        models: folder of the weights.
        judging: how long it may load and think.
        audience: hears the answers.
    """

    def __init__(self, watch: Watch, models: Path, judging: Judging, audience: Audience) -> None:
        self.watch = watch
        self.ready = threading.Event()
        self._models, self._judging, self._audience = models, judging, audience
        self._waiting: deque[tuple[int, Rgb]] = deque(maxlen=judging.backlog if watch.every else 1)
        self._given: dict[int, float] = {}
        self._wake, self._bell = socket.socketpair()
        self._wake.setblocking(False)
        self._bell.setblocking(False)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"lookout {watch.name}", daemon=True)
        self._thread.start()

    def show(self, number: int, picture: Rgb) -> None:
        """Hand over a picture, which is not to be changed any more; returns at once."""
        self._waiting.append((number, picture))
        self._ring()

    def clear(self) -> None:
        """Pass over the pictures that wait."""
        self._waiting.clear()

    def close(self) -> None:
        """End the detector; closing twice is allowed."""
        self._closing.set()
        self._ring()
        self._thread.join()
        self._wake.close()
        self._bell.close()

    def _ring(self) -> None:
        with suppress(BlockingIOError, OSError):  # a full socket has rung already, a closed one has nobody to wake
            self._bell.send(b"x")

    def _live(self) -> None:
        while not self._closing.is_set():
            try:
                self._serve()
            except InputError as error:
                self._audience.failed(self.watch.name, error)
                return
            except VeilError as error:
                self._audience.failed(self.watch.name, error)
                self._closing.wait(_PAUSE)
            finally:
                self.ready.clear()
                self._given.clear()

    def _serve(self) -> None:
        watch = self.watch
        with (
            DetectorPool(watch.detector, watch.settings, self._models, timeout=self._judging.load) as pool,
            selectors.DefaultSelector() as selector,
        ):
            _stand_back(pool.pids, watch.yielding)
            selector.register(pool, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._closing.is_set():
                selector.select(_TICK)
                self._hear()
                self._take(pool)
                self._give(pool)

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            while self._wake.recv(4096):
                pass

    def _take(self, pool: DetectorPool) -> None:
        if pool.settled():
            for answer in pool.take():
                self._given.pop(answer.ticket)
                self._audience.answered(self.watch.name, answer.ticket, answer.sightings[0])
        now = time.monotonic()
        if any(now - since > self._judging.hang for since in self._given.values()):
            raise DetectorError(f"The detector {self.watch.name} gave no answer for {self._judging.hang:g} s.")

    def _give(self, pool: DetectorPool) -> None:
        if not pool.ready():
            return
        self.ready.set()
        while self._waiting and len(self._given) < (2 if self.watch.every else 1):
            number, picture = self._waiting.popleft()
            self._given[number] = time.monotonic()
            pool.submit(number, [picture], f"frame {number}")


def _stand_back(pids: Sequence[int], steps: int) -> None:
    """Let processes that have just started, and all their threads to come, stand back behind this one.

    Workers are sessions of their own. Where Linux shares the processor among sessions first, niceness counts within one
    only, and a session's own weight has to say the same.
    """
    niceness = os.getpriority(os.PRIO_PROCESS, 0) + steps
    weight = session_weight(Path("/proc/self/autogroup"))
    for pid in pids:
        with suppress(OSError):  # it died at once, and the pool will say so; or the system grants no weights
            os.setpriority(os.PRIO_PROCESS, pid, min(19, niceness))
            if weight is not None:
                Path(f"/proc/{pid}/autogroup").write_text(str(min(19, weight + steps)))


def session_weight(autogroup: Path) -> int | None:
    """The niceness of a process's session, from its `autogroup` file; None where sessions have none of their own.

    The file is missing in a kernel without such groups, and empty where a control group took a process out of them.
    """
    words = autogroup.read_text().split() if autogroup.exists() else []
    return int(words[-1]) if words else None
