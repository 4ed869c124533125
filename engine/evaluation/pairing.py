"""Find the clip of a ground-truth table that a record belongs to, by content or else by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from engine.errors import InputError
from engine.evaluation.ground_truth import Clip, Truth
from engine.record import Record
from engine.storage.files import hash_file


def locate_file(name: str, table: Path) -> Path | None:
    """Find the file or folder that a ground-truth table calls `name`; None if it does not exist.

    A relative name is looked for in the folder of the table, then in the folder above, then in the current folder.
    """
    folder = table.absolute().parent
    places = (root / name for root in (folder, folder.parent, Path.cwd()))
    return next((place for place in places if place.exists()), None)


def pair_records(truth: Truth, records: Mapping[Path, Record], table: Path) -> dict[str, Record]:
    """Return the records by name of their clip, or of a still of one, as `judge_records` takes them.

    A single record belongs to a single clip. Otherwise a record belongs to the file with the bytes it was made from, if
    that file is found; otherwise to the file or folder whose name its own name begins with: `a/b.mp4` has `b.json`,
    `b.mp4.json`, ...

    Args:
        truth: The table.
        records: The records by their path.
        table: Path of the table. Files are looked for from there.

    Raises:
        InputError: A record belongs to no file of the table or to several, or two records belong to one file.
    """
    if len(truth.clips) == len(records) == 1:
        return dict(zip((clip.name for clip in truth.clips), records.values(), strict=True))
    names = list(dict.fromkeys(_list_names(truth.clips)))
    # The bytes are certain and the name is a guess, so the name counts only where the file itself is not at hand.
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
    """Group the names of the files that are found by the hash of their bytes."""
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
            f"{path} belongs to no file that {table} names; name it like its file: the record of clip.mp4 is clip.json."
        )
    if len(names) > 1:
        raise InputError(
            f"{path} may belong to {names[0]} or to {names[1]} in {table}; give the two files different names."
        )
    return names[0]
