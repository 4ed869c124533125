"""What a live run showed, written line by line while it runs, and the detection record made from it.

Each line is one JSON document with its `kind`. A line that a crash cut short is left out; what was shown before it
stands.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from engine.core.geometry import Box
from engine.errors import RecordError, TargetError
from engine.live.controls import LiveControlsState
from engine.live.judge import CoverReason
from engine.live.judging_state import MaskedFrame
from engine.live.settings import FollowingSettings, JudgingSettings
from engine.media.stream.live_output import LiveEncoding
from engine.record import SCHEMA, Count, Detection, DetectionConfig, Face, Frame, Record, Score, SourceFacts
from engine.storage.append_only import iterate_whole_lines

_SAME_FACE_MIN_IOU = 0.35
"""IoU from which a late sighting is evidence for a face that was shown as hidden."""


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag=str.lower):
    """Base of the lines."""


class Start(_Line, frozen=True):
    """The run as it began; `source.video.frames` is 1, as nobody knows how many will come."""

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
        frame: its place among those that went out, its time and its faces.
        number: its place among those that came.
        covered: why it was covered whole, None when it was not.
        cut: it begins a new scene.
    """

    frame: Frame
    number: Count
    covered: CoverReason | None
    cut: bool = False


class Late(_Line, frozen=True):
    """What a detector said of a frame (by its number among those that came) after it was shown."""

    number: Count
    detector: str
    sightings: tuple[tuple[Box, Score], ...]


class Looked(_Line, frozen=True):
    """How frames are shown from here on."""

    look: LiveControlsState


class Happened(_Line, frozen=True):
    """Something else that an auditor should know."""

    what: str


class Received(_Line, frozen=True):
    """What was read of a source that is no file until now: bytes of its packets, and their SHA-256."""

    bytes: Count
    sha256: str


LogLine = Start | Shown | Late | Looked | Happened | Received


class LiveLog:
    """Writes the log; a `Witness` of a masker. Whoever calls it holds the masker's lock."""

    def __init__(self, path: Path, start: Start) -> None:
        self.path = path
        self.frame_count = 0
        self._file = _create_log_file(path)
        self._encoder = msgspec.json.Encoder()
        self.write(start)

    def write(self, line: LogLine) -> None:
        """Append a line; it survives the death of this process from here on.

        Raises:
            TargetError: the disk is full, say.
        """
        try:
            self._file.write(self._encoder.encode(line) + b"\n")
        except OSError as error:
            raise TargetError(
                f"{self.path} cannot be written ({error.strerror}); the run cannot be audited."
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
        """See `engine.live.masker.Witness`."""
        if detections:
            self.write(Late(number, detector, tuple((sighting.box, sighting.score) for sighting in detections)))

    def write_controls(self, state: LiveControlsState) -> None:
        """Write a change of the controls."""
        self.write(Looked(state))

    def write_event(self, description: str) -> None:
        """See `engine.live.masker.Witness`."""
        self.write(Happened(description))

    def close(self) -> None:
        """Bring everything to stable storage; closing twice is allowed."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()


def record_from_log(path: Path) -> Record:
    """The detection record of what a live run showed, from its log, also of one that ended in a crash.

    Raises:
        RecordError: the file is not such a log, or nothing was shown.
    """
    start, frames, late = None, list[Shown](), dict[int, list[Late]]()
    received: Received | None = None
    for line in read_log_lines(path):
        match line:
            case Start():
                start = line
            case Shown():
                frames.append(line)
            case Late():
                late.setdefault(line.number, []).append(line)
            case Received():
                received = line
            case _:
                continue
    if start is None or not frames:
        raise RecordError(f"{path} is the log of a live run that showed nothing; there is no record to make.")
    return Record(
        schema=SCHEMA,
        source=_complete_source_facts(start.source, len(frames), received),
        detection=start.detection,
        frames=tuple(_add_late_evidence(shown.frame, late.get(shown.number, ())) for shown in frames),
        cuts=tuple(shown.frame.index for shown in frames if shown.cut),
        damaged=(),
        covered=tuple(shown.frame.index for shown in frames if shown.covered is not None),
    )


def read_log_lines(path: Path) -> Iterator[LogLine]:
    """The whole lines of a log.

    Raises:
        RecordError: the file cannot be read or is not such a log.
    """
    decoder = msgspec.json.Decoder(LogLine)
    try:
        with path.open("rb") as file:
            for line in iterate_whole_lines(file):
                yield decoder.decode(line)
    except (OSError, msgspec.MsgspecError) as error:
        raise RecordError(f"{path} is not the log of a live run ({error}).") from error


def _create_log_file(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb", buffering=0)
    except OSError as error:
        raise TargetError(
            f"{path} cannot be written ({error.strerror}); choose another place for the record."
        ) from error


def _add_late_evidence(frame: Frame, answers: Iterable[Late]) -> Frame:
    """The frame with late sightings as evidence of the faces they belong to; boxes stay as they were shown."""
    evidence: dict[int, dict[str, Detection]] = {
        place: {seen.detector: seen for seen in face.evidence} for place, face in enumerate(frame.faces)
    }
    for answer in answers:
        for box, score in answer.sightings:
            place = _find_matching_face(box, frame.faces)
            if place is not None:
                evidence[place].setdefault(answer.detector, Detection(answer.detector, box, score))
    faces = (_replace_evidence(face, evidence[place]) for place, face in enumerate(frame.faces))
    return msgspec.structs.replace(frame, faces=tuple(faces))


def _replace_evidence(face: Face, evidence: Mapping[str, Detection]) -> Face:
    found = tuple(evidence[name] for name in sorted(evidence))
    return msgspec.structs.replace(face, origin="detected" if found else "extended", evidence=found)


def _find_matching_face(box: Box, faces: Sequence[Face]) -> int | None:
    """The face that a sighting belongs to."""
    best = max(range(len(faces)), key=lambda place: faces[place].box.iou(box), default=None)
    if best is None:
        return None
    mask = faces[best].box
    return best if mask.iou(box) >= _SAME_FACE_MIN_IOU or mask.intersection_area(box) >= 0.8 * box.area else None


def _complete_source_facts(source: SourceFacts, frames: int, received: Received | None) -> SourceFacts:
    video = msgspec.structs.replace(source.video, frames=frames)
    if received is None:
        return msgspec.structs.replace(source, video=video)
    return msgspec.structs.replace(source, video=video, sha256=received.sha256, bytes=max(1, received.bytes))
