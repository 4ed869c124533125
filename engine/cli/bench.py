"""The verb `veil bench`: its arguments, and what it says."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

from engine import record as records
from engine.assurance.reidentification.benchmark import reidentify as run
from engine.assurance.reidentification.dlib_resnet import DlibResnet
from engine.assurance.reidentification.people import Sampling, read_labels
from engine.assurance.reidentification.pictures import Clip
from engine.assurance.reidentification.scores import ATTACKS
from engine.assurance.reidentification.table import table
from engine.cli.options import detect_options, document, style_named
from engine.cli.terminal import Terminal
from engine.core.picture import VIDEOS
from engine.detection.detect import detect
from engine.detection.options import hired
from engine.errors import CheckFailedError, InputError, RecordError
from engine.masking.presets import PRESETS
from engine.masking.style import Style
from engine.media.source.image_sequence import look
from engine.record import Record
from engine.storage.files import data_folder


def add_reidentify(verb: ArgumentParser, add_detection: Callable[[ArgumentParser], None]) -> None:
    """The arguments of `veil bench reidentify`; `add_detection` adds those of a detection."""
    verb.add_argument("folder", type=Path, help="clips, also in folders below")
    verb.add_argument("--labels", type=Path, metavar="CSV", help="who is who: columns clip,track,person")
    verb.add_argument(
        "--records", type=Path, metavar="FOLDER", help="records as CLIP.json; those missing are made and kept there"
    )
    verb.add_argument(
        "--style",
        action="append",
        default=[],
        metavar="PRESET[,NAME=VALUE...]",
        help="what covers the faces; may be given several times (default: every preset)",
    )
    verb.add_argument("--attacks", default=",".join(ATTACKS), metavar="A,B", help=f"of {', '.join(ATTACKS)}")
    verb.add_argument("--gallery", type=int, default=10, metavar="N", help="frames of a person that are known")
    verb.add_argument("--probes", type=int, default=10, metavar="N", help="frames of a person that are tried")
    add_detection(verb)


def reidentify(options: Namespace, terminal: Terminal) -> int:
    """`veil bench reidentify`."""
    data = data_folder(options.data)
    recogniser = DlibResnet(data.models)
    sampling = document("--gallery and --probes", Sampling, {"gallery": options.gallery, "probes": options.probes})
    labels = None if options.labels is None else read_labels(options.labels)
    attacks = tuple(options.attacks.split(","))
    for stranger in set(attacks) - set(ATTACKS):
        raise InputError(f"There is no attack {stranger!r}; choose from {', '.join(ATTACKS)}.")
    styles = _styles(options)
    clips = list(_clips(options, terminal))
    result = run(
        clips,
        styles,
        recogniser,
        sampling=sampling,
        labels=labels,
        attacks=[one for one in ATTACKS if one in attacks],
        listener=terminal,
    )
    terminal.result(result, table(result))
    return 0 if result.passed else CheckFailedError.exit_code


def _styles(options: Namespace) -> Mapping[str, Style]:
    return {name: style_named(name) for name in options.style or PRESETS}


def _clips(options: Namespace, terminal: Terminal) -> Iterator[Clip]:
    """Every clip of the folder with its record, which is found or made."""
    chosen, data = detect_options(options), data_folder(options.data)
    places = {path: _place(path, options) for path in _files(options.folder)}
    found = all(place is not None and place.exists() for place in places.values())
    with nullcontext() if found else hired(chosen, data) as crew:
        for path, place in places.items():
            info = look(path, listener=terminal)
            if place is not None and place.exists():
                record = records.read(place)
            else:
                record = detect(path, place, chosen, data=options.data, listener=terminal, crew=crew)
            yield Clip(_name(path, options), path, info, _own(record, info.sha256, path, place))


def _name(path: Path, options: Namespace) -> str:
    name: str = path.relative_to(options.folder).as_posix()
    return name


def _place(path: Path, options: Namespace) -> Path | None:
    """Where the record of a clip is or goes."""
    if options.records is None:
        return None
    place: Path = options.records / f"{_name(path, options)}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEOS and path.is_file())
    if not found:
        raise InputError(f"{folder} holds no clips; give a folder of videos ({', '.join(sorted(VIDEOS))}).")
    return found


def _own(record: Record, sha256: str, path: Path, place: Path | None) -> Record:
    if record.source.sha256 != sha256:
        raise RecordError(f"The record {place} is of another video than {path}; remove it, and it will be made anew.")
    return record
