"""CenterFace without a worker: ONNX Runtime gets along with every other library here."""

import numpy as np

from engine.detectors.centerface import CenterFace, CenterFaceSettings
from tests.engine.detectors import face_scenes


def test_centerface_finds_in_this_process_what_it_finds_in_a_worker(models):
    detector = CenterFace.load(CenterFaceSettings(mirror=True), models)
    woman = face_scenes.astronaut()
    [[best, *_], nothing] = detector.detect([woman.picture, np.zeros((64, 64, 3), np.uint8)])
    assert best.box.iou(woman.face) > 0.5
    assert nothing == []
    detector.close()
    detector.close()
