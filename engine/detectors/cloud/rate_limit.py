"""The rate limiter: finds the rate at which a service admits calls, and keeps to it.

While no call is throttled, calls are not delayed. After that, calls are made at the rate of the answers, plus a little
to find out whether the service admits more, plus the share of calls that the service throttles at any rate. That share
is measured from time to time by calls at a rate a little below that of the answers: such calls cannot exceed the quota,
so those of them that are throttled are not throttled because of the rate.

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

_FIRST_TRIAL_S = 1.0
"""Time after the first throttled call in which answers are counted, to start with their rate."""
_MIN_RATE_PER_S = 0.5
_TRIAL_S, _TRIAL_CALLS = 1.0, 30
"""Least duration and least number of calls of a trial."""
_PROBE_FACTOR, _MAX_PROBE_FACTOR = 1.08, 1.5
"""Ratio of calls to answers in a trial; it rises to the second value while the service admits more and more."""
_SLOWER_FACTOR = 0.95
"""Ratio of calls to answers while throttling at any rate is measured."""
_MEASURE_INTERVAL_TRIALS, _FIRST_MEASURE_INTERVAL_TRIALS = 24, 5
"""Trials from one measurement to the next, and while there are few measurements."""
_KEPT_MEASUREMENTS = 4
"""Number of latest measurements that count."""
_ASSUMED_UNRELATED_SHARE = 0.25
"""Share of calls that is assumed to be throttled at any rate before it is measured."""
_MIN_MEASURED_SHARE = 0.12
"""Share of throttled calls from which a measurement is made."""
_LAST_TRIAL_WEIGHT = 0.3
"""Weight of the last trial in the rate of the answers."""
_CATCH_UP_S = 0.05
"""Delay of threads that woke late for which calls are made up."""
_MIN_BUSY_SHARE = 0.85
"""Share of the allowed calls that must have been made for a trial to count."""
_MAX_UNRELATED_SHARE = 0.6
"""Greatest share of throttled calls for which calls are added."""


@dataclass(slots=True, eq=False)
class RateTrial:
    """Calls at one rate, and their outcomes."""

    calls_per_s: float
    started_at: float
    is_slower: bool = False
    sent: int = 0
    answered: int = 0
    throttled: int = 0


class RateFinder:
    """Finds the rate. It has no clock: all times are arguments, in seconds from any origin.

    Args:
        ceiling: greatest number of calls a second. None: unlimited.
    """

    def __init__(self, ceiling: float | None = None) -> None:
        self._ceiling = ceiling or math.inf
        self._next_slot_at = -math.inf
        self._trial = RateTrial(math.inf, 0.0)
        self._previous_trial = self._trial
        self._answers_per_s = math.inf
        """Answers a second."""
        self._answer_count = 0
        """Answers during this trial, whichever trial they belong to."""
        self._probe_factor = _PROBE_FACTOR
        self._slower_trials: deque[RateTrial] = deque(maxlen=_KEPT_MEASUREMENTS)
        self._trials_since_slower = _MEASURE_INTERVAL_TRIALS
        self._is_limited = False

    @property
    def rate(self) -> float:
        """Current rate in calls a second; infinite while calls are not delayed."""
        return min(self._trial.calls_per_s, self._ceiling)

    @property
    def unrelated_share(self) -> float:
        """Share of calls that is throttled at any rate: the measured one plus its standard error.

        Too high an estimate costs some throttled calls; too low an estimate would lower the rate again and again.
        """
        share, error = self._measure_unrelated_share()
        return min(_MAX_UNRELATED_SHARE, share + error)

    def _measure_unrelated_share(self) -> tuple[float, float]:
        """Return that share as measured, and its standard error."""
        sent = sum(trial.answered + trial.throttled for trial in self._slower_trials)
        if sent < _TRIAL_CALLS / 2:
            return 0.0, _ASSUMED_UNRELATED_SHARE
        share = sum(trial.throttled for trial in self._slower_trials) / sent
        return share, math.sqrt(share * (1 - share) / sent)

    def reserve_slot(self, now: float) -> float:
        """Reserve the next call; return the time at which it may start."""
        if math.isinf(self.rate):
            return now
        # Slots that were missed by more than this are dropped: made up for all at once, they would be throttled.
        slot = max(self._next_slot_at, now - _CATCH_UP_S)
        self._next_slot_at = slot + 1.0 / self.rate
        return max(slot, now)

    def begin_call(self, now: float) -> RateTrial:
        """Count a call that starts; return its trial, for `record_outcome`."""
        self._advance_trial(now)
        self._trial.sent += 1
        return self._trial

    def record_outcome(self, now: float, trial: RateTrial, *, throttled: bool) -> None:
        """Count a call of a trial that was answered or throttled."""
        if throttled:
            trial.throttled += 1
            # The first throttled call shows that there is a quota. Only the answers from here on can tell its rate,
            # because the service may have admitted a burst before.
            if not self._is_limited:
                self._is_limited = True
                self._start_trial(RateTrial(math.inf, now))
        else:
            trial.answered += 1
            self._answer_count += 1
        self._advance_trial(now)

    def _advance_trial(self, now: float) -> None:
        """Start the next trial if this one has ended."""
        trial = self._trial
        seconds = now - trial.started_at
        if not self._is_limited or seconds < _FIRST_TRIAL_S or self._answer_count + trial.throttled < 1:
            return
        if math.isinf(trial.calls_per_s):
            self._answers_per_s = max(self._answer_count / seconds, _MIN_RATE_PER_S)
            self._start_trial(self._create_probing_trial(now))
        elif seconds >= max(_TRIAL_S, _TRIAL_CALLS / trial.calls_per_s):
            self._learn_from_trial(trial, seconds)
            self._start_trial(self._choose_next_trial(now))

    def _start_trial(self, trial: RateTrial) -> None:
        self._previous_trial, self._trial, self._answer_count = self._trial, trial, 0

    def _learn_from_trial(self, trial: RateTrial, seconds: float) -> None:
        """Update the rate of answers and the probe factor from a finished trial."""
        self._trials_since_slower += 1
        busy = trial.sent >= _MIN_BUSY_SHARE * min(trial.calls_per_s, self._ceiling) * seconds
        # Trials that were slow on purpose, or that had too few calls to reach their rate, tell nothing about the quota.
        if (
            trial.is_slower
            or self._previous_trial.is_slower
            or not (busy or self._answer_count > self._answers_per_s * seconds)
        ):
            return
        # A moving average, because the number of answers in a trial of a second varies by chance.
        self._answers_per_s += _LAST_TRIAL_WEIGHT * (
            max(self._answer_count / seconds, _MIN_RATE_PER_S) - self._answers_per_s
        )
        # While all additional calls are answered, the quota is far away, so the steps grow. The first excess shows that
        # it is reached, and the steps are small again.
        excess = self._throttled_share(trial) - self.unrelated_share
        self._probe_factor = min(self._probe_factor * 1.1, _MAX_PROBE_FACTOR) if excess < 0.01 else _PROBE_FACTOR

    def _choose_next_trial(self, now: float) -> RateTrial:
        every = (
            _MEASURE_INTERVAL_TRIALS
            if len(self._slower_trials) == _KEPT_MEASUREMENTS
            else _FIRST_MEASURE_INTERVAL_TRIALS
        )
        if (
            self._trials_since_slower >= every
            and self._throttled_share(self._trial) > _MIN_MEASURED_SHARE
            and not self._trial.is_slower
        ):
            self._trials_since_slower = 0
            share, error = self._measure_unrelated_share()
            # A cautious estimate: with too high a share, this trial would exceed the quota and measure nothing.
            certain = max(0.0, share - 1.5 * error)
            slower = RateTrial(
                max(self._answers_per_s * _SLOWER_FACTOR / (1 - certain), _MIN_RATE_PER_S), now, is_slower=True
            )
            self._slower_trials.append(slower)
            return slower
        return self._create_probing_trial(now)

    def _create_probing_trial(self, now: float) -> RateTrial:
        return RateTrial(
            max(self._answers_per_s * self._probe_factor / (1 - self.unrelated_share), _MIN_RATE_PER_S), now
        )

    @staticmethod
    def _throttled_share(trial: RateTrial) -> float:
        """Return the share of throttled calls in a trial."""
        return trial.throttled / max(1, trial.answered + trial.throttled)


class RateLimiter:
    """A `RateFinder` on the real clock, for many threads.

    Args:
        ceiling: greatest number of calls a second. None: unlimited.
    """

    def __init__(self, ceiling: float | None = None) -> None:
        self._finder = RateFinder(ceiling)
        self._lock = threading.Lock()
        self._closed = threading.Event()

    @property
    def rate(self) -> float:
        """Current rate in calls a second."""
        return self._finder.rate

    def wait_for_slot(self) -> RateTrial:
        """Wait until a call may start, and count it.

        Raises:
            DetectorError: `close` was called.
        """
        with self._lock:
            slot = self._finder.reserve_slot(time.monotonic())
        if self._closed.wait(max(0.0, slot - time.monotonic())):
            raise DetectorError("No more calls are made: the run is ending.")
        with self._lock:
            return self._finder.begin_call(time.monotonic())

    def close(self) -> None:
        """Start no more calls; threads that wait get an error at once."""
        self._closed.set()

    def record_outcome(self, trial: RateTrial, *, throttled: bool) -> None:
        """Count the outcome of a call that `wait_for_slot` started."""
        with self._lock:
            self._finder.record_outcome(time.monotonic(), trial, throttled=throttled)
