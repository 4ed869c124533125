import hashlib
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.geometry import Box, Orientation, Size
from engine.errors import StyleError
from engine.masking.mask import compute_mask
from engine.masking.painter import cover_picture, redact
from engine.masking.presets import PRESETS
from engine.masking.style import Style
from tests.engine.masking.gradient_pictures import FORMATS, copy, noise, plane_shape, same, upright

SIZE = Size(161, 119)
FACE = Box(40.3, 30.7, 90.1, 95.2)
EDGE = Box(-20.0, 60.0, 30.0, 119.0)


@pytest.fixture(scope="session")
def picture_file(tmp_path_factory):
    image = np.zeros((40, 60, 4), dtype=np.uint8)
    image[:, :30] = (0, 0, 255, 255)
    image[:, 30:] = (255, 0, 0, 128)
    path = tmp_path_factory.mktemp("image") / "half.png"
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return path


@pytest.fixture(scope="session")
def styles(picture_file):
    sha256 = hashlib.sha256(picture_file.read_bytes()).hexdigest()
    return {
        **{name: preset.style for name, preset in PRESETS.items()},
        **{name: Style(method="pattern", pattern=name, shape="rounded") for name in ("stripes", "checker", "grid")},
        "image": Style(method="image", image=str(picture_file), image_sha256=sha256, colour="#00ff00"),
    }


NAMES = [*PRESETS, "stripes", "checker", "grid", "image"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pixel_format", FORMATS.values(), ids=FORMATS)
def test_outside_the_mask_every_sample_of_every_plane_is_as_it_was(name, pixel_format, styles):
    before = noise(pixel_format, SIZE)
    after = copy(before)
    redact(after, [FACE, EDGE], upright(SIZE), styles[name])
    for old, new, mask in zip(
        before.planes, after.planes, compute_mask([FACE, EDGE], upright(SIZE), styles[name], pixel_format), strict=True
    ):
        np.testing.assert_array_equal(new[mask == 0], old[mask == 0])
        assert (new[mask == 255] != old[mask == 255]).mean() > 0.8
        assert new.max() < 1 << pixel_format.bit_depth


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pixel_format", FORMATS.values(), ids=FORMATS)
def test_padding_and_memory_layout_do_not_matter(name, pixel_format, styles):
    padded = noise(pixel_format, SIZE)
    plain = copy(padded)
    for picture in (padded, plain):
        redact(picture, [FACE, EDGE], upright(SIZE), styles[name])
    assert same(padded, plain)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_faces_does_not_matter(name, styles):
    boxes = [FACE, Box(60, 50, 120, 110), EDGE, FACE, Box(70, 20, 80, 35)]
    one, other = (noise(FORMATS["yuv420p"], SIZE) for _ in range(2))
    redact(one, boxes, upright(SIZE), styles[name])
    redact(other, boxes[::-1], upright(SIZE), styles[name])
    assert same(one, other)


@pytest.mark.parametrize("name", ["solid", "stripes", "image"])
def test_under_opaque_styles_nothing_of_the_original_is_left(name, styles):
    style = Style(method="solid") if name == "solid" else styles[name]
    one, other = noise(FORMATS["yuv420p"], SIZE, 1), noise(FORMATS["yuv420p"], SIZE, 2)
    for picture in (one, other):
        redact(picture, [FACE], upright(SIZE), style)
    for a, b, mask in zip(
        one.planes, other.planes, compute_mask([FACE], upright(SIZE), style, FORMATS["yuv420p"]), strict=True
    ):
        np.testing.assert_array_equal(a[mask == 255], b[mask == 255])


@pytest.mark.parametrize("overlap", [Box(60, 50, 120, 110), Box(50, 40, 75, 70)])
def test_where_masks_overlap_the_finer_detail_is_gone_too(overlap):
    """Whatever is under either mask changes as little with a single sample as under one mask alone."""
    one = noise(FORMATS["gray"], SIZE)
    other = copy(one)
    other.planes[0][60, 65] ^= 0xFF
    for picture in (one, other):
        redact(picture, [FACE, overlap], upright(SIZE), PRESETS["strong"].style)
    assert np.abs(one.planes[0].astype(int) - other.planes[0].astype(int)).max() <= 8


@pytest.mark.parametrize("depth", ["gray", "gray16le"])
@pytest.mark.parametrize("blocks", [1, 4, 8])
def test_pixelation_leaves_at_most_so_many_blocks_across_a_face(depth, blocks):
    picture = noise(FORMATS[depth], Size(400, 400))
    style = Style(method="pixelate", shape="rectangle", scale=1.0, feather=0.0, blocks=blocks, levels=256)
    redact(picture, [Box(100, 100, 300, 300)], upright(Size(400, 400)), style)
    face = picture.planes[0][100:300, 100:300].astype(int)
    assert np.count_nonzero(np.any(np.diff(face, axis=1), axis=0)) == blocks - 1
    assert np.count_nonzero(np.any(np.diff(face, axis=0), axis=1)) == blocks - 1


def test_a_block_is_the_mean_of_what_was_there():
    picture = noise(FORMATS["gray16le"], Size(64, 64))
    before = picture.planes[0].copy()
    style = Style(method="pixelate", shape="rectangle", scale=1.0, feather=0.0, blocks=2, levels=256)
    redact(picture, [Box(0, 0, 64, 64)], upright(Size(64, 64)), style)
    assert abs(int(picture.planes[0][0, 0]) - before[:32, :32].mean()) <= 128


@pytest.mark.parametrize("depth", ["gray", "gray16le"])
def test_the_blur_is_as_wide_as_its_sigma_says(depth):
    """A step blurred by a Gaussian has its quartiles 0.6745 sigma to each side."""
    size, sigma = Size(600, 600), 0.125
    picture = noise(FORMATS[depth], size)
    top = (1 << FORMATS[depth].bit_depth) - 1
    picture.planes[0][:] = np.where(np.arange(600) < 300, 0, top)
    style = Style(shape="rectangle", scale=1.8, feather=0.0, sigma=sigma, samples=64, levels=256)
    redact(picture, [Box(150, 150, 450, 450)], upright(size), style)
    row = picture.planes[0][300].astype(float) / top
    quartiles = [np.searchsorted(row, share) for share in (0.25, 0.75)]
    measured = (quartiles[1] - quartiles[0]) / (2 * 0.6745) / 300
    assert sigma * 0.97 < measured < sigma * 1.1


def test_strength_grows_with_the_face():
    """The same picture at twice the size gives the same redaction at twice the size."""
    small, large = noise(FORMATS["gray"], Size(200, 200)), noise(FORMATS["gray"], Size(400, 400))
    large.planes[0][:] = np.kron(small.planes[0], np.ones((2, 2), dtype=np.uint8))
    style = Style(method="pixelate", shape="rectangle", scale=1.0, feather=0.0)
    redact(small, [Box(40, 40, 160, 160)], upright(Size(200, 200)), style)
    redact(large, [Box(80, 80, 320, 320)], upright(Size(400, 400)), style)
    np.testing.assert_array_equal(large.planes[0][::2, ::2], small.planes[0])


def test_a_neutral_picture_stays_neutral():
    for pixel_format in (FORMATS["yuv420p"], FORMATS["yuv422p12le"]):
        picture, middle = noise(pixel_format, SIZE), 1 << (pixel_format.bit_depth - 1)
        for plane in picture.planes[1:]:
            plane[:] = middle
        redact(picture, [FACE], upright(SIZE), PRESETS["strong"].style)
        assert all((plane == middle).all() for plane in picture.planes[1:])


turned = st.builds(
    Orientation,
    st.just(SIZE),
    st.sampled_from([Fraction(1), Fraction(16, 11)]),
    st.sampled_from([0, 90, 180, 270]),
    st.booleans(),
)
places = st.floats(-40, 200)
lengths = st.floats(0.2, 150)
faces = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), places, places, lengths, lengths)


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(
    st.lists(faces, max_size=3),
    turned,
    st.sampled_from(sorted(FORMATS)),
    st.sampled_from(sorted(PRESETS)),
    st.sampled_from(["ellipse", "rectangle", "rounded"]),
)
def test_any_face_in_any_picture(boxes, orientation, name, preset, shape):
    style = Style(**{**{f: getattr(PRESETS[preset].style, f) for f in Style.__struct_fields__}, "shape": shape})
    before = noise(FORMATS[name], SIZE)
    after = copy(before)
    redact(after, boxes, orientation, style)
    for old, new, mask in zip(
        before.planes, after.planes, compute_mask(boxes, orientation, style, FORMATS[name]), strict=True
    ):
        np.testing.assert_array_equal(new[mask == 0], old[mask == 0])


