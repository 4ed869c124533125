"""The detection record: the contract between finding faces and everything after it.

The types below are the parser, the writer and the published JSON Schema at once. A record is canonical bytes: sorted
keys, no white space, coordinates on a grid of 1/100 pixel and scores on one of 1/10000, UTF-8, one newline at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from engine.errors import RecordError
from engine.geometry import Box, Size

SCHEMA: Literal["veil/detections/1"] = "veil/detections/1"

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256, lower-case hexadecimal")]
Ratio = Annotated[str, msgspec.Meta(pattern="^[0-9]+/[1-9][0-9]*$", description="numerator/denominator")]
Count = Annotated[int, msgspec.Meta(ge=0)]
Score = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Fate = Literal["rendered", "copied", "dropped"]
Origin = Literal["detected", "interpolated", "extended", "reviewer"]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every part of a document: immutable, unknown fields refused."""


Kind = TypeVar("Kind", bound=Document)


class Colour(Document, frozen=True):
    """Colour tags as the stream declares them, in FFmpeg's names; None where nothing is declared."""

    range: str | None
    matrix: str | None
    primaries: str | None
    transfer: str | None


class VideoFacts(Document, frozen=True):
    """The video stream that is anonymised.

    Attributes:
        index: stream index in the container.
        codec: FFmpeg's name of the codec.
        coded: width and height as stored.
        display: width and height as seen: square pixels, rotation applied. Boxes live in this frame.
        rotation: degrees the picture is turned clockwise for display.
        mirrored: whether it is mirrored left to right before that turn.
        pixel_format: FFmpeg's name.
        time_base: seconds a pts unit lasts.
        declared_frames: frame count the container declares, None when it declares none.
        frames: frames that really decode.
        declared_rate: average frame rate the container declares, None when it declares none.
    """

    index: Count
    codec: str
    coded: Size
    display: Size
    sample_aspect_ratio: Ratio
    rotation: Literal[0, 90, 180, 270]
    mirrored: bool
    pixel_format: str
    colour: Colour
    time_base: Ratio
    declared_frames: Count | None
    frames: Annotated[int, msgspec.Meta(ge=1)]
    declared_rate: Ratio | None


class StreamFacts(Document, frozen=True):
    """A stream of the source and what becomes of it in an output.

    Attributes:
        kind: "video", "audio", "subtitle", "data" or "attachment".
        fate: "rendered" (the anonymised video), "copied" (packets as they are) or "dropped".
        reason: why, in words for a person.
    """

    index: Count
    kind: str
    codec: str
    fate: Fate
    reason: str


class SourceFacts(Document, frozen=True):
    """Which file was looked at: hash, size in bytes, FFmpeg's name of the container, and its streams."""

    sha256: Sha256
    bytes: Annotated[int, msgspec.Meta(ge=1)]
    container: str
    video: VideoFacts
    streams: tuple[StreamFacts, ...]


class ModelFacts(Document, frozen=True):
    """A file of weights by name and hash."""

    name: str
    sha256: Sha256


class DetectorFacts(Document, frozen=True):
    """A detector as it ran.

    Attributes:
        name: as in `--detectors`.
        version: versions of the libraries that compute, by name.
        models: the weights.
        parameters: every parameter, by name.
    """

    name: str
    version: Mapping[str, str]
    models: tuple[ModelFacts, ...]
    parameters: Mapping[str, bool | int | float | str | tuple[int | float | str, ...] | None]


class FusionSettings(Document, frozen=True):
    """How detections of one frame become faces.

    Attributes:
        iou: boxes of two detectors that overlap this much (IoU) are one face.
        containment: so are they when this share of the smaller lies in the larger.
        duplicate: boxes of the same detector that overlap this much (IoU) are one face.
        growth: a face never becomes larger than its best sighting times this (area); boxes that would make it so stay
            faces of their own.
    """

    iou: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.35
    containment: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.8
    duplicate: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.5
    growth: Annotated[float, msgspec.Meta(ge=1.0)] = 3.0


class TrackingSettings(Document, frozen=True):
    """How faces of successive frames become tracks.

    Attributes:
        iou: least IoU of a face with its predicted place.
        reach: greatest distance of the centres, in face sizes, when the boxes do not overlap enough.
        patience: frames a track may go unseen before it ends.
        support: least support that makes a track a face: summed over a stretch of its frames, score over the score at
            which the detector is sure, less the toll. One sighting must also be sure; a single picture needs no more.
        toll: support that every frame of that stretch costs.
        hold: greatest distance in frames at which weak sightings carry a track on beyond its sure ones.
        agility: share of a deviation from the predicted place that is taken for a change of speed.
        inertia: share of its speed that an unseen face keeps from one frame to the next.
        cut_threshold: difference of successive frames (0 to 1) that makes a scene cut.
        cut_prominence: how many times the usual difference around it a cut must reach.
    """

    iou: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.2
    reach: Annotated[float, msgspec.Meta(ge=0.0)] = 0.6
    patience: Count = 30
    support: Annotated[float, msgspec.Meta(ge=0.0)] = 1.0
    toll: Annotated[float, msgspec.Meta(ge=0.0)] = 1.0
    hold: Annotated[int, msgspec.Meta(ge=1)] = 5
    agility: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.4
    inertia: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.95
    cut_threshold: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.3
    cut_prominence: Annotated[float, msgspec.Meta(ge=1.0)] = 2.0


