"""List the files of a batch: from files, folders, glob patterns and manifests."""

from __future__ import annotations

import csv
import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from engine.batch.remote import is_url, list_remote_files
from engine.core.json_decoder import decode_json
from engine.errors import InputError
from engine.media.containers import VIDEO_SUFFIXES

_CSV_SUFFIX = ".csv"
_JSON_LINES_SUFFIXES = frozenset({".jsonl", ".ndjson"})
_SOURCE_COLUMN, _OUTPUT_COLUMN = "source", "output"


@dataclass(frozen=True, slots=True)
class ListedSource:
    """A file of a batch, as it was named.

    Attributes:
        source: the file.
        name: path of the output in the output folder, with the suffix of the source or the one that a manifest gives.
        is_name_chosen: the name comes from a manifest, so its suffix decides about the container.
        options: options that a manifest gives for this file, by name.
        url: address of the file; `source` is then only its name. None: it is on this machine.
        origin: where the options stand, for an error: `list.csv, line 3`.
    """

    source: Path
    name: PurePosixPath
    is_name_chosen: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""
    url: str | None = None


def list_sources(named: Sequence[str], output_folder: Path) -> list[ListedSource]:
    """List the files that the sources of a batch stand for, in the order of the sources and then by path.

    A folder stands for the videos in it and its subfolders; hidden ones, and the output folder, are left out. A file
    that is listed twice appears once, with the options of the first place.

    Args:
        named: files, folders, glob patterns, addresses and manifests (`.csv`, `.jsonl`, `.ndjson`).
        output_folder: where the outputs go.

    Raises:
        InputError: a manifest is unreadable, or a pattern or folder stands for no file.
    """
    listed: dict[tuple[object, PurePosixPath], ListedSource] = {}
    for text in named:
        for entry in _expand(text, output_folder.resolve()):
            listed.setdefault((entry.url or entry.source.resolve(), entry.name), entry)
    return list(listed.values())


def find_watched_folders(named: Iterable[str]) -> tuple[Path, ...]:
    """Return the folders among the sources of a batch."""
    return tuple(path for path in map(Path, named) if path.is_dir())


def _expand(text: str, output_folder: Path) -> Iterator[ListedSource]:
    path = Path(text)
    if is_url(text):
        yield from _list_remote(text)
    elif path.is_dir():
        yield from _list_folder(path, output_folder)
    # A file whose name has a bracket is a file, not a pattern.
    elif not path.exists() and glob.has_magic(text):
        yield from _expand_pattern(text, output_folder)
    elif path.suffix.lower() in {_CSV_SUFFIX, *_JSON_LINES_SUFFIXES}:
        yield from _read_manifest(path)
    else:
        yield ListedSource(path, PurePosixPath(path.name))


def _list_remote(url: str) -> Iterator[ListedSource]:
    base = url.rstrip("/")
    for found in list_remote_files(url):
        name = PurePosixPath(found.removeprefix(f"{base}/").partition("?")[0])
        if found == url:
            name = PurePosixPath(name.name)
        elif name.suffix.lower() not in VIDEO_SUFFIXES or any(part.startswith(".") for part in name.parts):
            continue
        yield ListedSource(Path(name.name), name, url=found)


def _list_folder(folder: Path, output_folder: Path) -> Iterator[ListedSource]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.suffix.lower() not in VIDEO_SUFFIXES or any(part.startswith(".") for part in parts):
            continue
        # An output folder inside a source folder would make outputs the sources of the next run.
        if path.is_file() and output_folder not in path.resolve().parents:
            yield ListedSource(path, PurePosixPath(*parts))


def _expand_pattern(pattern: str, output_folder: Path) -> Iterator[ListedSource]:
    # The folders before the first wildcard say nothing about the files, so outputs keep only what follows them.
    parts = Path(pattern).parts
    number = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    folder = Path(*parts[:number])
    found = [path for path in sorted(folder.glob("/".join(parts[number:]))) if path.is_file()]
    if not found:
        raise InputError(
            f"No file fits the pattern {pattern}: check it, and quote it so that the shell leaves it alone."
        )
    for path in found:
        if output_folder not in path.resolve().parents:
            yield ListedSource(path, PurePosixPath(path.relative_to(folder).as_posix()))


def _read_manifest(path: Path) -> Iterator[ListedSource]:
    try:
        # A spreadsheet program writes a byte-order mark, which would become a part of the first column's name.
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The manifest {path} cannot be read ({error}): give a UTF-8 text file.") from error
    rows = _read_csv(path, text) if path.suffix.lower() == _CSV_SUFFIX else _read_json_lines(path, text)
    for line, row in rows:
        yield _parse_row(path, line, row)


def _read_csv(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(text.splitlines(), strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise InputError(
                    f"{path}, line {reader.line_num}: the row has another number of cells than the heading."
                )
            # An empty cell leaves an option as it is for the whole batch.
            yield reader.line_num, {name: value for name, value in row.items() if value != ""}
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: the row is not valid CSV ({error}).") from error


def _read_json_lines(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                yield number, decode_json(line, type=dict[str, Any])
            except msgspec.DecodeError as error:
                raise InputError(f"{path}, line {number}: the line is not a JSON object ({error}).") from error


def _parse_row(path: Path, line: int, row: Mapping[str, Any]) -> ListedSource:
    origin, values = f"{path}, line {line}", dict(row)
    source, output = values.pop(_SOURCE_COLUMN, None), values.pop(_OUTPUT_COLUMN, None)
    if not isinstance(source, str) or not source:
        raise InputError(f"{origin}: the row names no file; give it in the column {_SOURCE_COLUMN!r}.")
    if "\0" in f"{source}{output}":
        raise InputError(f"{origin}: a name of a file has a NUL character in it, which no file system takes.")
    url = source if is_url(source) else None
    if url is not None:
        source = PurePosixPath(url.partition("?")[0]).name
    if output is None:
        name = PurePosixPath(Path(source).name) if Path(source).is_absolute() else PurePosixPath(source)
        # A source beside the manifest's folder has no place below the output folder that would keep its folders.
        name = PurePosixPath(*(part for part in name.parts if part != ".."))
        return ListedSource(path.parent / source, name, options=values, origin=origin, url=url)
    name = PurePosixPath(str(output))
    if name.is_absolute() or ".." in name.parts or not name.suffix:
        raise InputError(f"{origin}: the output {output!r} has to be a file name with a suffix in the output folder.")
    return ListedSource(path.parent / source, name, is_name_chosen=True, options=values, origin=origin, url=url)
