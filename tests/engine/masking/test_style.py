import msgspec
import pytest

from engine.errors import StyleError
from engine.masking.presets import DEFAULT_PRESET, PRESETS, style_from_preset
from engine.masking.style import LIMITS, Style, check_style, find_weaknesses


def test_every_preset_hides_a_face():
    assert [name for name, preset in PRESETS.items() if find_weaknesses(preset.style)] == []
    assert style_from_preset() == PRESETS[DEFAULT_PRESET].style == PRESETS["strong"].style


def test_presets_differ():
    assert len({preset.style for preset in PRESETS.values()}) == len(PRESETS)


def test_a_preset_can_be_changed_value_by_value_also_as_text():
    style = style_from_preset("broadcast", {"blocks": "4", "feather": 0.2, "shape": "rounded"})
    assert (style.blocks, style.feather, style.shape, style.method) == (4, 0.2, "rounded", "pixelate")


@pytest.mark.parametrize(
    ("preset", "overrides", "words"),
    [
        ("fancy", {}, "no style 'fancy'.*strong, broadcast"),
        ("strong", {"sigmoid": 1}, "sigmoid"),
        ("strong", {"sigma": "wide"}, "sigma"),
        ("strong", {"sigma": 7}, "sigma"),
        ("strong", {"shape": "star"}, "star"),
        ("strong", {"colour": "red"}, "colour"),
        ("strong", {"method": "image"}, "image_sha256"),
    ],
)
def test_an_invalid_override_is_refused_by_name(preset, overrides, words):
    with pytest.raises(StyleError, match=words):
        style_from_preset(preset, overrides)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sigma": 0.0}, "sigma must be from 0.01 to 1.0, got 0.0"),
        ({"feather": -0.1}, "feather must be"),
        ({"scale": float("nan")}, "scale must be"),
        ({"blocks": 0}, "blocks must be"),
        ({"method": "magic"}, "method must be one of gaussian"),
        ({"colour": "#12345g"}, "colour must match"),
        ({"method": "image", "image": "a.png"}, "needs image"),
        ({"image_sha256": "abc"}, "image_sha256 must match"),
    ],
)
def test_an_illegal_style_cannot_be_built(values, words):
    with pytest.raises(ValueError, match=words):
        Style(**values)


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.method or limit.shape}-{limit.field}")
def test_each_limit_is_allowed_and_what_lies_beyond_is_refused(limit):
    about = {"method": limit.method or "solid", "shape": limit.shape or "rectangle"}
    step = 1 if isinstance(limit.value, int) else 0.01
    beyond = limit.value - step if limit.side == "least" else limit.value + step
    check_style(Style(**about, **{limit.field: limit.value}))
    with pytest.raises(StyleError, match=rf"{limit.field} {beyond:g}.*{limit.side} {limit.value}"):
        check_style(Style(**about, **{limit.field: beyond}))


@pytest.mark.parametrize(
    ("preset", "overrides"),
    [
        ("strong", {"sigma": 0.04, "samples": 64, "levels": 256}),
        ("strong", {"sigma": 0.02, "samples": 64, "levels": 256}),
        ("broadcast", {"blocks": 10}),
        ("broadcast", {"blocks": 12}),
        ("broadcast", {"blocks": 16}),
        ("broadcast", {"blocks": 24}),
    ],
)
def test_what_people_were_recognised_under_is_refused(preset, overrides):
    """As docs/measurements/reidentification.md has it, from a single frame or from several."""
    assert find_weaknesses(style_from_preset(preset, overrides))


def test_every_weakness_is_listed():
    assert len(find_weaknesses(Style(sigma=0.05, samples=64, levels=256, scale=0.9))) == 5


def test_an_opaque_style_has_no_limit_of_strength():
    check_style(Style(method="solid", shape="rectangle", scale=1.0, sigma=0.01, blocks=64, levels=256))


def test_a_style_survives_json_and_refuses_unknown_fields():
    for preset in PRESETS.values():
        assert msgspec.json.decode(msgspec.json.encode(preset.style), type=Style) == preset.style
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"strength":1}', type=Style)
