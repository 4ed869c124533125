"""Which record is of which clip of a table, told by content, else by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from engine.errors import InputError
from engine.evaluation.ground_truth import Clip, Truth
from engine.record import Record
from engine.storage.files import hash_file


def locate_file(name: str, table: Path) -> Path | None:
    """The file or folder that a table of ground truth calls `name`, or None.

    A relative name is looked for beside the table, then in the folder above, then in the current folder.
    """
    folder = table.absolute().parent
    places = (root / name for root in (folder, folder.parent, Path.cwd()))
    return next((place for place in places if place.exists()), None)


def pair_records(truth: Truth, records: Mapping[Path, Record], table: Path) -> dict[str, Record]:
    """The records by name of a clip, or of a still of one, as `engine.evaluation.judgements.examine` takes them.

    A lone record belongs to a lone clip. Else a record belongs to the file whose bytes it was made from, if that file
    can be found; else to the file or folder whose name its own begins with: `a/b.mp4` has `b.json`, `b.mp4.json`, ...

    Args:
        truth: the table.
        records: by path of the record.
        table: path of the table, from where files are looked for.

    Raises:
        InputError: a record belongs to none or to several files of the table, or two belong to one.
    """
    if len(truth.clips) == len(records) == 1:
        return dict(zip((clip.name for clip in truth.clips), records.values(), strict=True))
    names = list(dict.fromkeys(_list_names(truth.clips)))
    contents = _group_by_hash(names, table)
    paired: dict[str, Record] = {}
    for path, record in records.items():
        name = _choose_owner(path, contents.get(record.source.sha256) or _find_alike(path, names), truth.name)
        if name in paired:
            raise InputError(f"{path} is a second record of {name} in {truth.name}; give one of them.")
        paired[name] = record
    return paired


def _list_names(clips: Iterable[Clip]) -> Iterator[str]:
    for clip in clips:
        yield clip.name
        if clip.sequence:
            yield from (frame.file for frame in clip.frames)


def _group_by_hash(names: Iterable[str], table: Path) -> dict[str, list[str]]:
    """By hash of the bytes, the names of files that can be found."""
    contents: dict[str, list[str]] = {}
    for name in names:
        place = locate_file(name, table)
        if place is not None and place.is_file():
            contents.setdefault(hash_file(place), []).append(name)
    return contents


def _find_alike(path: Path, names: Iterable[str]) -> list[str]:
    return [name for name in names if _is_alike(path.name, PurePosixPath(name))]


def _is_alike(record: str, file: PurePosixPath) -> bool:
    return record in {file.name, file.stem} or record.startswith((f"{file.name}.", f"{file.stem}."))


def _choose_owner(path: Path, names: list[str], table: str) -> str:
    if not names:
        raise InputError(
            f"{path} belongs to no file that {table} names; call it like its file: the record of clip.mp4 is clip.json."
        )
    if len(names) > 1:
        raise InputError(
            f"{path} may belong to {names[0]} or to {names[1]} in {table}; give the two files different names."
        )
    return names[0]
