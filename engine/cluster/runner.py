"""Runs a pass on a cluster: ranges go out, their detections come back in order and are checked against each other."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from distributed import Client, Future
from distributed.scheduler import KilledWorker

from engine.cluster.overlap_check import find_difference
from engine.cluster.range_task import RangeAnswer, RangeTask, detect_range
from engine.cluster.slots import SlotCounter
from engine.core.wording import format_count
from engine.detection.batches import BATCH_FRAMES
from engine.detection.detection_range import DetectionRange, plan_ranges, rest_of_video
from engine.detection.frame_detections import FrameDetections, decode_frames
from engine.detection.pass_spec import PassSpec
from engine.detection.passes import PassProgress
from engine.detection.range_detection import AnsweredBatch
from engine.errors import DetectorError, SourceError, VeilError
from engine.media.source.start_points import find_start_points

_RETRIES = 2
"""Further attempts at a range whose detectors failed. The death of a worker is no attempt."""
_WAITING_SHARE = 4
"""Ranges that may be under way or wait for an earlier one, in times of those that may be under way."""
_POLL_S = 0.5


_RANGES_PER_SLOT = 2
"""Ranges that are submitted for each slot: one that runs, and one that is ready when the first is finished."""
_Ranges = deque[tuple[DetectionRange, "Future[Any]"]]


class ClusterRunner:
    """A `PassRunner` on a cluster; several threads may use it at once.

    Args:
        client: the connection to the scheduler.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._slots = SlotCounter(self._count_slots)

    def run(self, spec: PassSpec, models: Path, progress: PassProgress) -> Generator[AnsweredBatch]:
        """Yield the answers from `progress.first` to the end of the video, in order.

        Raises:
            VeilError: as a detection in one process raises it; DetectorError if the cluster is lost, or if its machines
                detect differently.
        """
        yield from _PassOnCluster(self._client, self._slots, spec, models, progress).run()

    def _count_slots(self) -> int:
        return sum(self._client.nthreads().values())


