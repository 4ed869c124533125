"""A made interview for measurements: three people, each followed by a track with doubtful places."""

from __future__ import annotations

import msgspec

from engine.core.geometry import Box
from engine.detectors.registry import plan_detector
from engine.record import Detection, Face
from tests import clips
from tests.record_makers import record_of
from tests.workbench.run_makers import finish_run

_DETECTOR = "yolov8-face"
_PLACES = ((0.1, 0.2), (0.4, 0.3), (0.7, 0.25))
"""Where the heads are, in shares of the picture."""
_PART_S = 10
"""The clip is encoded for so many seconds, and repeated."""


def make_interview(data, size, rate, parts):
    """A finished run of a clip of `parts` times ten seconds, with sound.

    Each of three tracks has a gap and a weak stretch in every tenth of the clip; the third is lost in the middle, and a
    fourth continues it. There is a cut after every third, and a possible face that no mask covers near the end.
    """
    data.library.mkdir(parents=True, exist_ok=True)
    options = ["-bf", "0", "-g", str(_PART_S * rate), "-x264-params", "scenecut=0"]
    once = clips.video(
        data.library / "part.mp4", size=size, frames=_PART_S * rate, rate=str(rate), audio=[clips.Audio()],
        options=options,
    )  # fmt: skip
    path = data.library / "interview.mp4"
    clips.ffmpeg("-stream_loop", str(parts - 1), "-i", once, "-c", "copy", path)
    once.unlink()
    return finish_run(data, path, _build_record(path, size))


def _build_record(path, size):
    blank = record_of(path, lambda _: [])
    count = len(blank.frames)
    frames = [
        msgspec.structs.replace(frame, faces=tuple(_make_faces(frame.index, count, size))) for frame in blank.frames
    ]
    place = count - 20
    possible = Detection(_DETECTOR, _place_head(1, place, size, 0.5), 0.4)
    frames[place] = msgspec.structs.replace(frames[place], doubtful=(possible,))
    # With weights of one's own no faces are planted before a release, which would take the detector again.
    facts = plan_detector(_DETECTOR).facts
    facts = msgspec.structs.replace(facts, parameters={**facts.parameters, "weights": "faces.onnx"})
    detection = msgspec.structs.replace(blank.detection, detectors=(facts,))
    return msgspec.structs.replace(blank, detection=detection, frames=tuple(frames), cuts=(count // 3, 2 * count // 3))


def _make_faces(index, count, size):
    for track in range(3):
        at = (index + track * count // 40) % (count // 10)
        box = _place_head(track, index, size)
        number = track
        if track == 2 and index > count // 2:
            if index < count // 2 + 10:
                continue
            number = 3
        if at < count // 200:
            yield Face(number, box, "interpolated", ())
        else:
            score = 0.25 if count // 20 <= at < count // 16 else 0.9
            yield Face(number, box, "detected", (Detection(_DETECTOR, box, score),))


def _place_head(track, index, size, down=0.0):
    width, height = size
    left, top = _PLACES[track]
    x, y = left * width + index % 20, (top + down) * height
    return Box(x, y, x + height / 6, min(y + height / 4, height - 1.0))
