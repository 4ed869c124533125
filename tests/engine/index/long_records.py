"""A generator of long records that look like the real thing: people who come, talk, turn away and leave."""

import numpy as np

from engine.core.geometry import Box, Size
from engine.record import (
    SCHEMA,
    Detection,
    DetectionConfig,
    DetectorFacts,
    Face,
    Frame,
    FusionSettings,
    Record,
    SmoothingSettings,
    SourceFacts,
    TrackingSettings,
    encode_document,
)
from tests.record_makers import make_video

SIZE = Size(1920, 1080)
DETECTORS = ("centerface", "yolov8-face")
CHANCE = {"centerface": 0.86, "yolov8-face": 0.94, "mtcnn": 0.8}


def make_long_record(frames, seed=0, detectors=DETECTORS, people=2, source="ab" * 32):
    """`frames` frames at 30 a second, in which at most `people` faces are in view at a time."""
    generator = np.random.default_rng(seed)
    rows = [[] for _ in range(frames)]
    track = 0
    for seat in range(people):
        start = int(generator.integers(0, 200))
        while start < frames:
            stop = min(frames, start + int(generator.integers(60, 1800)))
            _sit(rows, generator, (track, seat), range(start, stop), detectors)
            track, start = track + 1, stop + int(generator.integers(10, 400))
    doubts = generator.random(frames) < 0.01
    return Record(
        schema=SCHEMA,
        source=SourceFacts(source, 1000, "mov,mp4,m4a,3gp,3g2,mj2", make_video(frames, SIZE), ()),
        detection=DetectionConfig(
            "hybrid",
            tuple(DetectorFacts(name, {}, (), {}) for name in detectors),
            FusionSettings(),
            TrackingSettings(),
            SmoothingSettings(),
        ),
        frames=tuple(
            Frame(index, 427 * index, tuple(faces), _doubt(generator, detectors) if doubts[index] else ())
            for index, faces in enumerate(rows)
        ),
        cuts=tuple(range(1500, frames, 4500)),
        damaged=(),
    )


def write_long_runs(root, runs, frames):
    """Runs in a data folder, each with a record; every other pair of runs is of the same source."""
    for number in range(runs):
        folder = root / "runs" / f"20260101-{number:06d}-interview-{number:04x}"
        folder.mkdir(parents=True)
        record = make_long_record(frames, seed=number, source=f"{number // 2:064x}")
        (folder / "detections.json").write_bytes(encode_document(record))


def _sit(rows, generator, who, span, detectors):
    """One person in view: a track that drifts, is seen by each detector by chance, and is interpolated between."""
    track, seat = who
    count = len(span)
    height = float(np.clip(generator.lognormal(4.4, 0.6), 14, 500))
    x = 500 + 900 * seat + 120 * np.sin(np.arange(count) / 90 + seat)
    y = 420 + 60 * np.cos(np.arange(count) / 70)
    turned = np.sin(np.arange(count) / 150 + track) > 0.9
    seen = {
        name: generator.random(count) < np.where(turned, 0.3, CHANCE[name]) * min(1.0, height / 30)
        for name in detectors
    }
    scores = {name: np.clip(generator.normal(0.82, 0.09, count) - 0.3 * turned, 0.2, 0.999) for name in detectors}
    for place, index in enumerate(span):
        box = _box(x[place], y[place], height)
        evidence = tuple(
            Detection(name, _box(x[place] + 2, y[place] - 2, height * 0.92), round(float(scores[name][place]), 4))
            for name in detectors
            if seen[name][place]
        )
        origin = "detected" if evidence else "extended" if place > count - 12 else "interpolated"
        rows[index].append(Face(track, box, origin, evidence))


def _box(x, y, height):
    half = height * 0.4
    return Box(*(round(float(edge), 2) for edge in (x - half, y - height / 2, x + half, y + height / 2)))


def _doubt(generator, detectors):
    x, y = generator.integers(50, 1800), generator.integers(50, 1000)
    return (Detection(detectors[0], _box(float(x), float(y), 30.0), 0.55),)
