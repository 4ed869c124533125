"""The types of a detection record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Annotated, Literal

import msgspec

from engine.core.geometry import Box, Crop, Orientation, Size
from engine.record.document import Count, Document, Score
from engine.record.time_settings import SmoothingSettings, TrackingSettings, usual_duration_s

SCHEMA: Literal["veil/detections/2"] = "veil/detections/2"

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256, lower-case hexadecimal")]
Ratio = Annotated[str, msgspec.Meta(pattern="^[0-9]+/[1-9][0-9]*$", description="numerator/denominator")]
Timestamp = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 with its zone")]
Fate = Literal["rendered", "copied", "dropped"]
Origin = Literal["detected", "carried", "interpolated", "extended", "reviewer"]


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
        containment: least share of the smaller box within the larger at which they are one face, too; boxes of the same
            detector only if the better one is the larger, by at most `growth`.
        duplicate: least IoU at which boxes of the same detector are one face.
        growth: greatest area of a face, relative to its best detection; boxes that would exceed it stay separate faces.
    """

    iou: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.35
    containment: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.8
    duplicate: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.5
    growth: Annotated[float, msgspec.Meta(ge=1.0)] = 3.0


class ScheduleSettings(Document, frozen=True):
    """Which frames the detectors look at, and how faces are followed in the frames between.

    A frame between two looks is not given to a detector: each face of a look is carried into it by template matching,
    forwards and backwards in time.

    Attributes:
        interval_s: time between looks in seconds; 0: every frame is looked at, and nothing is carried.
        change: extra looks: least local change from the frame before, in grey levels, that motion does not explain; the
            frame with the change is looked at, because a face may have come into view, unless every change lies inside
            a face that the looks before and after have found. 0: no extra looks.
        part: extra looks: greatest share of the picture, 0 to 1, in which changes are looked at alone first; the whole
            picture is looked at only if something like a face is there that the looks before and after have not found.
            0: the whole picture is looked at in any case.
        carry_s: longest time in seconds over which a face is carried from a look.
        correlation: least correlation, 0 to 1, with the face of the look; below it the face is lost.
    """

    interval_s: Annotated[float, msgspec.Meta(ge=0.0, le=10.0)] = 0.0
    change: Annotated[float, msgspec.Meta(ge=0.0, le=255.0)] = 0.0
    part: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.0
    carry_s: Annotated[float, msgspec.Meta(ge=0.0, le=10.0)] = 0.6
    correlation: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.5


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
        schedule: how the frames that detectors look at were chosen. None: every frame was.
        look_sizes: by detector, the frames from which on it was given pictures of another size than its parameters say,
            as (index, longest side in pixels); only live mode changes the size.
    """

    mode: str
    detectors: tuple[DetectorFacts, ...]
    fusion: FusionSettings
    tracking: TrackingSettings
    smoothing: SmoothingSettings
    asked: Mapping[str, tuple[tuple[Count, Count], ...]] = {}
    schedule: ScheduleSettings | None = None
    look_sizes: Mapping[str, tuple[tuple[Count, Annotated[int, msgspec.Meta(ge=1)]], ...]] = {}


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
        evidence: the detections behind it; empty unless it was detected.
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
        schema: "veil/detections/2". A record that an earlier version wrote keeps "veil/detections/1" (see
            `engine.record.schema_1`).
        source: the source.
        detection: how the record was made.
        frames: one entry for every frame, in order, also if it has no face.
        cuts: indices of frames that begin a new scene.
        damaged: indices of frames that the decoder could not restore completely; a render covers them whole.
        covered: indices of frames that a live run covered whole, because they were not judged in time or a person asked
            for it; a render covers them too. Written only if there are any.
    """

    schema: Literal["veil/detections/1", "veil/detections/2"]
    source: SourceFacts
    detection: DetectionConfig
    # Packed (see `engine.record.blocks`) where it was read or detected: a tuple of a long video would take ten times
    # the memory.
    frames: Sequence[Frame]
    cuts: tuple[Count, ...]
    damaged: tuple[Count, ...]
    covered: tuple[Count, ...] = ()

    @property
    def display(self) -> Size:
        """Display size of the video: boxes are in its pixels."""
        return self.source.video.display

    def to_seconds(self, index: int) -> float:
        """Return the time of a frame in seconds after the first one, for messages and screens; -1 is the last frame."""
        # Exact until the last step: time stamps can be large, and the time base is a fraction.
        ticks = self.frames[index].pts - self.frames[0].pts
        return float(ticks * Fraction(self.source.video.time_base))

    @property
    def frame_s(self) -> float:
        """Usual duration of a frame in seconds."""
        return usual_duration_s((frame.pts for frame in self.frames), Fraction(self.source.video.time_base))
