"""Made-up people, and a made-up recogniser that tells them by their pattern."""

import cv2
import numpy as np

from engine.assurance.reidentification.base import Placement
from engine.assurance.reidentification.pictures import Clip
from engine.media.source.probe import probe
from engine.record import DetectorFacts
from tests import clips
from tests.record_makers import record_of

SIDE = 64


class PatternRecogniser:
    """A `Recogniser`: what it knows of a face is the brightness of 8 by 8 parts of it."""

    facts = DetectorFacts("pattern", {}, (), {})

    def find_placement(self, picture, box):
        return Placement(0.0, 0.0, 1.0, 0.0)

    def cut_face(self, picture, box, placement):
        left, top, right, bottom = box.to_pixel_bounds()
        return cv2.resize(picture[top:bottom, left:right], (32, 32), interpolation=cv2.INTER_AREA)

    def embed_faces(self, faces):
        small = [cv2.resize(face, (8, 8), interpolation=cv2.INTER_AREA) for face in faces]
        return np.array([one.mean(axis=2).ravel() / 255 for one in small]).reshape(len(faces), 64)


def make_clip(folder, name, seed, frames=24):
    """A clip in which a face, a pattern drawn from `seed`, moves about a little."""
    pattern = np.random.default_rng(seed).integers(0, 256, (4, 4, 1), dtype=np.uint8).repeat(3, axis=2)
    face = cv2.resize(pattern, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    picture = folder / f"{name}.png"
    cv2.imwrite(str(picture), face)
    clips.ffmpeg(
        "-f", "lavfi", "-i", f"color=c=gray:size=192x160:rate=25:duration={frames / 25}", "-i", picture,
        "-filter_complex", "[0][1]overlay=x=40+mod(n\\,4):y=40,format=yuv420p", "-frames:v", str(frames),
        "-c:v", "libx264", "-preset", "veryfast", "-threads", "1", "-crf", "18", folder / f"{name}.mp4",
    )  # fmt: skip
    picture.unlink()
    path = folder / f"{name}.mp4"
    record = record_of(path, lambda index: [(40 + index % 4, 40, 40 + index % 4 + SIDE, 40 + SIDE)])
    return Clip(f"{name}.mp4", path, probe(path), record)
