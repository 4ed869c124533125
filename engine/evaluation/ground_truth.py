"""Read ground truth, the faces in the frames of files, strictly from a table."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from engine.core.file_types import STILL_SUFFIXES
from engine.core.geometry import Box
from engine.errors import InputError
from engine.record import Document

COLUMNS = ("file", "frame", "x", "y", "w", "h")
"""Columns that a table must have. `ignore` and `track` are optional; any other column is kept as an attribute."""

_NUMBER_PATTERN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INDEX_PATTERN = re.compile(r"\d+", re.ASCII)


class TruthFace(Document, frozen=True, gc=False):
    """A marked face.

    Attributes:
        box: Its box in display pixels; it may cross the border of the picture.
        ignore: True if finding it does not count for a detector, and missing it does not count against it.
        track: Value of the column `track`, None if it is empty or absent.
        attributes: Values of the other columns by name.
    """

    box: Box
    ignore: bool = False
    track: str | None = None
    attributes: Mapping[str, str] = {}


class LabelledFrame(Document, frozen=True, gc=False):
    """A labelled frame: its file as in the table, its number in presentation order, and its faces."""

    file: str
    number: int
    faces: tuple[TruthFace, ...]


class Clip(Document, frozen=True):
    """The frames of one record: a video, a photograph, or a folder of stills that are the frames of one video.

    Attributes:
        name: The file as in the table, or the folder of the stills.
        sequence: True for a folder of stills.
        frames: The labelled frames, sorted by number. Other frames are unknown, not empty.
    """

    name: str
    sequence: bool
    frames: tuple[LabelledFrame, ...]


class Truth(Document, frozen=True):
    """A table of ground truth.

    Attributes:
        name: Name for error messages, usually the path.
        clips: The clips in the order of the table.
        columns: Names of the attributes.
    """

    name: str
    clips: tuple[Clip, ...]
    columns: tuple[str, ...]

    def ignore_others(self, column: str, values: Collection[str]) -> Truth:
        """Return the truth in which faces are ignored unless their attribute `column` is one of `values`.

        They are not removed, because a box on one of them would then count as false.

        Raises:
            InputError: There is no such column.
        """
        if column not in self.columns:
            known = ", ".join(self.columns) or "none"
            raise InputError(f"{self.name} has no column {column!r} to choose faces by; it has {known}.")
        return self._map_faces(
            lambda face: face if face.attributes[column] in values else msgspec.structs.replace(face, ignore=True)
        )

    def shrink_to_centre(self, share: float) -> Truth:
        """Return the truth in which each face is the centre of its box: `share` of its width and of its height.

        Ignored boxes keep their size, because a detection anywhere on them counts neither way.
        """
        return self._map_faces(
            lambda face: face if face.ignore else msgspec.structs.replace(face, box=face.box.scale(share))
        )

    def _map_faces(self, change: Callable[[TruthFace], TruthFace]) -> Truth:
        replace = msgspec.structs.replace
        clips = (
            replace(
                clip,
                frames=tuple(replace(frame, faces=tuple(map(change, frame.faces))) for frame in clip.frames),
            )
            for clip in self.clips
        )
        return replace(self, clips=tuple(clips))


def read_truth(path: Path) -> Truth:
    """Read a table from a file.

    Raises:
        InputError: The file cannot be read, or `parse_truth` refuses it.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}. Give the path of a table of ground truth."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    return parse_truth(text, str(path))


def parse_truth(text: str, name: str = "truth") -> Truth:
    """Read a table of comma-separated values strictly: `file,frame,x,y,w,h`, then `ignore`, `track` and any others.

    Pixels count from the top left. An empty `frame` is 0, as for a photograph; an empty `ignore` is 0. A row with empty
    `x,y,w,h` says that the frame shows no face. Stills in one folder are one sequence if the table gives any of them a
    frame other than 0.

    Args:
        text: The table.
        name: Name for error messages, usually the path.

    Raises:
        InputError: The table is invalid or contradicts itself; the message names the line and the column.
    """
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(table, [])]
        _check_header(header, name)
        rows = [
            _parse_row(dict(zip(header, cells, strict=True)), line, name)
            for line, cells in _read_lines(table, header, name)
        ]
    except csv.Error as error:
        raise InputError(f"{name} line {table.line_num}: {error}. Write it as comma-separated values.") from error
    if not rows:
        raise InputError(f"{name} has a header and no rows; there is nothing to compare with.")
    return Truth(
        name, tuple(_group_clips(rows, name)), tuple(column for column in header if column not in _KNOWN_COLUMNS)
    )


_KNOWN_COLUMNS = frozenset({*COLUMNS, "ignore", "track"})


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    file: str
    frame: int
    face: TruthFace | None


def _check_header(header: Sequence[str], name: str) -> None:
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise InputError(
            f"{name} line 1: column {', '.join(missing)} is missing; the first line must name {', '.join(COLUMNS)}."
        )
    for column in header:
        if header.count(column) > 1:
            raise InputError(f"{name} line 1: column {column!r} occurs twice; name each column once.")


