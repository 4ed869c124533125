"""Encodes a video in segments, each with an encoder of its own, so that several processes can share the work.

Where segments begin follows from the source and the specification alone, and one process encodes the same segments as
many do. So the bytes do not depend on the number of processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import dropwhile, islice
from pathlib import Path
from typing import NamedTuple

from engine.core.progress import ProgressListener
from engine.core.wording import format_count
from engine.errors import SourceError
from engine.media.output.encoder import Encoding
from engine.media.output.joined_packets import join_files
from engine.media.source.open_file import read_identity
from engine.media.source.start_points import StartPoint, find_start_points
from engine.record import Count, Document, parse_ratio
from engine.rendering.encode import FrameCounts
from engine.rendering.job import RenderJob
from engine.rendering.segment_processes import choose_process_count, encode_segments
from engine.rendering.segment_task import EncodedSegment, SegmentTask
from engine.review.plan import FramePlan, plan_amended_record

_MIN_FRAMES = 16
"""Least number of frames of a segment: more than encoders reorder."""


class SegmentFacts(Document, frozen=True):
    """The segments of an output.

    Attributes:
        starts: index of the first frame of each segment.
        reason: why there are no more, to follow "because"; None if there are as many as asked for.
    """

    starts: tuple[Count, ...]
    reason: str | None = None

    @property
    def sentence(self) -> str:
        """Say how many segments there are."""
        because = f", because {self.reason}" if self.reason else ""
        return f"The video was encoded in {format_count(len(self.starts), 'segment')}{because}."


class Segment(NamedTuple):
    """Successive frames with an encoder of their own.

    Attributes:
        start: keyframe from which they are decoded. None: from the beginning of the video.
        first: index of the first frame.
        stop: one past the last frame.
    """

    start: StartPoint | None
    first: int
    stop: int


def plan_segments(job: RenderJob) -> tuple[tuple[Segment, ...], str | None]:
    """Divide the frames of a job into segments, and say why if that cannot be done.

    A segment begins at the first keyframe of the source that comes `segment_seconds` after the beginning of the one
    before, so that no process decodes what belongs to another.

    Raises:
        SourceError: the source cannot be read.
    """
    frames = job.record.frames
    if job.record.damaged:
        return (Segment(None, 0, len(frames)),), "the source has damaged frames"
    starts = [StartPoint(0, frames[0].pts), *_choose_starts(job)]
    stops = [*(start.index for start in starts[1:]), len(frames)]
    segments = (
        Segment(start if start.index else None, start.index, stop) for start, stop in zip(starts, stops, strict=True)
    )
    return tuple(segments), None if len(starts) > 1 else "the source has no keyframe at which it could be divided"


def _choose_starts(job: RenderJob) -> Iterator[StartPoint]:
    frames, time_base = job.record.frames, parse_ratio(job.facts.video.time_base)
    length = (job.spec.segment_seconds or 0) / time_base
    first, first_pts = 0, frames[0].pts
    for point in find_start_points(job.source, job.info):
        # The decoder gives other frames than the packets say, so nobody could tell which frame comes first here.
        if point.index >= len(frames) or frames[point.index].pts != point.pts:
            return
        rest = frames[-1].pts - point.pts
        # A short rest would be encoded worse, and save no time.
        if rest < length / 2 or len(frames) - point.index < _MIN_FRAMES:
            return
        if point.pts - first_pts >= length and point.index - first >= _MIN_FRAMES:
            yield point
            first, first_pts = point.index, point.pts


def encode_in_segments(
    job: RenderJob, video: Path, listener: ProgressListener, processes: int | None = None
) -> tuple[FrameCounts, Encoding, SegmentFacts]:
    """Encode the masked frames of a job in segments and join them to a file without audio.

    Args:
        job: the job; its specification says how long segments are.
        video: intermediate file to write; the segments lie beside it meanwhile.
        listener: receives the progress.
        processes: segments that are encoded at once; None: as many as keep the cores busy.

    Raises:
        SourceError: a frame cannot be decoded, or the frames are not those of the record.
        TargetError: a file cannot be written.
        RenderError: a frame cannot be encoded, or a process died.
    """
    segments, reason = plan_segments(job)
    encoder = _SegmentEncoder(job, video, listener, processes or choose_process_count())
    encoded = encoder.encode(segments)
    if len(encoded) < len(segments):
        # What comes after the first keyframe that does not hold its promise belongs to the segment before it.
        misfit = segments[len(encoded)].first
        reason = f"decoding from frame {misfit} gives other pictures than decoding from before it"
        last = encoded.pop()
        segments = (*segments[: len(encoded)], last.segment._replace(stop=len(job.record.frames)))
        encoded += encoder.encode(segments[-1:])
    parts, counts = [part.path for part in encoded], [part.answer.counts for part in encoded]
    encoding = encoded[0].answer.encoding
    join_files(parts, video, encoding, job.facts.video, [frame.pts for frame in job.record.frames])
    return FrameCounts.sum(counts), encoding, SegmentFacts(tuple(segment.first for segment in segments), reason)


class _EncodedPart(NamedTuple):
    """A segment with its file, and what is known of it."""

    segment: Segment
    path: Path
    answer: EncodedSegment


class _SegmentEncoder:
    """Encodes segments of one job into files beside the intermediate file."""

    def __init__(self, job: RenderJob, video: Path, listener: ProgressListener, processes: int) -> None:
        self._job, self._video, self._listener, self._processes = job, video, listener, processes
        self._identity = read_identity(job.source)

    def encode(self, segments: Sequence[Segment]) -> list[_EncodedPart]:
        """Encode segments in order, up to the first one whose frames are not those that the one before it decodes.

        Raises:
            SourceError: a frame of the first segment cannot be decoded.
        """
        done: list[_EncodedPart] = []
        tasks = list(self._make_tasks(segments))
        with closing(encode_segments(tasks, self._processes, partial(self._report, segments[0].first))) as answers:
            for segment, task, answer in zip(segments, tasks, answers, strict=True):
                if isinstance(answer, SourceError):
                    # What seems to be damage may be a keyframe from which decoding cannot start.
                    if not done:
                        raise answer
                    break
                if done and done[-1].answer.next_sha256 != answer.first_sha256:
                    break
                done.append(_EncodedPart(segment, task.target, answer))
        return done

    def _report(self, before: int, frames: int) -> None:
        self._listener.progress("render", before + frames, len(self._job.record.frames))

    def _make_tasks(self, segments: Sequence[Segment]) -> Iterator[SegmentTask]:
        job, plans = self._job, plan_amended_record(self._job.amended_record)
        plans = dropwhile(lambda plan: plan.index < segments[0].first, plans)
        for segment in segments:
            yield SegmentTask(
                job.frame_masking,
                job.facts.video,
                segment.start,
                tuple(islice(plans, segment.stop - segment.first)),
                _plan_bare_frame(job, segment.stop),
                self._identity,
                self._video.with_name(f"segment-{segment.first:09}.mov"),
            )


def _plan_bare_frame(job: RenderJob, index: int) -> FramePlan | None:
    """Return the plan of a frame that is only compared; None behind the end of the video."""
    frames = job.record.frames
    return FramePlan(index, frames[index].pts, (), covered=False) if index < len(frames) else None
