"""The tables of the index: their columns and the meaning of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from engine.record import Detection

_SQL_TYPES: Mapping[str, str] = {
    "bool": "BOOLEAN",
    "float32": "REAL",
    "float64": "DOUBLE",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "string": "VARCHAR",
}
"""What DuckDB calls the Arrow types."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name.
        kind: Its Arrow type.
        meaning: What it means, for a person who writes SQL.
        earlier_name: A name that it had, under which SQL still finds it; empty if there is none.
    """

    name: str
    kind: str
    meaning: str
    earlier_name: str = ""

    @property
    def sql_type(self) -> str:
        """The type as DuckDB names it."""
        return _SQL_TYPES[self.kind]


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
    Column("run", "string", "name of the run"),
    Column("frame", "int32", "index of the frame, from 0"),
    Column("seconds", "float64", "time of the frame, from the first one"),
)
_BOX_COLUMNS = (
    Column("left_px", "float32", "edges of the box in display pixels"),
    Column("top_px", "float32", ""),
    Column("right_px", "float32", ""),
    Column("bottom_px", "float32", ""),
    Column("height_px", "float32", "height of the box"),
)
TABLES: Mapping[str, tuple[Column, ...]] = {
    "frames": (
        *_FRAME_COLUMNS,
        Column("pts", "int64", "presentation timestamp in the video's time base"),
        Column("faces", "int32", "faces after review"),
        Column("seen", "int32", "faces that a detector found in this frame"),
        Column("doubtful", "int32", "possible faces that are not masked"),
        Column("disagreements", "int32", "detections that another detector lacks, counted once for each such detector"),
        Column("cut", "bool", "true if a scene begins here"),
        Column("damaged", "bool", "true if the frame could not be decoded completely"),
        Column("covered", "bool", "true if the whole frame is covered"),
    ),
    "faces": (
        *_FRAME_COLUMNS,
        Column("track", "int32", "number of the track"),
        Column("origin", "string", "detected, carried, interpolated, extended or reviewer"),
        *_BOX_COLUMNS,
        Column("detections", "int32", "number of detections of it", earlier_name="sightings"),
        Column("seen_by", "string", "names of the detectors, joined by +"),
        Column("score", "float32", "highest score of its detections"),
        Column("seen_height_px", "float32", "height of the box of the detection with the highest score"),
        Column("all_asked", "bool", "true if every detector of the run was asked about this frame"),
        Column("amendment", "int32", "number of the last amendment that changed it"),
        Column("visible", "bool", "true if a reviewer keeps it visible"),
    ),
    "evidence": (
        *_FRAME_COLUMNS,
        Column("track", "int32", "track of its face"),
        Column("detector", "string", "name of the detector"),
        Column("score", "float32", "score, 0 to 1"),
        *_BOX_COLUMNS,
    ),
    "doubtful": (
        *_FRAME_COLUMNS,
        Column("detector", "string", "name of the detector"),
        Column("score", "float32", "score, 0 to 1"),
        *_BOX_COLUMNS,
    ),
    "agreement": (
        *_FRAME_COLUMNS,
        Column("track", "int32", "track of its face, empty for a possible face"),
        Column("detector", "string", "detector of the detection"),
        Column("other", "string", "another detector that was asked about this frame"),
        Column("seen", "bool", "true if the other detected it too"),
        Column("score", "float32", "score of the detection"),
        Column("height_px", "float32", "height of its box"),
    ),
    "tracks": (
        Column("run", "string", "name of the run"),
        Column("track", "int32", "number of the track"),
        Column("origin", "string", "origin of the faces in this stretch"),
        Column("start", "int32", "first frame of the stretch"),
        Column("stop", "int32", "the frame after its last"),
        Column("start_seconds", "float64", "time at which it begins"),
        Column("stop_seconds", "float64", "time at which it ends"),
    ),
}
"""The columns of every table by its name, in files and in SQL."""
RUN_COLUMNS: tuple[Column, ...] = (
    Column("run", "string", "identifier of the run"),
    Column("name", "string", "name of its video, with the folder in the library"),
    Column("source_sha256", "string", "hash of the video"),
    Column("record_sha256", "string", "hash of the record"),
    Column("mode", "string", "mode of the detection"),
    Column("detectors", "string", "names of the detectors, joined by +"),
    Column("frames", "int64", "number of frames"),
    Column("seconds", "float64", "length of the video"),
    Column("width", "int64", "size of the frames in display pixels"),
    Column("height", "int64", ""),
    Column("tracks", "int64", "tracks of the record"),
    Column("faces", "int64", "faces of all frames of the record"),
    Column("amendments", "int64", "amendments of reviewers"),
)
"""The columns of the table `runs`, which comes from the catalog and has no file."""


def build_arrow_schema(table: str) -> pa.Schema:
    """Build the Arrow schema of a table."""
    kinds = {"string": pa.string(), "bool": pa.bool_()}
    return pa.schema(
        [(column.name, kinds.get(column.kind) or pa.type_for_alias(column.kind)) for column in TABLES[table]]
    )
