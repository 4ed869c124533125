"""The side of the process that calls: starts a process, sends it calls, and raises what became of them."""

from __future__ import annotations

import itertools
import os
import selectors
import signal
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from typing import IO, TypeVar, cast

import msgspec

from engine.core.child_process import (
    find_last_line,
    read_available,
    send_message,
    spawn_server,
    take_message_bodies,
    wait_or_kill,
)
from engine.core.closeable import Closeable
from engine.core.progress import ProgressListener
from engine.core.python_process import build_child_environment
from engine.errors import VeilError
from engine.isolation.messages import (
    Answer,
    CallMessage,
    FailureAnswer,
    NoticeAnswer,
    ProgressAnswer,
    decode_value,
    encode_value,
    restore_error,
)

_Result = TypeVar("_Result")

_STDERR_TAIL_BYTES = 4096
_EXIT_GRACE_S = 20.0
"""Time in which a process that is interrupted in its work has to remove what it has written so far."""


class ProcessEndedError(Exception):
    """The process ended before it had answered.

    Attributes:
        code: its exit code, or the negative number of a signal.
        last_line: the last line of its output, perhaps empty.
    """

    def __init__(self, code: int, last_line: str) -> None:
        super().__init__(f"the process ended with {code}: {last_line}")
        self.code, self.last_line = code, last_line


class CallProcess(Closeable):
    """A process that answers calls of any number of threads.

    Args:
        module: module that the process runs; it gets the descriptor of the lifeline as its only argument and has to
            call `engine.isolation.serve.serve_calls`.
        descriptors: what the process inherits besides.

    Raises:
        VeilError: the process cannot be started.
    """

    def __init__(self, module: str, descriptors: Sequence[int] = ()) -> None:
        try:
            self._process, self._lifeline = spawn_server(module, build_child_environment(), descriptors)
        except OSError as error:
            raise VeilError(f"No further process can be started ({error.strerror}). Close other programs.") from error
        self._numbers = itertools.count()
        self._send_lock, self._lock = threading.Lock(), threading.Lock()
        self._waiting: dict[int, SimpleQueue[Answer | ProcessEndedError]] = {}
        self._ended: ProcessEndedError | None = None
        threading.Thread(target=self._read_answers, name=f"answers of {module}", daemon=True).start()

    @property
    def has_ended(self) -> bool:
        """Return whether the process has ended."""
        return self._ended is not None

    def call(
        self, name: str, request: object, result_type: type[_Result], listener: ProgressListener | None = None
    ) -> _Result:
        """Call, wait for the end and return the result.

        Args:
            name: what is called.
            request: what can be encoded.
            result_type: type of the result.
            listener: gets progress and notices, in this thread.

        Raises:
            ProcessEndedError: the process ended.
            VeilError: what the call raised there.
            UnexpectedError: the call raised another error there.
        """
        number, answers = next(self._numbers), SimpleQueue[Answer | ProcessEndedError]()
        message = CallMessage(number, name, encode_value(request))
        with self._lock:
            if self._ended:
                raise self._ended
            self._waiting[number] = answers
        try:
            with self._send_lock:
                send_message(cast("IO[bytes]", self._process.stdin), message)
            return decode_value(_wait_for_result(answers, listener), result_type)
        finally:
            with self._lock:
                self._waiting.pop(number, None)

    def kill(self) -> None:
        """End the process at once, whatever it has begun to write."""
        self._process.kill()

    def close(self) -> None:
        """End the process, if it has not ended, without waiting for calls that are under way."""
        with self._send_lock:
            cast("IO[bytes]", self._process.stdin).close()
        # A process that works in its main thread does not see that; the signal lets it remove what it has written.
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        wait_or_kill(self._process, _EXIT_GRACE_S)
        self._lifeline.close()

    def _read_answers(self) -> None:
        stdout, stderr = cast("IO[bytes]", self._process.stdout), cast("IO[bytes]", self._process.stderr)
        answers, complaint = bytearray(), bytearray()
        with selectors.DefaultSelector() as selector:
            for stream in (stdout, stderr):
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ)
            # Its own processes inherit standard error, so only the end of its answers tells of its end.
            while stdout in selector.get_map():
                for key, _ in selector.select():
                    stream = cast("IO[bytes]", key.fileobj)
                    if not read_available(stream, answers if stream is stdout else complaint):
                        selector.unregister(stream)
                self._deliver(answers)
                # A full pipe would stop the process; the end is enough to explain a crash.
                del complaint[:-_STDERR_TAIL_BYTES]
        code = self._process.wait()
        with self._lock:
            self._ended = ProcessEndedError(code, find_last_line(complaint))
            waiting = list(self._waiting.values())
        for queue in waiting:
            queue.put(self._ended)
        stdout.close()
        stderr.close()

    def _deliver(self, answers: bytearray) -> None:
        for body in take_message_bodies(answers):
            answer: Answer = msgspec.msgpack.decode(body, type=Answer)
            with self._lock:
                queue = self._waiting.get(answer.number)
            # Nobody waits for the answers of a call whose thread was interrupted.
            if queue is not None:
                queue.put(answer)


def _wait_for_result(
    answers: SimpleQueue[Answer | ProcessEndedError], listener: ProgressListener | None
) -> msgspec.Raw:
    while True:
        match answers.get():
            case ProcessEndedError() as ended:
                raise ended
            case ProgressAnswer(_, stage, done, total):
                if listener:
                    listener.progress(stage, done, total)
            case NoticeAnswer(_, message):
                if listener:
                    listener.notice(message)
            case FailureAnswer() as failure:
                raise restore_error(failure)
            case result:
                return result.body