class SmoothingSettings(Document, frozen=True):
    """What is added to what was seen in a video; a single picture is left as it was seen.

    Attributes:
        gap: longest gap within a track, in frames, that is filled by interpolation.
        lead: frames a track is extended before its first sighting.
        tail: frames a track is extended after its last sighting.
        trust: frames by which a track is extended at most for each time that it was seen.
        breadth: least shorter side of a box over its longer one: a head that turns away shows less of the face, but
            ear, temple and jaw identify too.
        margin: share of a box by which it is grown on each side: detectors draw tightly round eyes, nose and mouth.
        window: frames to each side over which a box is steadied; 0 leaves boxes as they were seen.
        horizon: frames over which the speed is measured with which an extended face moves on.
        damping: share of that speed that is kept from one extended frame to the next.
    """

    gap: Count = 30
    lead: Count = 8
    tail: Count = 12
    trust: Annotated[int, msgspec.Meta(ge=1)] = 2
    breadth: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.9
    margin: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.1
    window: Count = 2
    horizon: Annotated[int, msgspec.Meta(ge=1)] = 5
    damping: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.8


class Detection(Document, frozen=True, omit_defaults=True):
    """What was run: mode, detectors, and the settings that turned sightings into faces.

    Attributes:
        asked: by detector, the frames it was asked about as half-open ranges of indices; a detector that is not named
            here was asked about every frame.
    """

    mode: str
    detectors: tuple[DetectorFacts, ...]
    fusion: FusionSettings
    tracking: TrackingSettings
    smoothing: SmoothingSettings
    asked: Mapping[str, tuple[tuple[Count, Count], ...]] = {}


class Evidence(Document, frozen=True, gc=False):
    """One detector's own sighting of a face: its box in display pixels and its score."""

    detector: str
    box: Box
    score: Score


class Face(Document, frozen=True, gc=False):
    """One face in one frame.

    Attributes:
        track: number of the track, the same from frame to frame.
        box: what is to be covered, in display pixels.
        origin: how it came to be here.
        evidence: who saw it; empty when it was interpolated or extended.
    """

    track: Count
    box: Box
    origin: Origin
    evidence: tuple[Evidence, ...]


class Frame(Document, frozen=True, gc=False):
    """One frame.

    Attributes:
        index: its place in presentation order.
        pts: in the video's time base.
        faces: what is to be covered.
        doubtful: sightings that the frames around do not bear out; they are not covered, and stand here for a reviewer.
    """

    index: Count
    pts: int
    faces: tuple[Face, ...]
    doubtful: tuple[Evidence, ...] = ()


class Record(Document, frozen=True, omit_defaults=True):
    """A whole detection record.

    Attributes:
        schema: always "veil/detections/1".
        frames: one entry for every frame, in order, also when it is empty.
        cuts: indices of frames that begin a new scene.
        damaged: indices of frames that could not be decoded whole; a render covers them entirely.
        covered: indices of frames that a live run covered entirely, because they were not judged in time or somebody
            asked for it; a render covers them too. Written only when there are any.
    """

    schema: Literal["veil/detections/1"]
    source: SourceFacts
    detection: Detection
    frames: tuple[Frame, ...]
    cuts: tuple[Count, ...]
    damaged: tuple[Count, ...]
    covered: tuple[Count, ...] = ()

    @property
    def display(self) -> Size:
        """Width and height of the frame that boxes live in."""
        return self.source.video.display


def ratio(value: Fraction) -> str:
    """A fraction in the record's spelling."""
    return f"{value.numerator}/{value.denominator}"


def fraction(text: str) -> Fraction:
    """The fraction that `ratio` spelled."""
    return Fraction(text)


def digest(data: bytes) -> str:
    """SHA-256 of stored bytes, as a record spells it."""
    return hashlib.sha256(data).hexdigest()


def encode(document: Document) -> bytes:
    """Canonical bytes of a document."""
    return msgspec.json.encode(document, order="sorted") + b"\n"


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a detection record, generated from the types that parse it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "Veil detection record",
        **msgspec.json.schema(Record),
    }


