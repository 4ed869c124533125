"""A short queue for checking passwords, apart from the threads that serve pages.

Checking a password takes time and 64 MB on purpose. Whoever sends many sign-ins at once waits in this queue and then is
refused, instead of filling the memory and stopping every page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread

from engine.access.passwords import MAX_CONCURRENT_HASHES
from engine.errors import AccessError

_MAX_WAITING = 24
"""Most sign-ins that run or wait. More would wait longer than a person does."""
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class QueueFullError(AccessError):
    """Too many sign-ins at once."""


class PasswordQueue:
    """The queue of one server.

    Attributes:
        waiting: Number of sign-ins that run or wait.
    """

    def __init__(self, max_waiting: int = _MAX_WAITING) -> None:
        self._max_waiting = max_waiting
        self._limiter: anyio.CapacityLimiter | None = None
        self.waiting = 0

    async def run(
        self, check: Callable[_Parameters, _Result], *arguments: _Parameters.args, **named: _Parameters.kwargs
    ) -> _Result:
        """Run a check on a thread of its own limiter, and return its result.

        Raises:
            QueueFullError: too many sign-ins are running or waiting.
        """
        if self.waiting >= self._max_waiting:
            raise QueueFullError("Too many people are signing in at this moment. Wait a few seconds and try again.")
        # Limiters belong to the event loop that runs when they are made.
        self._limiter = self._limiter or anyio.CapacityLimiter(MAX_CONCURRENT_HASHES)
        self.waiting += 1
        try:
            return await anyio.to_thread.run_sync(lambda: check(*arguments, **named), limiter=self._limiter)
        finally:
            self.waiting -= 1


PASSWORD_QUEUE = PasswordQueue()
"""The queue of this server, for every page that checks passwords."""
