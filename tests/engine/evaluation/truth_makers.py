"""Makers of truth and of records with several detectors."""

import msgspec

from engine.core.geometry import Box, Size
from engine.evaluation.ground_truth import parse_truth
from engine.record import Detection, DetectorFacts, Face, Frame
from tests.record_makers import make_record

SIZE = Size(1000, 800)


def make_truth(*rows, header="file,frame,x,y,w,h,ignore"):
    """A table from rows of text."""
    return parse_truth("\n".join([header, *rows]) + "\n", "truth.csv")


def truth_row(file, frame, box, ignore=0):
    left, top, right, bottom = box
    return f"{file},{frame},{left},{top},{right - left},{bottom - top},{ignore}"


def record_of(frames, detectors=("a", "b"), size=SIZE, damaged=(), sha256="ab" * 32):
    """A record of `frames`, each a sequence of faces: a box, or a pair of a box and the boxes of detectors by name."""
    empty = make_record([()] * len(frames), size=size, damaged=damaged, sha256=sha256)
    facts = tuple(DetectorFacts(name, {}, (), {}) for name in detectors)
    rows = tuple(
        Frame(index, 512 * index, tuple(_face(track, face) for track, face in enumerate(faces)))
        for index, faces in enumerate(frames)
    )
    return msgspec.structs.replace(
        empty, frames=rows, detection=msgspec.structs.replace(empty.detection, detectors=facts)
    )


def _face(track, face):
    box, seen = face if isinstance(face[1], dict) else (face, {})
    evidence = tuple(Detection(name, Box(*seen[name]), 0.9) for name in sorted(seen))
    return Face(track, Box(*box), "detected" if evidence else "interpolated", evidence)
