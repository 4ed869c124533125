"""Encodes segments in several processes; one that dies costs an attempt at its segment."""

from __future__ import annotations

import os
import queue
import select
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import IO, cast

from engine.core.child_process import (
    describe_exit,
    find_last_line,
    read_available,
    send_message,
    spawn_server,
    take_message_bodies,
)
from engine.core.closeable import Closeable
from engine.core.python_process import build_child_environment, build_module_command
from engine.errors import RenderError, SourceError
from engine.rendering.segment_task import EncodedSegment, SegmentTask, encode_segment
from engine.rendering.segment_worker import FramesDone, SegmentFailure, decode_report

_ATTEMPTS = 2
_POLL_S = 0.2
"""Time between two looks at the progress."""
_STDERR_TAIL_BYTES = 4096
_CORES_PER_PROCESS = 4
"""Cores that one process keeps busy: the encoder has four threads, and the decoder one."""

SegmentAnswer = EncodedSegment | SourceError


def choose_process_count() -> int:
    """Return the number of processes that keep the cores busy of which this process may use."""
    return max(1, len(os.sched_getaffinity(0)) // _CORES_PER_PROCESS)


def encode_segments(
    tasks: Sequence[SegmentTask], processes: int, report_frames: Callable[[int], None]
) -> Generator[SegmentAnswer]:
    """Yield what comes of each segment, in order; an error of the source in its place.

    Args:
        tasks: the segments.
        processes: segments that are encoded at once. 1: one after another, in this process.
        report_frames: gets the number of frames that are done, on this thread.

    Raises:
        TargetError: a file cannot be written.
        RenderError: a frame cannot be encoded, or the processes of a segment died.
    """
    if min(processes, len(tasks)) > 1:
        with _SegmentProcesses(min(processes, len(tasks))) as pool:
            yield from pool.encode(tasks, report_frames)
        return
    done = 0
    for task in tasks:
        yield _encode_here(task, done, report_frames)
        done += len(task.plans)


def _encode_here(task: SegmentTask, before: int, report_frames: Callable[[int], None]) -> SegmentAnswer:
    try:
        return encode_segment(task, lambda frames: report_frames(before + frames))
    except SourceError as error:
        return error


class _SegmentProcesses(Closeable):
    """Processes, each with a thread that waits for its answers."""

    def __init__(self, count: int) -> None:
        self._executor = ThreadPoolExecutor(count, "veil-segment")
        self._idle: queue.SimpleQueue[_SegmentProcess] = queue.SimpleQueue()
        self._started: list[_SegmentProcess] = []
        self._closed = False

    def encode(self, tasks: Sequence[SegmentTask], report_frames: Callable[[int], None]) -> Generator[SegmentAnswer]:
        """Yield what comes of each segment, in order."""
        done = [0] * len(tasks)
        futures: list[Future[SegmentAnswer]] = [
            self._executor.submit(self._encode, task, partial(done.__setitem__, number))
            for number, task in enumerate(tasks)
        ]
        for future in futures:
            while not wait([future], _POLL_S).done:
                report_frames(sum(done))
            yield future.result()

    def close(self) -> None:
        """End the processes at once; what they write is in a folder that is removed."""
        self._closed = True
        for process in self._started:
            process.kill()
        self._executor.shutdown(cancel_futures=True)
        for process in self._started:
            process.close()

    def _encode(self, task: SegmentTask, report_frames: Callable[[int], None]) -> SegmentAnswer:
        end = ""
        for _ in range(_ATTEMPTS):
            process = self._take_process()
            try:
                answer = process.encode(task, report_frames)
            except EOFError as error:
                end = str(error)
                continue
            self._idle.put(process)
            return answer
        raise RenderError(
            f"The process that encodes frames {task.plans[0].index} to {task.plans[-1].index} of "
            f"{task.masking.source} {end}. Render again with fewer --jobs."
        )

    def _take_process(self) -> _SegmentProcess:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            process = _SegmentProcess()
        self._started.append(process)
        # The pool may have been closed meanwhile, and knew nothing of this one.
        if self._closed:
            process.kill()
        return process


class _SegmentProcess:
    """A process that encodes one segment at a time.

    Raises:
        RenderError: it cannot be started.
    """

    def __init__(self) -> None:
        try:
            self._process, self._lifeline = spawn_server(
                lambda lifeline: build_module_command("engine.rendering.segment_worker", lifeline),
                build_child_environment(),
            )
        except OSError as error:
            raise RenderError(
                f"A process for the segments of the video cannot be started ({error.strerror}): use fewer --jobs."
            ) from error
        self._stdout, self._stderr = cast("IO[bytes]", self._process.stdout), cast("IO[bytes]", self._process.stderr)
        for stream in (self._stdout, self._stderr):
            os.set_blocking(stream.fileno(), False)
        self._buffer, self._stderr_tail = bytearray(), bytearray()

    def encode(self, task: SegmentTask, report_frames: Callable[[int], None]) -> SegmentAnswer:
        """Encode a segment.

        Raises:
            EOFError: the process has ended; the message says how.
            TargetError: the file cannot be written.
            RenderError: a frame cannot be encoded.
        """
        send_message(cast("IO[bytes]", self._process.stdin), task)
        while True:
            select.select([self._stdout, self._stderr], [], [])
            self._read_stderr()
            alive = read_available(self._stdout, self._buffer)
            for body in take_message_bodies(self._buffer):
                report = decode_report(body)
                if isinstance(report, FramesDone):
                    report_frames(report.frames)
                else:
                    return _take_answer(report)
            if not alive:
                self._process.wait()
                self._read_stderr()
                last_line = find_last_line(self._stderr_tail)
                shown = f' (last line of its output: "{last_line}")' if last_line else ""
                raise EOFError(f"{describe_exit(self._process.returncode)}{shown}")

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def close(self) -> None:
        """Wait for its end, and close its pipes."""
        self._process.wait()
        for stream in (cast("IO[bytes]", self._process.stdin), self._stdout, self._stderr, self._lifeline):
            stream.close()

    def _read_stderr(self) -> None:
        read_available(self._stderr, self._stderr_tail)
        del self._stderr_tail[:-_STDERR_TAIL_BYTES]


def _take_answer(report: EncodedSegment | SegmentFailure) -> SegmentAnswer:
    if isinstance(report, EncodedSegment):
        return report
    error = report.error
    if isinstance(error, SourceError):
        return error
    raise error
