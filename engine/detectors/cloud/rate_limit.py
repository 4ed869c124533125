"""How fast to call: finds the rate at which a service admits calls, and holds it.

While nothing is throttled, calls are not held back. After that they are made at the rate of the answers, plus a little
to find out whether more would be admitted, plus what the service throttles whatever the rate. The last is measured
from time to time by calling a little slower than answers came: such calls cannot be beyond the quota, so what is
throttled of them is not the caller's doing.

Delivery rate as the estimate of a path's capacity, with probing around it, is from Cardwell et al., "BBR:
Congestion-Based Congestion Control", ACM Queue 14(5), 2016.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass

from engine.errors import DetectorError

_FIRST = 1.0
"""Seconds after the first throttled call in which answers are counted, to begin with their rate."""
_LEAST_RATE = 0.5
_SECONDS, _CALLS = 1.0, 30
"""A trial lasts so many seconds, and so many calls."""
_PROBE, _LARGEST_PROBE = 1.08, 1.5
"""How much faster than answers come calls are made; the greater while more and more are admitted."""
_SLOWER = 0.95
"""How much slower than answers come calls are made while the service's own throttling is measured."""
_EVERY, _EVERY_AT_FIRST = 24, 5
"""Trials from one such measurement to the next, and while there are few."""
_REMEMBERED = 4
"""Such measurements that count."""
_ASSUMED = 0.25
"""What is taken for the service's own share of throttled calls until it was measured."""
_NOTICED = 0.12
"""Share of throttled calls from which on it is measured at all."""
_WEIGHT = 0.3
"""Of the last trial in the rate of the answers."""
_CREDIT = 0.05
"""Seconds of calls that may be made up for after threads woke late."""
_BUSY = 0.85
"""Share of the calls that a trial allowed and that must have been made for it to say anything."""
_WORST = 0.6
"""Greatest share of throttled calls that is made up for."""


@dataclass(slots=True, eq=False)
class Trial:
    """Calls that were made at one rate, and what became of them."""

    rate: float
    start: float
    slower: bool = False
    sent: int = 0
    answered: int = 0
    throttled: int = 0


class Finder:
    """The arithmetic of finding a rate; times are given to it, in seconds from anywhere.

    Args:
        ceiling: calls a second that are never exceeded; None knows no ceiling.
    """

    def __init__(self, ceiling: float | None = None) -> None:
        self._ceiling = ceiling or math.inf
        self._next = -math.inf
        self._trial = Trial(math.inf, 0.0)
        self._before = self._trial
        self._answers = math.inf
        """Answers a second."""
        self._heard = 0
        """Answers during this trial, whichever trial they belong to."""
        self._probe = _PROBE
        self._slower: deque[Trial] = deque(maxlen=_REMEMBERED)
        self._since_slower = _EVERY
        self._limited = False

    @property
    def rate(self) -> float:
        """Calls a second that are made now; infinite while nothing holds them back."""
        return min(self._trial.rate, self._ceiling)

    @property
    def unrelated(self) -> float:
        """Share of calls that is throttled whatever the rate: as measured, plus its standard error.

        Too high an estimate costs some throttled calls, too low a one would drive the rate down.
        """
        share, error = self._measured()
        return min(_WORST, share + error)

    def _measured(self) -> tuple[float, float]:
        """That share as far as it was measured, and the standard error."""
        sent = sum(trial.answered + trial.throttled for trial in self._slower)
        if sent < _CALLS / 2:
            return 0.0, _ASSUMED
        share = sum(trial.throttled for trial in self._slower) / sent
        return share, math.sqrt(share * (1 - share) / sent)

    def slot(self, now: float) -> float:
        """The time at which the next call may begin."""
        if math.isinf(self.rate):
            return now
        slot = max(self._next, now - _CREDIT)
        self._next = slot + 1.0 / self.rate
        return max(slot, now)

    def sent(self, now: float) -> Trial:
        """A call begins; give what is returned to `heard`."""
        self._turn(now)
        self._trial.sent += 1
        return self._trial

    def heard(self, now: float, trial: Trial, *, throttled: bool) -> None:
        """A call of `trial` was answered, or throttled."""
        if throttled:
            trial.throttled += 1
            if not self._limited:
                self._limited = True
                self._start(Trial(math.inf, now))
        else:
            trial.answered += 1
            self._heard += 1
        self._turn(now)

    def _turn(self, now: float) -> None:
        """Go on to the next trial when this one is over."""
        trial = self._trial
        seconds = now - trial.start
        if not self._limited or seconds < _FIRST or self._heard + trial.throttled < 1:
            return
        if math.isinf(trial.rate):
            self._answers = max(self._heard / seconds, _LEAST_RATE)
            self._start(self._faster(now))
        elif seconds >= max(_SECONDS, _CALLS / trial.rate):
            self._learn(trial, seconds)
            self._start(self._following(now))

    def _start(self, trial: Trial) -> None:
        self._before, self._trial, self._heard = self._trial, trial, 0

    def _learn(self, trial: Trial, seconds: float) -> None:
        """What a finished trial says of the rate of answers and of how far to probe."""
        self._since_slower += 1
        busy = trial.sent >= _BUSY * min(trial.rate, self._ceiling) * seconds
        if trial.slower or self._before.slower or not (busy or self._heard > self._answers * seconds):
            return
        self._answers += _WEIGHT * (max(self._heard / seconds, _LEAST_RATE) - self._answers)
        excess = self._share(trial) - self.unrelated
        self._probe = min(self._probe * 1.1, _LARGEST_PROBE) if excess < 0.01 else _PROBE

    def _following(self, now: float) -> Trial:
        every = _EVERY if len(self._slower) == _REMEMBERED else _EVERY_AT_FIRST
        if self._since_slower >= every and self._share(self._trial) > _NOTICED and not self._trial.slower:
            self._since_slower = 0
            share, error = self._measured()
            certain = max(0.0, share - 1.5 * error)
            slower = Trial(max(self._answers * _SLOWER / (1 - certain), _LEAST_RATE), now, slower=True)
            self._slower.append(slower)
            return slower
        return self._faster(now)

    def _faster(self, now: float) -> Trial:
        return Trial(max(self._answers * self._probe / (1 - self.unrelated), _LEAST_RATE), now)

    @staticmethod
    def _share(trial: Trial) -> float:
        """Of calls that were throttled."""
        return trial.throttled / max(1, trial.answered + trial.throttled)


class Pace:
    """A `Finder` that threads share, on the real clock.

    Args:
        ceiling: as of `Finder`.
    """

    def __init__(self, ceiling: float | None = None) -> None:
        self._finder = Finder(ceiling)
        self._lock = threading.Lock()
        self._closed = threading.Event()

    @property
    def rate(self) -> float:
        """Calls a second that are made now."""
        return self._finder.rate

    def wait(self) -> Trial:
        """Wait until a call may begin; it begins now.

        Raises:
            DetectorError: `close` was called.
        """
        with self._lock:
            slot = self._finder.slot(time.monotonic())
        if self._closed.wait(max(0.0, slot - time.monotonic())):
            raise DetectorError("No more calls are made: the run is ending.")
        with self._lock:
            return self._finder.sent(time.monotonic())

    def close(self) -> None:
        """Let no more calls begin; whoever waits is told at once."""
        self._closed.set()

    def heard(self, trial: Trial, *, throttled: bool) -> None:
        """Tell what became of a call that `wait` let begin."""
        with self._lock:
            self._finder.heard(time.monotonic(), trial, throttled=throttled)
