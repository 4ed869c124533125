"""Each table has what its users need: a new row is complete, or one of these tests names what is missing."""

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cli.parser import build_parser
from engine.core.geometry import Box, Size
from engine.errors import InputError
from engine.live.controls import LiveControlsState
from engine.masking.mask import compute_mask
from engine.masking.methods import METHODS
from engine.masking.painter import FILLINGS
from engine.masking.patterns import PATTERNS
from engine.masking.presets import DEFAULT_PRESET, PRESETS, format_style, parse_style, style_from_preset
from engine.masking.shapes import SHAPES
from engine.masking.style import Method, Pattern, Shape, Style, find_weaknesses, read_field_rules
from tests.engine.masking.gradient_pictures import FORMATS, upright
from tests.repository import ROOT


def test_the_type_of_a_style_allows_the_names_of_the_tables():
    assert [get_args(words) for words in (Method, Shape, Pattern)] == [
        tuple(table) for table in (METHODS, SHAPES, PATTERNS)
    ]


def test_every_method_has_a_function_that_draws_it():
    assert list(FILLINGS) == list(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_names_fields_of_a_style_and_describes_itself(name):
    method = METHODS[name]
    assert set(method.parameters) <= set(Style.__struct_fields__)
    fields = set(re.findall(r"{(\w+)", method.summary))
    assert fields <= {*Style.__struct_fields__, "image_name", "image_hash"}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_covers_the_whole_face_box_at_its_full_cover_scale(name):
    style = Style(shape=name, scale=SHAPES[name].full_cover_scale, corner=0.0)
    cover = compute_mask([Box(30, 20, 60, 70)], upright(Size(97, 83)), style, FORMATS["gray"])[0]
    assert (cover[20:70, 30:60] == 255).all()


@pytest.mark.parametrize("corner", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("name", SHAPES)
def test_the_smallest_mask_that_is_allowed_covers_nearly_all_of_the_face_box(name, corner):
    scale = SHAPES[name].min_scale or 1.0
    style = Style(method="solid", shape=name, scale=scale, corner=corner, feather=0.0)
    assert find_weaknesses(style) == []
    cover = compute_mask([Box(300, 200, 600, 600)], upright(Size(900, 800)), style, FORMATS["gray"])[0]
    assert (cover[200:600, 300:600] == 255).mean() >= 0.95


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_names_fields_of_a_style_as_its_parameters(name):
    assert set(SHAPES[name].parameters) <= set(read_field_rules())


def test_the_live_controls_take_every_preset_and_shape():
    for preset in PRESETS:
        for shape in SHAPES:
            assert LiveControlsState(style=preset, shape=shape).build_style().shape == shape


@pytest.mark.parametrize("verb", ["render", "anonymise", "live"])
def test_the_help_of_the_command_line_names_every_preset(verb, capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args([verb, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for preset in PRESETS.values():
        assert f"{preset.name} (" in shown


def test_the_readme_has_the_table_of_presets():
    rows = re.findall(r"^\| `([\w-]+)`( \(default\))? \| (.*) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [(name, bool(default), text) for name, default, text in rows if name in PRESETS] == [
        (preset.name, preset.name == DEFAULT_PRESET, preset.description) for preset in PRESETS.values()
    ]


@pytest.mark.slow
@given(
    st.builds(
        Style,
        method=st.sampled_from([name for name, method in METHODS.items() if not method.needs_file]),
        shape=st.sampled_from(list(SHAPES)),
        scale=st.floats(0.5, 4.0),
        levels=st.integers(2, 256),
        pattern=st.sampled_from(list(PATTERNS)),
        colour=st.from_regex("#[0-9a-fA-F]{6}", fullmatch=True),
    )
)
def test_a_style_written_as_text_is_read_back(style):
    assert parse_style(format_style(style)) == style


@pytest.mark.parametrize("value", ["0.3", "3e-1", " 0.3"])
def test_a_number_in_the_text_of_a_style_may_be_written_as_in_json(value):
    assert parse_style(f"strong,sigma={value}") == style_from_preset("strong", {"sigma": 0.3})


def test_a_text_that_is_no_style_is_refused():
    with pytest.raises(InputError, match="takes NAME=VALUE pairs"):
        parse_style("strong,sigma")
    assert parse_style('strong,shape="rectangle",levels=8.0') == style_from_preset(
        "strong", {"shape": "rectangle", "levels": 8}
    )
