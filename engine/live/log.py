"""The log of a live run, written line by line while it goes on, and the detection record made from it.

Each line is one JSON document with its `kind`. A last line that a crash cut short is ignored; all others count.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from engine.core.geometry import Box
from engine.core.json_decoder import decode_json
from engine.errors import RecordError, TargetError
from engine.live.controls import LiveControlsState
from engine.live.judge import CoverReason
from engine.live.judging_state import MaskedFrame
from engine.live.look_size import LookSizeChange
from engine.live.settings import FollowingSettings, JudgingSettings
from engine.media.stream.live_output import LiveEncoding
from engine.record import SCHEMA, Count, Detection, DetectionConfig, Face, Frame, Record, Score, SourceFacts
from engine.storage.append_only import iterate_whole_lines
from engine.storage.files import mkdir_private

_SAME_FACE_MIN_IOU = 0.35
"""Least IoU of a late detection with a masked face for which it counts as evidence for that face."""
_SAME_FACE_MIN_COVER = 0.8
"""Or least share of its area that the mask covers: a mask may be far larger than the face, as it grows with time."""


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag=str.lower):
    """Base of the kinds of lines."""


class Start(_Line, frozen=True):
    """First line: the run as it began. Facts that are known only at the end have placeholders (see `record_facts`)."""

    address: str
    target: str
    started: str
    source: SourceFacts
    detection: DetectionConfig
    judging: JudgingSettings
    following: FollowingSettings
    encoding: LiveEncoding


class Shown(_Line, frozen=True):
    """A frame that went out.

    Attributes:
        frame: index among the frames that went out, time stamp and faces.
        number: place among the frames that arrived.
        covered: why the frame was covered whole; None if it was judged.
        cut: the frame begins a new scene.
    """

    frame: Frame
    number: Count
    covered: CoverReason | None
    cut: bool = False


class Late(_Line, frozen=True):
    """An answer that came after its frame was shown; `number` is the frame's place among those that arrived."""

    number: Count
    detector: str
    sightings: tuple[tuple[Box, Score], ...]


class Looked(_Line, frozen=True):
    """State of the controls from the next frame on."""

    look: LiveControlsState


class Sized(_Line, frozen=True):
    """Another size of a detector's pictures.

    Attributes:
        number: place, among the frames that arrived, of the first frame that was looked at in this size.
        detector: name of the detector.
        side_px: longest side of its pictures from then on.
        look_ms: milliseconds of a look that led to the change.
    """

    number: Count
    detector: str
    side_px: Count
    look_ms: Count


class Happened(_Line, frozen=True):
    """Any other event that an auditor should know, in one sentence."""

    what: str


class Received(_Line, frozen=True):
    """Bytes and SHA-256 of the packets received so far from a source that is not a file."""

    bytes: Count
    sha256: str


LogLine = Start | Shown | Late | Looked | Sized | Happened | Received


