"""The side of a process that works: gets calls, answers them, and ends with the process that started it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from types import FrameType
from typing import BinaryIO

import msgspec

from engine.core.child_process import end_with_parent, frame_message, receive_message, take_over_pipes
from engine.core.progress import ProgressListener
from engine.isolation.expendable import begin_expendable_process
from engine.isolation.messages import (
    Answer,
    CallMessage,
    NoticeAnswer,
    ProgressAnswer,
    ResultAnswer,
    decode_value,
    describe_failure,
    encode_value,
)

Handler = Callable[[str, msgspec.Raw, ProgressListener], object]
"""Answers one call: its name, its encoded request and who gets progress; returns what can be encoded."""

_PROGRESS_INTERVAL_S = 0.05
"""Least number of seconds between two reports of a stage; a person sees no more."""
_EXIT_INTERRUPTED = 130


def serve_calls(lifeline: int, handle: Handler, *, threads: int | None = None) -> int:
    """Answer calls until the caller closes its end; return the exit code.

    Args:
        lifeline: read end of a pipe; only the process that started this one has the other end.
        handle: answers a call.
        threads: most calls that are answered at once, each in a thread. None: one after another in the main thread,
            where SIGTERM interrupts a call, so that it removes its scratch folders.
    """
    end_with_parent(lifeline)
    calls, answers = take_over_pipes()
    begin_expendable_process()
    server = _Server(handle, answers)
    if threads is None:
        signal.signal(signal.SIGTERM, _raise_interrupt)
        try:
            for call in _receive_calls(calls):
                server.answer(call)
        except KeyboardInterrupt:
            return _EXIT_INTERRUPTED
        return 0
    pool = ThreadPoolExecutor(threads)
    for call in _receive_calls(calls):
        pool.submit(server.answer, call)
    # Nobody waits for what is still being done, and nothing of it is on a disk.
    os._exit(0)


class _Server:
    def __init__(self, handle: Handler, answers: BinaryIO) -> None:
        self._handle, self._answers = handle, answers
        self._lock = threading.Lock()

    def answer(self, call: CallMessage) -> None:
        try:
            answer: Answer = ResultAnswer(
                call.number, encode_value(self._handle(call.name, call.body, _AnsweringListener(call.number, self)))
            )
        # Whatever it is, the caller waits for an answer; it raises the error there.
        except Exception as error:  # noqa: BLE001
            answer = describe_failure(call.number, error)
        self.send(answer)

    def send(self, answer: Answer) -> None:
        data = frame_message(answer)
        with self._lock:
            self._answers.write(data)
            self._answers.flush()


class _AnsweringListener:
    """Sends progress and notices of one call to the caller."""

    def __init__(self, number: int, server: _Server) -> None:
        self._number, self._server = number, server
        self._stage, self._sent_at = "", float("-inf")

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Send the progress from time to time, and the start and end of each stage."""
        now = monotonic()
        if stage != self._stage or done == total or now - self._sent_at >= _PROGRESS_INTERVAL_S:
            self._stage, self._sent_at = stage, now
            self._server.send(ProgressAnswer(self._number, stage, done, total))

    def notice(self, message: str) -> None:
        """Send the sentence."""
        self._server.send(NoticeAnswer(self._number, message))


def _receive_calls(calls: BinaryIO) -> Iterator[CallMessage]:
    while (body := receive_message(calls)) is not None:
        yield decode_value(body, CallMessage)


def _raise_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
