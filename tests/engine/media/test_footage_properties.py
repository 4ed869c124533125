"""The footage matrix of all properties: each cell is kept, converted or refused as its row says, by the laws."""

import pytest

from tests.footage_matrix.codec_cells import CODEC_CELLS
from tests.footage_matrix.property_cells import PROPERTY_CELLS
from tests.footage_matrix.table import PAGE, build_page
from tests.footage_matrix.trial import check_cell

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("cell", PROPERTY_CELLS, ids=[cell.title for cell in PROPERTY_CELLS])
def test_cell(cell, tmp_path):
    check_cell(cell, tmp_path)


def test_page_shows_the_cells():
    assert PAGE.read_text(encoding="utf-8") == build_page()
    cells = [*CODEC_CELLS, *PROPERTY_CELLS]
    assert len({cell.title for cell in cells}) == len(cells)
