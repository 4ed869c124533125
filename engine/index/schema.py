"""The tables of the index: their columns and the meaning of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from engine.record import Detection


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name, its Arrow type, and its meaning for a person who writes SQL."""

    name: str
    kind: str
    meaning: str


@dataclass(frozen=True, slots=True)
class DetectorNames:
    """The names of the detectors that found one face, sorted; a cell of the column `seen_by` joins them by +."""

    names: tuple[str, ...]

    @classmethod
    def from_evidence(cls, evidence: Iterable[Detection]) -> DetectorNames:
        """Collect the names from the evidence of a face."""
        return cls(tuple(sorted(one.detector for one in evidence)))

    @classmethod
    def parse(cls, cell: str) -> DetectorNames:
        """Read a cell of the column."""
        return cls(tuple(cell.split("+")))

    def __str__(self) -> str:
        return "+".join(self.names)


_FRAME_COLUMNS = (
    Column("run", "string", "which run"),
    Column("frame", "int32", "index of the frame, from 0"),
    Column("seconds", "float64", "time of the frame, from the first one"),
)
_BOX_COLUMNS = (
    Column("left_px", "float32", "edges of the box in display pixels"),
    Column("top_px", "float32", ""),
    Column("right_px", "float32", ""),
    Column("bottom_px", "float32", ""),
    Column("height_px", "float32", "its height"),
)
TABLES: Mapping[str, tuple[Column, ...]] = {
    "frames": (
        *_FRAME_COLUMNS,
        Column("pts", "int64", "presentation timestamp in the video's time base"),
        Column("faces", "int32", "faces after review"),
        Column("seen", "int32", "those that a detector saw in this very frame"),
        Column("doubtful", "int32", "sightings that the frames around do not bear out"),
        Column("disagreements", "int32", "sightings that another detector lacks, once for each that lacks it"),
        Column("cut", "bool", "a new scene begins"),
        Column("damaged", "bool", "it could not be decoded whole"),
        Column("covered", "bool", "it is covered whole"),
    ),
    "faces": (
        *_FRAME_COLUMNS,
        Column("track", "int32", "number of the track"),
        Column("origin", "string", "detected, interpolated, extended or reviewer"),
        *_BOX_COLUMNS,
        Column("sightings", "int32", "how many detectors saw it"),
        Column("seen_by", "string", "their names, joined by +"),
        Column("score", "float32", "of the surest sighting"),
        Column("seen_height_px", "float32", "height of the surest sighting's box"),
        Column("all_asked", "bool", "every detector of the run was asked about this frame"),
        Column("amendment", "int32", "number of the last amendment that changed it"),
        Column("visible", "bool", "a reviewer keeps it visible, with a reason"),
    ),
    "evidence": (
        *_FRAME_COLUMNS,
        Column("track", "int32", "the face it belongs to"),
        Column("detector", "string", "who saw it"),
        Column("score", "float32", "how sure, 0 to 1"),
        *_BOX_COLUMNS,
    ),
    "doubtful": (
        *_FRAME_COLUMNS,
        Column("detector", "string", "who saw it"),
        Column("score", "float32", "how sure, 0 to 1"),
        *_BOX_COLUMNS,
    ),
    "agreement": (
        *_FRAME_COLUMNS,
        Column("track", "int32", "the face it belongs to, nothing for a doubtful sighting"),
        Column("detector", "string", "who saw something"),
        Column("other", "string", "another detector that was asked about this frame"),
        Column("seen", "bool", "whether the other saw it too"),
        Column("score", "float32", "how sure the first was"),
        Column("height_px", "float32", "height of its box"),
    ),
    "tracks": (
        Column("run", "string", "which run"),
        Column("track", "int32", "number of the track"),
        Column("origin", "string", "of the faces in this stretch"),
        Column("start", "int32", "first frame of the stretch"),
        Column("stop", "int32", "the frame after its last"),
        Column("start_seconds", "float64", "when it begins"),
        Column("stop_seconds", "float64", "when it ends"),
    ),
}
"""Every table by name, as the files and the SQL box have them."""


def build_arrow_schema(table: str) -> pa.Schema:
    """The Arrow schema of a table."""
    kinds = {"string": pa.string(), "bool": pa.bool_()}
    return pa.schema(
        [(column.name, kinds.get(column.kind) or pa.type_for_alias(column.kind)) for column in TABLES[table]]
    )
