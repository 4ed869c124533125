import numpy as np

from engine.core.geometry import Box, Size
from engine.jobs.thumbnails import mask_preview
from tests.engine.jobs.noise_pictures import noise


def test_a_face_is_masked_and_the_rest_is_not_touched():
    picture = noise()
    shown = mask_preview(picture, [Box(100, 80, 180, 180)], Size(320, 240))
    face = np.s_[45:85, 55:85]
    assert shown[face].std() < 0.4 * picture[face].std()
    assert np.array_equal(shown[:20, :20], picture[:20, :20])


def test_a_picture_without_faces_is_too_coarse_to_recognise_any():
    shown = mask_preview(noise(), [], Size(320, 240))
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) <= 24 * 18
    assert np.array_equal(shown[0, 0], shown[3, 4])
