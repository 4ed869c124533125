import numpy as np
import pytest

from engine.core.geometry import Size
from engine.core.picture import PixelFormat
from engine.masking.colour import choose_matrix, parse_colour, samples_from_rgb


def yuv(colour, matrix, depth=8, *, full_range=False):
    pixel_format = PixelFormat("any", depth, (0, 0), "yuv", full_range)
    return tuple(int(samples_from_rgb(parse_colour(colour), plane, pixel_format, matrix)) for plane in "yuv")


@pytest.mark.parametrize(
    ("colour", "matrix", "expected"),
    [
        ("#ff0000", "smpte170m", (81, 90, 240)),
        ("#00ff00", "smpte170m", (145, 54, 34)),
        ("#0000ff", "bt470bg", (41, 240, 110)),
        ("#ff0000", "bt709", (63, 102, 240)),
        ("#00ff00", "bt709", (173, 42, 26)),
        ("#0000ff", "bt709", (32, 240, 118)),
        ("#000000", "bt709", (16, 128, 128)),
        ("#ffffff", "bt2020nc", (235, 128, 128)),
    ],
)
def test_colour_bars_have_their_published_codes(colour, matrix, expected):
    assert yuv(colour, matrix) == expected


def test_full_range_and_more_bits():
    assert yuv("#ffffff", "bt709", full_range=True) == (255, 128, 128)
    assert yuv("#000000", "bt709", full_range=True) == (0, 128, 128)
    assert yuv("#ff0000", "smpte170m", depth=10) == (326, 361, 960)
    assert yuv("#0000ff", "bt709", depth=16, full_range=True)[1] == 65535


def test_gbr_planes_hold_the_colour_itself():
    pixel_format = PixelFormat("gbrp", 8, (0, 0), "gbr", full_range=True)
    assert [int(samples_from_rgb(parse_colour("#102030"), plane, pixel_format, "bt709")) for plane in "gbr"] == [
        0x20,
        0x30,
        0x10,
    ]


def test_a_whole_image_is_converted_as_each_of_its_pixels():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3))
    pixel_format = PixelFormat("yuv444p10le", 10, (0, 0), "yuv", full_range=False)
    for plane in "yuv":
        whole = samples_from_rgb(image, plane, pixel_format, "bt709")
        assert whole.shape == (5, 7)
        assert int(whole[3, 4]) == int(samples_from_rgb(image[3, 4], plane, pixel_format, "bt709"))


@pytest.mark.parametrize(
    ("tag", "size", "matrix"),
    [
        ("bt470bg", Size(1920, 1080), "bt470bg"),
        (None, Size(1920, 1080), "bt709"),
        (None, Size(720, 576), "smpte170m"),
        (None, Size(720, 1280), "bt709"),
        ("ycgco", Size(640, 480), "smpte170m"),
    ],
)
def test_an_undeclared_matrix_is_the_usual_one(tag, size, matrix):
    assert choose_matrix(tag, size) == matrix
