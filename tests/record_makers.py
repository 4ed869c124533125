"""Makers of small documents for tests."""

import msgspec

from engine.core.geometry import Box, Size
from engine.media.facts import make_source_facts
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from engine.record import (
    SCHEMA,
    Colour,
    Detection,
    DetectionConfig,
    DetectorFacts,
    Face,
    Frame,
    FusionSettings,
    Record,
    SmoothingSettings,
    SourceFacts,
    StreamFacts,
    TrackingSettings,
    VideoFacts,
    encode_document,
)


def make_video(frames, size=Size(320, 240), **changes):
    facts = {
        "index": 0,
        "codec": "h264",
        "coded": size,
        "display": size,
        "sample_aspect_ratio": "1/1",
        "rotation": 0,
        "mirrored": False,
        "pixel_format": "yuv420p",
        "colour": Colour("tv", "bt709", "bt709", "bt709"),
        "time_base": "1/12800",
        "declared_frames": frames,
        "frames": frames,
        "declared_rate": "25/1",
    }
    return VideoFacts(**(facts | changes))


def make_record(frames, size=Size(320, 240), cuts=(), damaged=(), sha256="ab" * 32):
    """A record of `frames`, each a sequence of boxes; the n-th box of each frame is track n."""
    return Record(
        schema=SCHEMA,
        source=SourceFacts(
            sha256, 1000, "mov,mp4,m4a,3gp,3g2,mj2", make_video(len(frames), size),
            (StreamFacts(0, "video", "h264", "rendered", "seen"), StreamFacts(1, "audio", "aac", "copied", "heard")),
        ),
        detection=DetectionConfig(
            "on-prem",
            (DetectorFacts("mtcnn", {"mtcnn": "1.0.0"}, (), {"threshold": 0.7}),),
            FusionSettings(), TrackingSettings(), SmoothingSettings(),
        ),
        frames=tuple(
            Frame(index, 512 * index, tuple(make_face(track, box) for track, box in enumerate(boxes)))
            for index, boxes in enumerate(frames)
        ),
        cuts=cuts,
        damaged=damaged,
    )  # fmt: skip


def make_face(track, box):
    return Face(track, Box(*box), "detected", (Detection("mtcnn", Box(*box), 0.9),))


def record_of(path, boxes, on_damage="stop"):
    """A record of a real file in which `boxes(index)` gives the boxes of each frame, found by nobody in particular."""
    info = probe(path)
    with open_source(path, info, on_damage=on_damage) as source:
        frames = [(frame.pts, frame.damaged) for frame in source.frames()]
    times = [pts for pts, _ in frames]
    blank = make_record([[]])
    return msgspec.structs.replace(
        blank,
        source=make_source_facts(info, len(times)),
        damaged=tuple(index for index, (_, damaged) in enumerate(frames) if damaged),
        frames=tuple(
            Frame(index, pts, tuple(make_face(track, box) for track, box in enumerate(boxes(index))))
            for index, pts in enumerate(times)
        ),
    )


def written(record, path):
    """The path of a record, written."""
    path.write_bytes(encode_document(record))
    return path
