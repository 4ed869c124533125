"""Masks that do not catch the eye: no bands, no flicker, no more area than needed; what they replace is unchanged."""

import hashlib

import numpy as np
import pytest

from engine.core.geometry import Box, Size
from engine.masking.mask import compute_mask
from engine.masking.painter import redact
from engine.masking.presets import PRESETS, format_style, parse_style, style_from_preset
from engine.masking.shapes import SHAPES
from engine.masking.steady_mosaic import choose_block
from engine.masking.style import Style
from engine.record import encode_document
from tests.engine.masking.gradient_pictures import FORMATS, noise, upright

SIZE = Size(640, 480)
FACE = Box(150.0, 60.0, 450.0, 420.0)
INNER = (slice(150, 330), slice(220, 380))


def drawn(style, boxes=(FACE,), layout="yuv420p", *, patches=True):
    picture = noise(FORMATS[layout], SIZE)
    # Patches of 40 samples, which a blur does not even out as it does noise.
    for plane in picture.planes if patches else ():
        coarse = plane[:: plane.shape[0] // 12, :: plane.shape[1] // 16][:12, :16].copy()
        plane[...] = np.kron(coarse, np.ones((plane.shape[0] // 12, plane.shape[1] // 16), plane.dtype))
    redact(picture, boxes, upright(SIZE), style)
    return picture


@pytest.mark.parametrize("layout", ["yuv420p", "yuv420p10le"])
def test_blocks_of_a_steady_mosaic_stay_while_the_box_trembles(layout):
    moved = [FACE, Box(152.3, 57.9, 449.1, 421.4), Box(147.2, 61.7, 452.8, 418.8)]
    for name, still in (("steady", True), ("broadcast", False)):
        planes = [drawn(style_from_preset(name), [box], layout).planes[0][INNER] for box in moved]
        assert all(np.array_equal(plane, planes[0]) for plane in planes) == still


def test_a_steady_mosaic_never_has_more_blocks_than_the_style_says():
    for least in np.linspace(0.3, 400, 997):
        assert least <= choose_block(least) <= 1.5 * least + 4
        assert choose_block(least) % 4 == 0
    assert len({choose_block(side) for side in np.linspace(50, 100, 200)}) <= 4


@pytest.mark.parametrize(("layout", "depth"), [("yuv420p", 8), ("yuv420p10le", 10)])
def test_dither_moves_no_sample_by_more_than_a_step_and_breaks_up_bands(layout, depth):
    plain, fine = (
        drawn(style_from_preset("strong", {"dither": on}), layout=layout).planes[0][INNER].astype(int)
        for on in (False, True)
    )
    assert np.abs(fine - plain).max() <= 1
    assert abs((fine - plain).mean()) < 0.6
    if depth == 8:
        # A band is a run of equal samples along a row.
        changes = [np.count_nonzero(np.diff(samples, axis=1)) for samples in (plain, fine)]
        assert changes[1] > 2 * changes[0]


def test_dither_does_not_wrap_around_at_white():
    picture = noise(FORMATS["gray"], SIZE)
    picture.planes[0][...] = 255
    redact(picture, [FACE], upright(SIZE), style_from_preset("strong", {"dither": True, "levels": 256}))
    assert picture.planes[0].min() >= 254


def test_the_full_ellipse_covers_the_whole_box_with_a_fifth_less_area():
    def measure_area(shape):
        style = Style(method="solid", shape=shape, scale=SHAPES[shape].full_cover_scale, feather=0.0)
        cover = compute_mask([FACE], upright(SIZE), style, FORMATS["gray"])[0] == 255
        assert cover[60:420, 150:450].all()
        return cover.sum()

    assert measure_area("superellipse") < 0.82 * measure_area("ellipse")


def test_what_is_off_is_left_out_of_the_json_and_of_the_text():
    assert Style(dither=False, steady=False) == Style()
    assert b"dither" not in encode_document(Style(dither=False))
    assert b'"dither":true' in encode_document(Style(dither=True))
    for preset in PRESETS:
        for dither in (True, False):
            style = style_from_preset(preset, {"dither": dither})
            assert parse_style(format_style(style)) == style


def test_the_former_presets_draw_what_they_drew():
    found = hashlib.sha256()
    for name in ("strong", "broadcast", "editorial", "training-data"):
        for layout in ("yuv420p", "yuv420p10le"):
            for plane in drawn(
                style_from_preset(name), [FACE, Box(400.5, 300.25, 600.1, 480.0)], layout, patches=False
            ).planes:
                found.update(plane.tobytes())
    assert found.hexdigest() == "b2ba1efe19ebf3ab6b1d9c76a588c90d53f5e46f9ed31f339cc53a0fd3cf0e34"
