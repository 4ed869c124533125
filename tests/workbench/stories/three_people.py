"""A clip of three minutes with three people, made from pictures of packages, and the record of a detection of it.

It has cuts, turns, entries, a mask over something that is no face, and a face that the record misses. The record is
made from what was drawn, so no model runs.
"""

from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import msgspec

from engine.core.geometry import Box, Size
from engine.detectors.registry import plan_detector
from engine.evaluation.benchmark.drawing import draw_clip
from engine.evaluation.benchmark.head_pose import HeadPose
from engine.evaluation.benchmark.shots import BenchmarkClip, HeadMotion, Shot
from engine.media.output.raw_video import open_picture_writer
from engine.record import Detection, Face, Record, SmoothingSettings
from tests import clips
from tests.record_makers import record_of

SIZE, RATE, FRAMES = Size(480, 272), 2, 360
MISSED = range(300, 312)
"""The frames in which the record misses the third person, who is turned away."""
MISSED_HEAD = "6.1"
FALSE_MASK = Box(356, 40, 404, 96)
"""A place on the wall of the first room that the record takes for a face, whenever the room shows."""
_DETECTOR = "yolov8-face"
_LOST_RANGES = ((10, 14), (70, 75), (100, 104), (145, 153), (250, 254), (340, 345))
"""Where a track is interpolated; in the fourth, the head is turned aside."""
_WEAK_RANGES = ((30, 36), (84, 90), (165, 170), (210, 214), (255, 260), (280, 284), (295, 299), (350, 356))
_WEAK_SCORE = 0.25
_LOST = frozenset(index for start, stop in _LOST_RANGES for index in range(start, stop))
_WEAK = frozenset(index for start, stop in _WEAK_RANGES for index in range(start, stop))
_DOUBTFUL = (302, 307)
_TRACKS = (("0.0",), ("1.0",), ("2.0", "2.1", "2.2"), ("3.0",), ("4.0",), ("5.0",), ("6.0",), ("7.0",))
"""The heads of each track; a head is named by its shot and its place in it."""
_FALSE_TRACKS = tuple(dict.fromkeys(frames, FALSE_MASK) for frames in (range(20, 50), range(130, 170)))


@dataclass(frozen=True)
class MadeClip:
    """The file, its record, and by head the box of its face in each frame."""

    path: Path
    record: Record
    heads: dict[str, dict[int, Box]]


def _head(donor, x, y=130.0, height=96.0, yaw=0.0, **more):
    return HeadMotion(donor, HeadPose(x, y, height, yaw=yaw), sway=1.5, **more)


_SHOTS = (
    Shot("brick", 60, (_head("astronaut", 180),)),
    Shot("rocket", 60, (_head("admiral", 250),)),
    # The first one turns aside for some seconds.
    Shot("brick", 60, (
        _head("astronaut", 185, shows=(0, 25)),
        _head("astronaut", 185, yaw=55, shows=(25, 33)),
        _head("astronaut", 185, shows=(33, None)),
    )),
    # The third one comes in.
    Shot("gravel", 60, (_head("coach", 240, shows=(12, None)),)),
    Shot("brick", 30, (_head("astronaut", 178),)),
    Shot("rocket", 20, (_head("admiral", 255, shows=(4, None)),)),
    # Two together; the second one is missed for some seconds.
    Shot("gravel", 40, (_head("coach", 140), _head("admiral", 330, height=80.0, yaw=35, shows=(10, 22)))),
    Shot("brick", 30, (_head("astronaut", 182),)),
)  # fmt: skip


def make_three_people(path):
    """Draw the clip and build its record."""
    heads = defaultdict(dict)
    drawn = path.with_name(f"drawn-{path.name}")
    with open_picture_writer(drawn, SIZE, 16, RATE) as writer:
        for index, frame in enumerate(draw_clip(BenchmarkClip("story", "officer", SIZE, _SHOTS), seed=1)):
            writer.write(frame.picture)
            for face in frame.faces:
                heads[face.track][index] = face.box
    tone = ["-f", "lavfi", "-i", f"sine=330:duration={FRAMES // RATE}"]
    clips.ffmpeg("-i", drawn, *tone, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-b:a", "32k", path)
    drawn.unlink()
    return MadeClip(path, _build_record(path, heads), dict(heads))


def _build_record(path, heads):
    blank = record_of(path, lambda _: [])
    tracks = [{index: box for name in names for index, box in heads[name].items()} for names in _TRACKS]
    frames = [
        msgspec.structs.replace(
            frame,
            faces=tuple(
                _make_face(number, frame.index, track[frame.index])
                for number, track in enumerate([*tracks, *_FALSE_TRACKS])
                if frame.index in track
            ),
            doubtful=(_detect(heads[MISSED_HEAD][frame.index], _WEAK_SCORE),) if frame.index in _DOUBTFUL else (),
        )
        for frame in blank.frames
    ]
    # With weights of one's own no faces are planted before the release, which would take the detector again.
    facts = plan_detector(_DETECTOR).facts
    facts = msgspec.structs.replace(facts, parameters={**facts.parameters, "weights": "faces.onnx"})
    # Without lead and tail, a track ends where the head was drawn last.
    smoothing = SmoothingSettings(lead_s=0, tail_s=0)
    detection = msgspec.structs.replace(blank.detection, detectors=(facts,), smoothing=smoothing)
    starts = accumulate(shot.frames for shot in _SHOTS[:-1])
    return msgspec.structs.replace(blank, detection=detection, frames=tuple(frames), cuts=tuple(starts))


def _make_face(track, index, box):
    is_person = track < len(_TRACKS)
    if is_person and index in _LOST:
        return Face(track, box, "interpolated", ())
    return Face(track, box, "detected", (_detect(box, _WEAK_SCORE if is_person and index in _WEAK else 0.9),))


def _detect(box, score):
    return Detection(_DETECTOR, box, score)