class _PassOnCluster:
    """One pass while it runs."""

    def __init__(
        self, client: Client, slots: SlotCounter, spec: PassSpec, models: Path, progress: PassProgress
    ) -> None:
        self._client, self._slots, self._spec, self._models = client, slots, spec, models
        self._progress, self._listener = progress, progress.listener
        self._topic = f"veil-{uuid.uuid4().hex}"
        self._changed = threading.Event()
        # Frames done in each range, by its first frame, as the workers report them on another thread.
        self._done: dict[int, int] = {}
        self._next = progress.first
        # The end of what was yielded so far, to which the next range must fit.
        self._end: deque[FrameDetections] = deque(progress.known, maxlen=spec.overlap_frames)
        self._end_picture: str | None = None
        self._end_worker = "this machine"
        self._was_told_to_wait = False

    def run(self) -> Generator[AnsweredBatch]:
        spec, first = self._spec, self._progress.first
        points = find_start_points(spec.source, spec.info)
        planned = plan_ranges(points, first, spec.info.video.packets, spec.overlap_frames, lambda: self._slots.slots)
        with self._watch_progress():
            misfit = yield from self._run_ranges(planned)
            if misfit is not None:
                self._listener.notice(
                    f"{spec.source} cannot be decoded from a keyframe as from its beginning, so it is not divided from "
                    f"frame {misfit} on."
                )
                yield from self._run_ranges([rest_of_video(misfit, spec.overlap_frames)])

    def _run_ranges(self, parts: Iterable[DetectionRange]) -> Generator[AnsweredBatch, None, int | None]:
        """Yield the detections of ranges; return the first frame of one that does not fit those before it, if any."""
        with closing(self._collect(iter(parts))) as answers:
            for part, answer in answers:
                if isinstance(answer, VeilError):
                    # What seems to be damage may be a keyframe from which decoding cannot start.
                    if part.start is not None and isinstance(answer, SourceError):
                        return part.first
                    raise answer
                if part.start is not None and not self._fits(part, answer):
                    return part.first
                frames = decode_frames(answer.frames)
                self._next = part.first + len(frames)
                ahead = self._count_ahead()
                for begin in range(0, len(frames), BATCH_FRAMES):
                    batch = frames[begin : begin + BATCH_FRAMES]
                    rest = len(frames) - begin - len(batch)
                    yield AnsweredBatch((part.first + begin) // BATCH_FRAMES, batch, rest + ahead)
                self._end.extend(frames)
                self._end_picture = answer.pictures.get((part.stop or 0) - 1)
                self._end_worker = answer.worker
        return None

    def _fits(self, part: DetectionRange, answer: RangeAnswer) -> bool:
        """Return whether a range says of its overlap what the range before said.

        Raises:
            DetectorError: the detectors find other faces in the same pictures.
        """
        if self._end_picture is not None and answer.pictures.get(part.first - 1) != self._end_picture:
            return False
        difference = find_difference(tuple(self._end), decode_frames(answer.overlap), self._spec.undecided_frames)
        if difference is not None and difference.kind == "detected":
            raise DetectorError(
                f"{answer.worker} finds other faces in frame {part.overlap_start + difference.frame} of "
                f"{self._spec.source} than {self._end_worker}: use machines with the same kind of processor and the "
                "same packages in one cluster."
            )
        return difference is None

    def _collect(self, parts: Iterator[DetectionRange]) -> Generator[tuple[DetectionRange, RangeAnswer | VeilError]]:
        """Submit ranges as there is room, and yield their answers in order."""
        under_way: _Ranges = deque()
        more = True
        try:
            while more or under_way:
                while more and self._has_room(under_way):
                    part = next(parts, None)
                    more = part is not None
                    if part is not None:
                        under_way.append((part, self._submit(part, _count_unfinished(under_way))))
                if under_way and under_way[0][1].done():
                    part, future = under_way.popleft()
                    yield part, self._fetch(part, future)
                elif under_way:
                    self._wait()
        finally:
            if self._client.status == "running":
                self._client.cancel([future for _, future in under_way])

    def _has_room(self, under_way: _Ranges) -> bool:
        # Answers wait at the workers, so memory here stays flat; the second limit keeps it flat there, too.
        limit = max(1, _RANGES_PER_SLOT * self._slots.slots)
        return _count_unfinished(under_way) < limit and len(under_way) < _WAITING_SHARE * limit

    def _submit(self, part: DetectionRange, unfinished: int) -> Future[Any]:
        known = () if part.start is not None else tuple(self._end)
        task = RangeTask(self._spec, part, known, self._models, self._topic)
        # The first unfinished range of every file comes before the second of any, so a long file and many short ones
        # share the cluster fairly, although each is submitted by a process that knows nothing of the others.
        future = self._client.submit(detect_range, task, pure=False, retries=_RETRIES, priority=-unfinished)
        future.add_done_callback(lambda _: self._changed.set())
        return future

    def _fetch(self, part: DetectionRange, future: Future[Any]) -> RangeAnswer | VeilError:
        try:
            answer: RangeAnswer | VeilError = future.result()
        except VeilError as error:
            return error
        except KilledWorker as error:
            raise DetectorError(
                f"{format_count(error.allowed_failures + 1, 'worker')} of the cluster died over the frames from "
                f"{part.first} on of {self._spec.source}: look at their memory. The same command resumes."
            ) from error
        except Exception as error:
            raise DetectorError(
                f"The cluster lost the frames from {part.first} on of {self._spec.source} ({type(error).__name__}: "
                f"{error}). The same command resumes."
            ) from error
        return answer

    def _wait(self) -> None:
        """Wait until a range is finished, or a moment, and report progress."""
        self._changed.wait(_POLL_S)
        self._changed.clear()
        if self._client.status != "running":
            raise DetectorError("The connection to the scheduler of the cluster was lost. The same command resumes.")
        if not self._slots.slots and not self._was_told_to_wait:
            self._was_told_to_wait = True
            self._listener.notice("The cluster has no worker yet; waiting for one.")
        self._listener.progress("detect", self._next + self._count_ahead(), self._spec.info.video.packets)

    def _count_ahead(self) -> int:
        """Return how many frames are done in ranges that were not yielded yet."""
        return sum(done for first, done in list(self._done.items()) if first >= self._next)

    @contextmanager
    def _watch_progress(self) -> Iterator[None]:
        """Take what the workers report in the block."""
        self._client.subscribe_topic(self._topic, self._note_progress)
        try:
            yield
        finally:
            if self._client.status == "running":
                self._client.unsubscribe_topic(self._topic)

    def _note_progress(self, event: tuple[float, tuple[int, int]]) -> None:
        first, done = event[1]
        self._done[first] = done


def _count_unfinished(under_way: _Ranges) -> int:
    return sum(not future.done() for _, future in under_way)
