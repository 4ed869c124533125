"""The types of a detection record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Annotated, Literal, TypeVar

import msgspec

from engine.core.geometry import Box, Orientation, Size

SCHEMA: Literal["veil/detections/1"] = "veil/detections/1"

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256, lower-case hexadecimal")]
Ratio = Annotated[str, msgspec.Meta(pattern="^[0-9]+/[1-9][0-9]*$", description="numerator/denominator")]
Timestamp = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 with its zone")]
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

    @property
    def orientation(self) -> Orientation:
        """Return how the stored pixels become display pixels."""
        return Orientation(self.coded, Fraction(self.sample_aspect_ratio), self.rotation, self.mirrored)


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

    @property
    def confident_score(self) -> float:
        """The score from which one detection alone counts as a face; 0.0 if any score does."""
        score = self.parameters.get("sure")
        return float(score) if isinstance(score, int | float) else 0.0


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


class DetectionConfig(Document, frozen=True, omit_defaults=True):
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
        track: number of the track, the same from frame to frame.
        box: what is to be covered, in display pixels.
        origin: how it came to be here.
        evidence: who saw it; empty when it was interpolated or extended.
    """

    track: Count
    box: Box
    origin: Origin
    evidence: tuple[Detection, ...]


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
    doubtful: tuple[Detection, ...] = ()


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
    detection: DetectionConfig
    frames: tuple[Frame, ...]
    cuts: tuple[Count, ...]
    damaged: tuple[Count, ...]
    covered: tuple[Count, ...] = ()

    @property
    def display(self) -> Size:
        """Width and height of the frame that boxes live in."""
        return self.source.video.display
