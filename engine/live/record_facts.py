"""Detectors of live mode, and what a record says about them and about a running source."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from engine.core.geometry import Size
from engine.detectors.modes import find_mode
from engine.detectors.registry import import_detector_class, plan_detector
from engine.errors import InputError
from engine.live.detector_thread import DetectorRole
from engine.live.look_size import LOOK_SIDES_PX
from engine.live.settings import FollowingSettings
from engine.media.facts import make_source_facts
from engine.media.source.probe import probe
from engine.media.stream.live_source import LiveSource
from engine.record import (
    Colour,
    DetectionConfig,
    FusionSettings,
    SmoothingSettings,
    SourceFacts,
    StreamFacts,
    TrackingSettings,
    VideoFacts,
    format_ratio,
)

_UNKNOWN_SHA256 = "0" * 64
_UNKNOWN_BYTES = 1
_UNKNOWN_FRAMES = 1
"""Placeholders for facts of a running source that are known only at its end.

Decision: the log's first line states the source as a record does, so that a log alone is enough to recover a record.
The record's schema demands a hash and counts of at least 1, and changing it would break every reader of
`veil/detections/1`. So the first line has these placeholders, `record_from_log` replaces the number of frames, and the
`Received` lines replace the hash and the number of bytes. A record keeps a placeholder hash only if the run crashed in
its first second; no file has that hash, so rendering from such a record is refused, as it should be.
"""
_EVERY_FRAME_DETECTOR = "mediapipe"
"""The detector that is fast enough to look at every frame."""
_LIVE_THRESHOLDS: Mapping[str, Mapping[str, object]] = {
    "mediapipe": {"threshold": 0.3},
    "yolov8-face": {"threshold": 0.2},
}
"""Lower than the confidence of the controls, so that a weak detection continues a track that has already begun."""
_BACKGROUND_NICENESS_STEPS = 5
"""Niceness steps of a detector that runs beside. Decoding, masking, encoding and the detector that looks at every frame
have deadlines; this one only has an age limit, and on a busy machine it has to look less often."""


def plan_detector_roles(
    parameters: Mapping[str, Mapping[str, object]] | None = None,
    cores: int | None = None,
    look_side_px: int | None = None,
) -> tuple[DetectorRole, ...]:
    """Return the detectors of live mode with their parameters.

    Args:
        parameters: by detector name, parameters that differ from those of live mode.
        cores: number of processor cores; as the system reports it if None.
        look_side_px: longest side of the pictures of the detector that runs beside. None: as large as the machine can.

    Raises:
        InputError: a parameter is unknown or wrong.
    """
    cores = cores or os.cpu_count() or 1
    roles = []
    for name in find_mode("live").detectors:
        every = name == _EVERY_FRAME_DETECTOR
        # One core is left for the rest of the run; more than four threads no longer make one picture faster.
        own = (parameters or {}).get(name, {})
        beside = {} if every else {"threads": max(1, min(4, cores - 1)), **_plan_look_size(own, look_side_px)}
        settings = plan_detector(name, {**_LIVE_THRESHOLDS.get(name, {}), **beside, **own}).settings
        roles.append(
            DetectorRole(
                import_detector_class(name),
                settings,
                every,
                0 if every else _BACKGROUND_NICENESS_STEPS,
                LOOK_SIDES_PX if "enlarge" in beside else (),
            )
        )
    return tuple(roles)


def _plan_look_size(own: Mapping[str, object], side_px: int | None) -> dict[str, object]:
    """Return the parameters that fix the size of the looks, or let it change."""
    if side_px is not None:
        if "size" in own:
            raise InputError("The size of the looks is given twice: leave out --look-size, or the size in --set.")
        return {"size": side_px}
    # Who names a size wants that one. A network of the user's own may take one size only, so a smaller picture would
    # find less and save nothing.
    return {} if own.keys() & {"size", "more_sizes", "weights", "enlarge"} else {"enlarge": False}


def build_detection_config(
    detector_roles: tuple[DetectorRole, ...], following: FollowingSettings, frame_rate: float
) -> DetectionConfig:
    """Build the record's description of the detectors and of how faces were followed.

    A record describes a batch timeline. Its settings are set to those with which a batch timeline would do what live
    following does: nothing is smoothed or looked ahead for, and a face stays covered for `following.hold`.
    """
    # Whole frames, as a face is covered in each or not.
    hold_s = max(1, round(following.hold * frame_rate)) / frame_rate
    return DetectionConfig(
        "live",
        tuple(role.detector.describe(role.settings) for role in detector_roles),
        FusionSettings(),
        TrackingSettings(reach=following.reach, patience_s=hold_s, agility=following.agility, inertia=1.0),
        SmoothingSettings(
            gap_s=0.0, lead_s=0.0, tail_s=hold_s, trust_s=hold_s, window_s=0.0, horizon_s=0.0, damping=1.0
        ),
    )


@dataclass(frozen=True, slots=True)
class LiveSourceFacts:
    """Facts of a source that are known before its first frame.

    Attributes:
        file_facts: facts of a file with its hash; None for a running source, whose packets are hashed as they arrive.
        container: container format or protocol.
        video: index, codec and pixel format of the video stream.
        time_base: unit of presentation time stamps, in seconds.
        rate: frames per second, as declared.
        streams: every stream and what becomes of it.
    """

    file_facts: SourceFacts | None
    container: str
    video: tuple[int, str, str]
    time_base: Fraction
    rate: Fraction
    streams: tuple[StreamFacts, ...]

    def to_source_facts(self, size: Size) -> SourceFacts:
        """Return the facts as a record states them, with placeholders where nothing is known yet.

        Args:
            size: size of the normalised frames, in pixels.
        """
        if self.file_facts is not None:
            return self.file_facts
        index, codec, pixel_format = self.video
        return SourceFacts(
            sha256=_UNKNOWN_SHA256,
            bytes=_UNKNOWN_BYTES,
            container=self.container,
            video=VideoFacts(
                index=index,
                codec=codec,
                coded=size,
                display=size,
                sample_aspect_ratio="1/1",
                rotation=0,
                mirrored=False,
                pixel_format=pixel_format,
                colour=Colour(None, None, None, None),
                time_base=format_ratio(self.time_base),
                declared_frames=None,
                frames=_UNKNOWN_FRAMES,
                declared_rate=format_ratio(self.rate),
            ),
            streams=self.streams,
        )


def read_source_facts(source: LiveSource, *, audio: bool) -> LiveSourceFacts:
    """Read the facts of an open source; a file is read once as a whole, for its hash.

    Args:
        source: the source.
        audio: the audio is copied.

    Raises:
        SourceError: the file is not a readable video.
    """
    return LiveSourceFacts(
        file_facts=make_source_facts(probe(Path(source.address)), _UNKNOWN_FRAMES) if source.is_file else None,
        container=source.container,
        video=(source.video_index, source.codec, source.pixel_format),
        time_base=source.time_base,
        rate=source.rate,
        streams=tuple(_build_stream_facts(source, *stream, audio=audio) for stream in source.streams),
    )


def _build_stream_facts(source: LiveSource, index: int, kind: str, codec: str, *, audio: bool) -> StreamFacts:
    if index == source.video_index:
        return StreamFacts(index, kind, codec, "rendered", "the picture, with faces hidden")
    if audio and index in {parameters.index for parameters in source.audio_streams}:
        return StreamFacts(index, kind, codec, "copied", "packets as they came")
    if audio and kind == "audio":
        return StreamFacts(index, kind, codec, "dropped", "audio of this codec cannot be copied live")
    return StreamFacts(index, kind or "unknown", codec, "dropped", "not part of a live output")
