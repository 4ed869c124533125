"""The facts that a probe collects about a file: the video, every other stream, and the fate of each."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

import msgspec

from engine.core.geometry import Crop, Orientation, Size
from engine.record import (
    Colour,
    Count,
    Document,
    Fate,
    Ratio,
    Sha256,
    SourceFacts,
    StreamFacts,
    VideoFacts,
    parse_ratio,
)

PtsOrigin = Literal["pts", "dts", "count"]
FieldOrder = Literal["progressive", "tt", "bb", "tb", "bt"]
Rotation = Literal[0, 90, 180, 270]


class Hdr(Document, frozen=True):
    """High dynamic range tags of the stream.

    Attributes:
        mastering_display: primaries, white point and luminance in the notation of SMPTE ST 2086 tools, such as
            `G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)`.
        max_content_light: MaxCLL in cd/m2.
        max_average_light: MaxFALL in cd/m2.
        dolby_vision: frames carry Dolby Vision metadata.
        hdr10_plus: frames carry HDR10+ metadata.
    """

    mastering_display: str | None = None
    max_content_light: Count | None = None
    max_average_light: Count | None = None
    dolby_vision: bool = False
    hdr10_plus: bool = False


class SizeChange(Document, frozen=True):
    """The first picture of another shape than the pictures before.

    Attributes:
        pts: its time in the time base.
        size: its width and height.
        pixel_format: its pixel format if that differs and the size does not; None otherwise.
        aspect_ratio: the aspect ratio of its samples if only that differs; None otherwise.
    """

    pts: int | None
    size: Size
    pixel_format: str | None = None
    aspect_ratio: Ratio | None = None


class VideoInfo(Document, frozen=True):
    """The video stream that will be anonymised; declared and measured facts are different fields.

    Attributes:
        index: stream index in the container.
        codec: FFmpeg's name of the codec.
        coded: width and height of the decoded picture, as stored, without what the container hides.
        display: width and height as seen: square pixels, rotation applied.
        rotation: degrees the picture is turned clockwise for display.
        mirrored: it is mirrored left to right before that turn.
        pixel_format: FFmpeg's name.
        bit_depth: significant bits a sample.
        alpha: there is an alpha channel; it is not kept.
        time_base: seconds a pts unit lasts.
        declared_frames: frame count that the container declares, which may be wrong; None if it declares none.
        declared_rate: average frame rate that the container declares; None if it declares none.
        packets: number of packets of this stream from which a frame must come.
        first_pts: least presentation time of a packet, in the time base.
        last_pts: greatest presentation time of a packet.
        step: usual distance between two frames, in the time base.
        vfr: frames come at uneven distances, beyond what rounding to the time base explains.
        interlaced: frames hold two fields.
        field_order: FFmpeg's name; None if it is unknown.
        timing: origin of a frame's pts: its own ("pts"), the decoding times in order if the container stores no others
            or wrong ones ("dts"), or the index and the frame duration if it stores no times ("count").
        key_pts: presentation time of the first keyframe, None if no packet is marked as one or `timing` is not "pts".
        crop: what the container hides of the stored pictures; None: nothing.
        size_change: the first change of size or aspect ratio that the headers of packets show; None: they show none.
    """

    index: Count
    codec: str
    coded: Size
    display: Size
    sample_aspect_ratio: Ratio
    rotation: Rotation
    mirrored: bool
    pixel_format: str
    bit_depth: Count
    alpha: bool
    colour: Colour
    hdr: Hdr
    time_base: Ratio
    declared_frames: Count | None
    declared_rate: Ratio | None
    packets: Annotated[int, msgspec.Meta(ge=1)]
    first_pts: int
    last_pts: int
    step: Annotated[int, msgspec.Meta(ge=1)]
    vfr: bool
    interlaced: bool
    field_order: FieldOrder | None
    timing: PtsOrigin
    key_pts: int | None
    crop: Crop | None = None
    size_change: SizeChange | None = None

    @property
    def orientation(self) -> Orientation:
        """Return how the stored pixels become display pixels."""
        return Orientation(self.coded, parse_ratio(self.sample_aspect_ratio), self.rotation, self.mirrored)

    @property
    def stored(self) -> Size:
        """Return width and height of the decoded picture with what the container hides."""
        crop = self.crop or Crop(0, 0, 0, 0)
        return Size(self.coded.width + crop.left + crop.right, self.coded.height + crop.top + crop.bottom)

    @property
    def expected_frame_s(self) -> float:
        """Return the usual duration of a frame in seconds, as measured on the packets."""
        return float(self.step * Fraction(self.time_base))

    def to_seconds(self, pts: int) -> float:
        """Convert a presentation time to seconds after the first frame, for messages and screens."""
        # Exact until the last step: pts can be large, and the time base is a fraction.
        return float((pts - self.first_pts) * Fraction(self.time_base))


class StreamInfo(Document, frozen=True, omit_defaults=True):
    """A stream and its fate.

    Attributes:
        kind: "video", "audio", "subtitle", "data", "attachment" or "unknown".
        duration: in seconds, as measured on its packets.
        start: seconds after the first video frame; negative if it starts earlier.
        cut_packets: number of packets at its beginning that an edit list cuts off and that no output holds.
        cut_midway: an edit list cuts off packets that lie between others.
        changes_format: the audio changes its sample rate or its channels on the way.
    """

    index: Count
    kind: str
    codec: str
    language: str | None
    duration: Annotated[str, msgspec.Meta(pattern="^[0-9]+/[1-9][0-9]*$")] | None
    start: Annotated[str, msgspec.Meta(pattern="^-?[0-9]+/[1-9][0-9]*$")] | None
    fate: Fate
    reason: str
    cut_packets: Count = 0
    cut_midway: bool = False
    changes_format: bool = False


class ExtraItem(Document, frozen=True):
    """Chapters or a metadata tag, by name, with its fate."""

    kind: Literal["chapters", "metadata"]
    name: str
    fate: Fate
    reason: str


class MediaInfo(Document, frozen=True):
    """Everything that a probe learns about a file without decoding it.

    Attributes:
        bytes: size of the file.
        container: FFmpeg's name of the format.
        streams: every stream in the container's order, the video included.
        extras: chapters and metadata tags.
        cut_short: why the file cannot be complete, in words that end a sentence; None if nothing indicates that.
    """

    sha256: Sha256
    bytes: Annotated[int, msgspec.Meta(ge=1)]
    container: str
    video: VideoInfo
    streams: tuple[StreamInfo, ...]
    extras: tuple[ExtraItem, ...]
    cut_short: str | None


def make_source_facts(info: MediaInfo, frames: int) -> SourceFacts:
    """Build the facts for a detection record, once the number of frames that decode is known."""
    video = info.video
    return SourceFacts(
        sha256=info.sha256,
        bytes=info.bytes,
        container=info.container,
        video=VideoFacts(
            index=video.index,
            codec=video.codec,
            coded=video.coded,
            display=video.display,
            sample_aspect_ratio=video.sample_aspect_ratio,
            rotation=video.rotation,
            mirrored=video.mirrored,
            pixel_format=video.pixel_format,
            colour=video.colour,
            time_base=video.time_base,
            declared_frames=video.declared_frames,
            frames=frames,
            declared_rate=video.declared_rate,
            crop=video.crop,
        ),
        streams=tuple(
            StreamFacts(
                index=stream.index, kind=stream.kind, codec=stream.codec, fate=stream.fate, reason=stream.reason
            )
            for stream in info.streams
        ),
    )