class LiveLog:
    """Writes the log. A `LiveLogSink`: the masker calls it with its lock held, so it needs none.

    Args:
        path: path of the log; an existing file is replaced.
        start: the first line.

    Raises:
        TargetError: the log cannot be written.
    """

    def __init__(self, path: Path, start: Start) -> None:
        self.path = path
        self.frame_count = 0
        self._file = _create_log_file(path)
        self._encoder = msgspec.json.Encoder()
        self.write(start)

    def write(self, line: LogLine) -> None:
        """Append a line.

        Raises:
            TargetError: the line cannot be written, for example because the disk is full.
        """
        # The file is unbuffered: each line is with the system before its frame goes out, and survives this process. An
        # fsync for each frame would be safe against power loss too, but takes longer than a frame.
        try:
            self._file.write(self._encoder.encode(line) + b"\n")
        except OSError as error:
            raise TargetError(
                f"The log {self.path} cannot be written ({error.strerror}), so the run ended. Free some disk space."
            ) from error

    def write_frame(self, masked: MaskedFrame) -> None:
        """Write a frame as it is shown."""
        faces = tuple(
            Face(face.number, face.box, "detected" if face.detections else "extended", face.detections)
            for face in masked.verdict.faces
        )
        frame = Frame(self.frame_count, masked.pts, faces)
        self.frame_count += 1
        self.write(Shown(frame, masked.number, masked.verdict.reason, masked.cut))

    def write_late_answer(self, number: int, detector: str, detections: Sequence[Detection]) -> None:
        """Write an answer that came after its frame was shown."""
        if detections:
            self.write(Late(number, detector, tuple((detection.box, detection.score) for detection in detections)))

    def write_controls(self, state: LiveControlsState) -> None:
        """Write a change of the controls."""
        self.write(Looked(state))

    def write_look_size(self, change: LookSizeChange) -> None:
        """Write another size of a detector's pictures."""
        self.write(Sized(change.number, change.detector, change.side_px, change.look_ms))

    def write_event(self, description: str) -> None:
        """Write an event."""
        self.write(Happened(description))

    def close(self) -> None:
        """Flush the log to stable storage and close it; closing twice is allowed."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()


def record_from_log(path: Path) -> Record:
    """Build the detection record of what a live run showed, also of a run that ended in a crash.

    Raises:
        RecordError: the file is not the log of a live run, or no frame was shown.
    """
    start, shown_frames, late, sizes = None, list[Shown](), dict[int, list[Late]](), list[Sized]()
    received: Received | None = None
    for line in read_log_lines(path):
        match line:
            case Start():
                start = line
            case Shown():
                shown_frames.append(line)
            case Late():
                late.setdefault(line.number, []).append(line)
            case Received():
                received = line
            case Sized():
                sizes.append(line)
            case _:
                continue
    if start is None or not shown_frames:
        raise RecordError(f"{path} is the log of a live run that showed no frame, so it has no record.")
    return Record(
        schema=SCHEMA,
        source=_complete_source_facts(start.source, len(shown_frames), received),
        detection=msgspec.structs.replace(start.detection, look_sizes=_list_look_sizes(sizes, shown_frames)),
        frames=tuple(_add_late_evidence(shown.frame, late.get(shown.number, ())) for shown in shown_frames),
        cuts=tuple(shown.frame.index for shown in shown_frames if shown.cut),
        damaged=(),
        covered=tuple(shown.frame.index for shown in shown_frames if shown.covered is not None),
    )


def read_log_lines(path: Path) -> Iterator[LogLine]:
    """Read the complete lines of a log.

    Raises:
        RecordError: the file cannot be read or is not the log of a live run.
    """
    try:
        with path.open("rb") as file:
            for line in iterate_whole_lines(file):
                yield decode_json(line, type=LogLine, unique_keys=False)
    except (OSError, msgspec.MsgspecError) as error:
        raise RecordError(f"{path} is not the log of a live run ({error}).") from error


def _create_log_file(path: Path) -> IO[bytes]:
    try:
        mkdir_private(path.parent)
        return path.open("wb", buffering=0)
    except OSError as error:
        raise TargetError(
            f"The log {path} cannot be written ({error.strerror}). Choose another path for the record."
        ) from error


def _list_look_sizes(sizes: Iterable[Sized], shown_frames: Sequence[Shown]) -> dict[str, tuple[tuple[int, int], ...]]:
    """Return, by detector, the sizes of its pictures with the index of the first shown frame that each applies to."""
    numbers = [shown.number for shown in shown_frames]
    changes: dict[str, dict[int, int]] = {}
    for size in sizes:
        index = bisect_left(numbers, size.number)
        if index < len(numbers):
            changes.setdefault(size.detector, {})[index] = size.side_px
    return {detector: tuple(sorted(found.items())) for detector, found in changes.items()}


def _add_late_evidence(frame: Frame, answers: Iterable[Late]) -> Frame:
    """Add late detections to the faces they belong to, as evidence; boxes stay as they were shown.

    A late detection that belongs to no masked face is left out: the record states what was masked, and the counter
    `late_faces` states what was missed.
    """
    evidence: dict[int, dict[str, Detection]] = {
        index: {detection.detector: detection for detection in face.evidence} for index, face in enumerate(frame.faces)
    }
    for answer in answers:
        for box, score in answer.sightings:
            index = _find_matching_face(box, frame.faces)
            if index is not None:
                evidence[index].setdefault(answer.detector, Detection(answer.detector, box, score))
    faces = (_replace_evidence(face, evidence[index]) for index, face in enumerate(frame.faces))
    return msgspec.structs.replace(frame, faces=tuple(faces))


def _replace_evidence(face: Face, evidence: Mapping[str, Detection]) -> Face:
    detections = tuple(evidence[name] for name in sorted(evidence))
    return msgspec.structs.replace(face, origin="detected" if detections else "extended", evidence=detections)


def _find_matching_face(box: Box, faces: Sequence[Face]) -> int | None:
    """Return the index of the face that a detection belongs to; None if it belongs to none."""
    best = max(range(len(faces)), key=lambda index: faces[index].box.iou(box), default=None)
    if best is None:
        return None
    mask = faces[best].box
    return (
        best
        if mask.iou(box) >= _SAME_FACE_MIN_IOU or mask.intersection_area(box) >= _SAME_FACE_MIN_COVER * box.area
        else None
    )


def _complete_source_facts(source: SourceFacts, frames: int, received: Received | None) -> SourceFacts:
    # Replaces the placeholders of the first line; see `engine.live.record_facts`.
    video = msgspec.structs.replace(source.video, frames=frames)
    if received is None:
        return msgspec.structs.replace(source, video=video)
    return msgspec.structs.replace(source, video=video, sha256=received.sha256, bytes=max(1, received.bytes))
