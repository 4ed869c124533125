"""Writes the page of the footage matrix from the cells: `python -m tests.footage_matrix.table`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tests.footage_matrix.cells import Cell
from tests.footage_matrix.codec_cells import CODEC_CELLS, CONTAINERS
from tests.footage_matrix.property_cells import PROPERTY_CELLS

PAGE = Path(__file__).parents[2] / "docs" / "measurements" / "footage.md"
_HEAD = """# Footage

This page lists kinds of video and photographs with what becomes of them.

Each cell is a file that a test makes by code, gives a fixed face in the middle, renders, verifies, and compares with
its source by PyAV alone: times of the frames, pictures outside the masks, packets and starts of the audio, rotation,
aspect ratio and colour tags, and that nothing but video, audio and Veil's own comment is in the output.

- **kept**: the output is in the container of the source, and its pictures have the samples of the source.
- **converted**: the output is in another container, or its samples are stored in another way. The table says how.
- **refused**: no frame is decoded; the command ends with a sentence and exit code 2.

The video itself is always encoded again, as H.264 with 8 bits and as HEVC with more. The page is written by
`python -m tests.footage_matrix.table`, and a test compares it with the cells.

## Codecs and containers

"Matroska" is a conversion: Veil writes no such container, so the output is a Matroska file. A dash means that the
container is not used with that codec.

"""


def build_page() -> str:
    """Return the page."""
    return _HEAD + "\n".join([*_build_codec_table(), *_build_property_tables()]) + "\n"


def _build_codec_table() -> Iterator[str]:
    cells = {(cell.name, cell.suffix): cell for cell in CODEC_CELLS}
    yield f"| codec | {' | '.join(CONTAINERS)} |"
    yield "|---" * (len(CONTAINERS) + 1) + "|"
    for codec in dict.fromkeys(cell.name for cell in CODEC_CELLS):
        row = [_describe_codec_cell(cells.get((codec, f".{container}"))) for container in CONTAINERS]
        yield f"| {codec} | {' | '.join(row)} |"


def _describe_codec_cell(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    return cell.outcome if cell.outcome == "kept" else cell.note


def _build_property_tables() -> Iterator[str]:
    for group, cells in groupby(PROPERTY_CELLS, key=lambda cell: cell.group):
        yield from ("", f"## {group}", "", "| footage | file | outcome | |", "|---|---|---|---|")
        for cell in cells:
            note = f'"{cell.sentence}"' if cell.outcome == "refused" else cell.note
            yield f"| {cell.name} | {cell.suffix} | {cell.outcome} | {note} |"


if __name__ == "__main__":
    PAGE.write_text(build_page(), encoding="utf-8")