def decode(data: bytes, name: str = "record") -> Record:
    """Read a record strictly.

    Args:
        data: the stored bytes.
        name: what to call the record in an error, usually its path.

    Raises:
        RecordError: it is not JSON, not this schema, has an unknown field, or contradicts itself; the message names
            the place.
    """
    try:
        version = msgspec.json.decode(data, type=_Versioned).schema
    except msgspec.MsgspecError as error:
        raise RecordError(f"{name} is not a detection record: {error}.") from error
    if version != SCHEMA:
        raise RecordError(
            f"{name} is written in the schema {version!r}, this version of Veil reads {SCHEMA!r}. Open it with the "
            "version that wrote it, or detect the source again."
        )
    try:
        record = msgspec.json.decode(data, type=Record)
    except msgspec.MsgspecError as error:
        raise RecordError(f"{name} is not a valid detection record: {error}.") from error
    for place, complaint in _contradictions(record):
        raise RecordError(f"{name} contradicts itself at {place}: {complaint}.")
    return record


def read(path: Path) -> Record:
    """Read a record from a file.

    Raises:
        RecordError: the file cannot be read or is not a valid record.
    """
    return decode(read_bytes(path), str(path))


def read_as(path: Path, kind: type[Kind], what: str) -> Kind:
    """Read another document of Veil's from a file, as strictly as a record.

    Args:
        path: the file.
        kind: the type of the document.
        what: what to call it in an error, as "report of a render".

    Raises:
        RecordError: the file cannot be read or is not such a document.
    """
    try:
        return msgspec.json.decode(read_bytes(path), type=kind)
    except msgspec.MsgspecError as error:
        raise RecordError(f"{path} is not the {what}: {error}.") from error


def read_bytes(path: Path) -> bytes:
    """The stored bytes of a document, for hashing and for `decode`.

    Raises:
        RecordError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}. Give the path of a detection record.") from error


class _Versioned(msgspec.Struct):
    schema: str


def _contradictions(record: Record) -> Iterator[tuple[str, str]]:
    known = {detector.name for detector in record.detection.detectors}
    yield from _asked_contradictions(record, known)
    if len(record.frames) != record.source.video.frames:
        yield "$.frames", f"{len(record.frames)} entries for {record.source.video.frames} frames"
    last = None
    for position, frame in enumerate(record.frames):
        place = f"$.frames[{position}]"
        if frame.index != position:
            yield f"{place}.index", f"expected {position}, got {frame.index}"
        if last is not None and frame.pts <= last:
            yield f"{place}.pts", f"{frame.pts} does not come after {last}"
        last = frame.pts
        for complaint in _face_contradictions(frame, record.display, known):
            yield f"{place}.faces[{complaint[0]}]{complaint[1]}", complaint[2]
    for name, indices in (("cuts", record.cuts), ("damaged", record.damaged), ("covered", record.covered)):
        if list(indices) != sorted(set(indices)) or (indices and indices[-1] >= len(record.frames)):
            yield f"$.{name}", "frame indices must rise and exist"


def _asked_contradictions(record: Record, known: set[str]) -> Iterator[tuple[str, str]]:
    for name, runs in record.detection.asked.items():
        place = f"$.detection.asked.{name}"
        if name not in known:
            yield place, "it is not among the detectors"
        edges = [edge for run in runs for edge in run]
        if edges != sorted(set(edges)) or (edges and edges[-1] > len(record.frames)):
            yield place, "ranges of frames must rise, not touch, and exist"
            continue
        asked = {index for start, stop in runs for index in range(start, stop)}
        for frame in record.frames:
            if frame.index not in asked and any(one.detector == name for f in frame.faces for one in f.evidence):
                yield f"$.frames[{frame.index}]", f"{name} saw a face there and was not asked"


def _face_contradictions(frame: Frame, size: Size, known: set[str]) -> Iterator[tuple[int, str, str]]:
    tracks: set[int] = set()
    for position, face in enumerate(frame.faces):
        if face.track in tracks:
            yield position, ".track", f"track {face.track} is in this frame twice"
        tracks.add(face.track)
        if not face.box.within(size):
            yield position, ".box", f"{list(_edges(face.box))} crosses the border of a {size.width}x{size.height} frame"
        if (face.origin == "detected") != bool(face.evidence):
            yield position, ".evidence", f"a face that was {face.origin} has {len(face.evidence)} sightings"
        for number, evidence in enumerate(face.evidence):
            if evidence.detector not in known:
                yield position, f".evidence[{number}].detector", f"{evidence.detector!r} is not among the detectors"
            if not evidence.box.within(size):
                yield position, f".evidence[{number}].box", "crosses the border of the frame"


def _edges(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom
