"""Encodes segments in several processes; one that dies costs an attempt at its segment."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

from engine.core.child_process import describe_end
from engine.core.closeable import Closeable
from engine.core.progress import SilentListener
from engine.errors import RenderError, SourceError, VeilError
from engine.isolation.call import CallProcess, ProcessEndedError
from engine.rendering.segment_task import EncodedSegment, SegmentTask, encode_segment

_MODULE = "engine.rendering.segment_worker"
_ATTEMPTS = 2
_POLL_S = 0.2
"""Time between two looks at the progress."""
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
        self._idle: queue.SimpleQueue[CallProcess] = queue.SimpleQueue()
        self._started: list[CallProcess] = []
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
            answer: SegmentAnswer
            try:
                answer = process.call("encode", task, EncodedSegment, _FrameReporter(report_frames))
            except ProcessEndedError as ended:
                end = describe_end(ended.code, ended.last_line)
                continue
            except SourceError as error:
                answer = error
            self._idle.put(process)
            return answer
        raise RenderError(
            f"The process that encodes frames {task.plans[0].index} to {task.plans[-1].index} of "
            f"{task.masking.source} {end}. Render again with fewer --jobs."
        )

    def _take_process(self) -> CallProcess:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            pass
        try:
            process = CallProcess(_MODULE)
        except VeilError as error:
            raise RenderError(f"{error} Or use fewer --jobs.") from error
        self._started.append(process)
        # The pool may have been closed meanwhile, and knew nothing of this one.
        if self._closed:
            process.kill()
        return process


class _FrameReporter(SilentListener):
    """Hands the frames that a process has encoded on."""

    def __init__(self, report_frames: Callable[[int], None]) -> None:
        self._report_frames = report_frames

    def progress(self, stage: str, done: int, total: int | None) -> None:  # noqa: ARG002
        """Hand the number on."""
        self._report_frames(done)