def _read_lines(table: Iterator[list[str]], header: Sequence[str], name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the number of its line."""
    for cells in table:
        line: int = table.line_num  # type: ignore[attr-defined]
        if not cells:
            continue
        if len(cells) != len(header):
            raise InputError(f"{name} line {line}: expected {len(header)} columns, as in line 1, got {len(cells)}.")
        yield line, cells


def _parse_row(cells: Mapping[str, str], line: int, name: str) -> _Row:
    read_cell = _RowCells({column: cell.strip() for column, cell in cells.items()}, f"{name} line {line}")
    return _Row(line, read_cell.read_file_name("file"), read_cell.read_index("frame"), read_cell.read_face())


@dataclass(frozen=True, slots=True)
class _RowCells:
    """The cells of one row by column, and the position of the row for error messages."""

    values: Mapping[str, str]
    position: str

    def make_error(self, column: str, expected: str) -> InputError:
        return InputError(f"{self.position}, column {column}: expected {expected}, got {self.values[column]!r}.")

    def read_file_name(self, column: str) -> str:
        if not self.values[column]:
            raise self.make_error(column, "a file name")
        return self.values[column]

    def read_index(self, column: str) -> int:
        text = self.values[column]
        if text and not _INDEX_PATTERN.fullmatch(text):
            raise self.make_error(column, "a whole number from 0, or nothing")
        return int(text or 0)

    def read_number(self, column: str) -> float:
        text = self.values[column]
        if not _NUMBER_PATTERN.fullmatch(text) or not math.isfinite(float(text)):
            raise self.make_error(column, "a number of pixels")
        return float(text)

    def read_length(self, column: str) -> float:
        value = self.read_number(column)
        if value <= 0:
            raise self.make_error(column, "a number of pixels above 0")
        return value

    def read_flag(self, column: str) -> bool:
        text = self.values.get(column, "")
        if text not in {"", "0", "1"}:
            raise self.make_error(column, "0, 1 or nothing")
        return text == "1"

    def read_face(self) -> TruthFace | None:
        ignore = self.read_flag("ignore")
        # All four empty is a statement, "no face here". Only some of them empty is an error, found below.
        if not any(self.values[column] for column in ("x", "y", "w", "h")):
            return None
        left, top, width, height = (
            self.read_number("x"),
            self.read_number("y"),
            self.read_length("w"),
            self.read_length("h"),
        )
        attributes = {column: value for column, value in self.values.items() if column not in _KNOWN_COLUMNS}
        box = Box(left, top, left + width, top + height)
        return TruthFace(box, ignore, self.values.get("track") or None, attributes)


def _group_clips(rows: Sequence[_Row], name: str) -> Iterator[Clip]:
    # A photograph has frame 0 only. Another number in a folder shows that its stills are the frames of one video.
    sequences = {_get_folder(row.file) for row in rows if row.frame > 0 and _is_still(row.file)}
    clips: dict[tuple[str, bool], list[_Row]] = defaultdict(list)
    for row in rows:
        sequence = _is_still(row.file) and _get_folder(row.file) in sequences
        clips[_get_folder(row.file) if sequence else row.file, sequence].append(row)
    for (clip, sequence), members in clips.items():
        if sequence:
            _check_sequence(members, name)
        yield Clip(clip, sequence, tuple(_group_frames(members, name)))


def _check_sequence(rows: Iterable[_Row], name: str) -> None:
    """Check that each still is one frame, and each frame one still."""
    frame_of: dict[str, int] = {}
    file_of: dict[int, str] = {}
    for row in rows:
        if frame_of.setdefault(row.file, row.frame) != row.frame:
            raise InputError(
                f"{name} line {row.line}, column frame: {row.file} is frame {frame_of[row.file]} in an earlier line, "
                f"{row.frame} here; a still is one frame."
            )
        if file_of.setdefault(row.frame, row.file) != row.file:
            raise InputError(
                f"{name} line {row.line}, column frame: {row.frame} is also the frame of {file_of[row.frame]}; "
                "number the stills of a folder from 0 in the order in which they are seen."
            )


def _group_frames(rows: Iterable[_Row], name: str) -> Iterator[LabelledFrame]:
    frames: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        frames[row.frame].append(row)
    for number in sorted(frames):
        members = frames[number]
        _check_frame(members, name)
        yield LabelledFrame(members[0].file, number, tuple(row.face for row in members if row.face))


def _check_frame(rows: Sequence[_Row], name: str) -> None:
    seen: dict[Box | None, int] = {}
    for row in rows:
        box = row.face.box if row.face else None
        # The same box twice is a mistake of the table, and would count one face as two. So is "no face" beside a face.
        if box in seen:
            raise InputError(f"{name} line {row.line} says the same as line {seen[box]}; remove one of them.")
        seen[box] = row.line
    if None in seen and len(seen) > 1:
        raise InputError(
            f"{name} line {seen[None]}, column x: no box says that the frame shows no face, but another line marks one."
        )


def _get_folder(file: str) -> str:
    return str(PurePosixPath(file).parent)


def _is_still(file: str) -> bool:
    return PurePosixPath(file).suffix.lower() in STILL_SUFFIXES
