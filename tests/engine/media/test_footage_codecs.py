"""The footage matrix of codecs in containers: each cell is kept, converted or refused as its row says, by the laws."""

import pytest

from tests.footage_matrix.codec_cells import CODEC_CELLS
from tests.footage_matrix.trial import check_cell

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("cell", CODEC_CELLS, ids=[cell.title for cell in CODEC_CELLS])
def test_cell(cell, tmp_path):
    check_cell(cell, tmp_path)