@pytest.mark.parametrize(("rotation", "mirrored"), [(0, False), (90, False), (180, True), (270, True)])
def test_an_image_is_upright_for_the_person_who_watches(rotation, mirrored, styles):
    size = Size(120, 80)
    orientation = Orientation(size, Fraction(1), rotation, mirrored)
    picture = noise(FORMATS["gbrp"], size)
    box = Box(0, 0, orientation.display_size.width, orientation.display_size.height)
    style = Style(
        **{f: getattr(styles["image"], f) for f in Style.__struct_fields__ if f != "shape"}, shape="rectangle"
    )
    redact(picture, [box], orientation, style)
    seen = [np.rot90(plane[:, ::-1] if mirrored else plane, -(rotation // 90)) for plane in picture.planes]
    rows, columns = seen[0].shape
    green, blue, red = (plane[rows // 2, columns // 8] for plane in seen)
    assert (red, green, blue) == (255, 0, 0)
    green, blue, red = (plane[rows // 2, -columns // 8] for plane in seen)
    assert (red, green, blue) == (0, 127, 128)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read"), (b"", "cannot be decoded"), (b"no picture", "cannot be decoded")]
)
def test_a_file_that_is_no_image_is_refused(tmp_path, content, words):
    path = tmp_path / "image.png"
    if content is not None:
        path.write_bytes(content)
    sha256 = hashlib.sha256(content or b"").hexdigest()
    with pytest.raises(StyleError, match=words):
        redact(
            noise(FORMATS["gray"], SIZE),
            [FACE],
            upright(SIZE),
            Style(method="image", image=str(path), image_sha256=sha256),
        )


def test_an_image_that_is_not_the_pinned_one_is_refused(picture_file):
    style = Style(method="image", image=str(picture_file), image_sha256="0" * 64)
    with pytest.raises(StyleError, match="the style requires 000"):
        redact(noise(FORMATS["gray"], SIZE), [FACE], upright(SIZE), style)


@pytest.mark.parametrize("pixel_format", FORMATS.values(), ids=FORMATS)
def test_a_covered_picture_holds_nothing(pixel_format):
    picture = noise(pixel_format, SIZE)
    cover_picture(picture)
    for plane, found in enumerate(picture.planes):
        assert found.shape == plane_shape(pixel_format, plane, SIZE)
        limited = 16 << (pixel_format.bit_depth - 8)
        chroma = pixel_format.planes[plane] in "uv"
        black = 1 << (pixel_format.bit_depth - 1) if chroma else 0 if pixel_format.full_range else limited
        assert (found == black).all()
