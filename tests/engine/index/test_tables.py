"""The rows of the tables, their columns, and the names that the package loads on first use."""

import subprocess
import sys

import pytest

from engine import index
from engine.core.geometry import Box
from engine.index.schema import DetectorNames
from engine.index.tables import TABLES_VERSION, _build_table
from engine.record import Detection, sha256_hex

COLUMNS_OF_VERSION = {1: "4c3ef24a32e2efc3", 2: "f7c60065966c5bf8"}


def test_another_column_needs_another_version_of_the_tables():
    """Otherwise tables without the new column would be read as if they had it."""
    columns = repr([(table, [(one.name, one.kind) for one in columns]) for table, columns in index.TABLES.items()])
    found = sha256_hex(columns.encode())[:16]
    assert found == COLUMNS_OF_VERSION.get(TABLES_VERSION), f"put {TABLES_VERSION}: {found!r} into COLUMNS_OF_VERSION"


def test_a_row_has_every_column_of_its_table_and_no_other():
    row = {column.name: None for column in index.TABLES["tracks"]}
    assert _build_table("tracks", [row]).num_rows == 1
    for wrong in ({**row, "extra": 1}, {name: cell for name, cell in row.items() if name != "stop"}):
        with pytest.raises(ValueError, match="A row of tracks has the columns"):
            _build_table("tracks", [wrong])


def test_detector_names_survive_the_cell():
    evidence = [Detection(name, Box(0, 0, 9, 9), 0.5) for name in ("yolov8-face", "centerface")]
    names = DetectorNames.from_evidence(evidence)
    assert str(names) == "centerface+yolov8-face"
    assert DetectorNames.parse(str(names)) == names


def test_every_public_name_loads_and_no_other():
    assert all(getattr(index, name) is not None for name in index.__all__)
    with pytest.raises(AttributeError, match="no attribute 'pd'"):
        index.pd  # noqa: B018 - a library that a module of the package imports


def test_rebuilding_needs_neither_duckdb_nor_pandas():
    code = "import sys; from engine import index; index.rebuild_index; print({'duckdb', 'pandas'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
