"""The types of a detection record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Annotated, Literal, TypeVar

import msgspec

from engine.core.geometry import Box, Crop, Orientation, Size

SCHEMA: Literal["veil/detections/1"] = "veil/detections/1"

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256, lower-case hexadecimal")]
Ratio = Annotated[str, msgspec.Meta(pattern="^[0-9]+/[1-9][0-9]*$", description="numerator/denominator")]
Timestamp = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 with its zone")]
Count = Annotated[int, msgspec.Meta(ge=0)]
Score = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Fate = Literal["rendered", "copied", "dropped"]
Origin = Literal["detected", "interpolated", "extended", "reviewer"]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every document and every part of one: immutable, unknown fields refused."""


Kind = TypeVar("Kind", bound=Document)


class Colour(Document, frozen=True):
    """Colour tags as the stream declares them, in FFmpeg's names. None: not declared."""

    range: str | None
    matrix: str | None
    primaries: str | None
    transfer: str | None


class VideoFacts(Document, frozen=True, omit_defaults=True):
    """The video stream that is anonymised.

    Attributes:
        index: stream index in the container.
        codec: FFmpeg's name of the codec.
        coded: width and height as stored, without what the container hides.
        display: width and height as seen: square pixels, rotation applied. Boxes are in these pixels.
        sample_aspect_ratio: width of a stored pixel divided by its height.
        rotation: degrees by which the picture is turned clockwise for display.
        mirrored: True if it is mirrored left to right before that turn.
        pixel_format: FFmpeg's name of the pixel format.
        colour: colour tags.
        time_base: duration of a pts unit in seconds.
        declared_frames: frame count that the container declares. None: it declares none.
        frames: number of frames that decode.
        declared_rate: average frame rate that the container declares. None: it declares none.
        crop: what the container hides of the stored pictures. None, and left out of the JSON: nothing.
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
    crop: Crop | None = None

    @property
    def orientation(self) -> Orientation:
        """Return how the stored pixels become display pixels."""
        return Orientation(self.coded, Fraction(self.sample_aspect_ratio), self.rotation, self.mirrored)


class StreamFacts(Document, frozen=True):
    """A stream of the source and what becomes of it in an output.

    Attributes:
        index: stream index in the container.
        kind: "video", "audio", "subtitle", "data" or "attachment".
        codec: FFmpeg's name of the codec.
        fate: "rendered" (the anonymised video), "copied" (packets as they are) or "dropped".
        reason: the reason, in words for a person.
    """

    index: Count
    kind: str
    codec: str
    fate: Fate
    reason: str


class SourceFacts(Document, frozen=True):
    """The source: hash, size in bytes, FFmpeg's name of the container, the video stream and all streams."""

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
        name: name as in `--detectors`.
        version: versions of its libraries, by name.
        models: its files of weights.
        parameters: all its parameters, by name.
    """

    name: str
    version: Mapping[str, str]
    models: tuple[ModelFacts, ...]
    parameters: Mapping[str, bool | int | float | str | tuple[int | float | str, ...] | None]

    @property
    def confident_score(self) -> float:
        """The score from which one detection alone counts as a face; 0.0 if any score does."""
        score = self.parameters.get("sure")
        return float(score) if isinstance(score, int | float) else 0.0


class FusionSettings(Document, frozen=True):
    """How detections of one frame become faces.

    Attributes:
        iou: least IoU at which boxes of two detectors are one face.
        containment: least share of the smaller box within the larger at which they are one face, too.
        duplicate: least IoU at which boxes of the same detector are one face.
        growth: greatest area of a face, relative to its best detection; boxes that would exceed it stay separate faces.
    """

    iou: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.35
    containment: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.8
    duplicate: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.5
    growth: Annotated[float, msgspec.Meta(ge=1.0)] = 3.0


class TrackingSettings(Document, frozen=True):
    """How faces of successive frames become tracks.

    Attributes:
        iou: least IoU of a face with its predicted place.
        reach: greatest distance of the centres, in face sizes, if the boxes do not overlap enough.
        patience: frames without a detection after which a track ends.
        support: least support that makes a track a face: the sum, over a stretch of its frames, of the score divided by
            the detector's confident score, minus the toll. One detection must also be confident; in a single picture
            that is enough.
        toll: support that every frame of that stretch costs.
        hold: greatest distance in frames at which weak detections extend a track beyond its confident ones.
        agility: share of a deviation from the predicted place that counts as a change of speed.
        inertia: share of its speed that a face without a detection keeps from one frame to the next.
        cut_threshold: change between successive frames (0 to 1) from which there may be a cut.
        cut_prominence: least ratio of a cut's change to the usual change around it.
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
    """Interpolation, extension and margins of the faces in a video; in a single picture nothing is added.

    Attributes:
        gap: longest gap within a track, in frames, that is filled by interpolation.
        lead: frames by which a track is extended before its first detection.
        tail: frames by which a track is extended after its last detection.
        trust: greatest number of frames by which a track is extended for each of its detections.
        breadth: least ratio of the shorter side of a box to its longer one: a head that turns away shows less of the
            face, but ear, temple and jaw identify too.
        margin: share of a box by which it grows on each side: detectors draw tightly round eyes, nose and mouth.
        window: frames to each side over which a box is steadied; 0 leaves boxes as they were detected.
        horizon: frames over which the speed of an extended face is measured.
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


class DetectionConfig(Document, frozen=True, omit_defaults=True):
    """How the record was made: mode, detectors, and the settings that turned detections into faces.

    Attributes:
        mode: name of the mode.
        detectors: the detectors.
        fusion: settings that join detections of one frame into faces.
        tracking: settings that join faces of successive frames into tracks.
        smoothing: settings for interpolation, extension and margins.
        asked: by detector, the frames that it was given, as half-open ranges of indices; a detector that is absent was
            given every frame.
    """

    mode: str
    detectors: tuple[DetectorFacts, ...]
    fusion: FusionSettings
    tracking: TrackingSettings
    smoothing: SmoothingSettings
    asked: Mapping[str, tuple[tuple[Count, Count], ...]] = {}


class Detection(Document, frozen=True, gc=False):
    """One detector's box and score for one face in one frame.

    Attributes:
        detector: name of the detector.
        box: in a record, in display pixels; in a detector's answer, in pixels of the picture that it was given.
        score: the detector's own score, 0 to 1.
    """

    detector: str
    box: Box
    score: Score


class Face(Document, frozen=True, gc=False):
    """One face in one frame.

    Attributes:
        track: track number, the same from frame to frame.
        box: area to cover, in display pixels.
        origin: how the face got into the record.
        evidence: the detections behind it; empty if it was interpolated or extended.
    """

    track: Count
    box: Box
    origin: Origin
    evidence: tuple[Detection, ...]


class Frame(Document, frozen=True, gc=False):
    """One frame.

    Attributes:
        index: position in presentation order.
        pts: presentation time stamp in the video's time base.
        faces: faces to cover.
        doubtful: possible faces that are not masked: detections that the frames around do not confirm, for a reviewer
            to decide.
    """

    index: Count
    pts: int
    faces: tuple[Face, ...]
    doubtful: tuple[Detection, ...] = ()


class Record(Document, frozen=True, omit_defaults=True):
    """A whole detection record.

    Attributes:
        schema: always "veil/detections/1".
        source: the source.
        detection: how the record was made.
        frames: one entry for every frame, in order, also if it has no face.
        cuts: indices of frames that begin a new scene.
        damaged: indices of frames that the decoder could not restore completely; a render covers them whole.
        covered: indices of frames that a live run covered whole, because they were not judged in time or a person asked
            for it; a render covers them too. Written only if there are any.
    """

    schema: Literal["veil/detections/1"]
    source: SourceFacts
    detection: DetectionConfig
    frames: tuple[Frame, ...]
    cuts: tuple[Count, ...]
    damaged: tuple[Count, ...]
    covered: tuple[Count, ...] = ()

    @property
    def display(self) -> Size:
        """Display size of the video: boxes are in its pixels."""
        return self.source.video.display
