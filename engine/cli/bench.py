"""The verb `veil bench`: its arguments, and what it says."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

from engine.assurance.reidentification.benchmark import reidentify as run
from engine.assurance.reidentification.dlib_resnet import DlibResnet
from engine.assurance.reidentification.people import Sampling, read_labels
from engine.assurance.reidentification.pictures import Clip
from engine.assurance.reidentification.scores import ATTACKS
from engine.assurance.reidentification.table import format_table
from engine.cli.options import build_detect_options, build_settings
from engine.cli.terminal import Terminal
from engine.detection.detect import detect
from engine.detection.options import detector_ensemble
from engine.errors import CheckFailedError, InputError, RecordError
from engine.masking.presets import PRESETS, parse_style
from engine.masking.style import Style
from engine.media.containers import VIDEO_SUFFIXES
from engine.media.source.image_sequence import probe_any
from engine.record import Record, read_record
from engine.storage.data_folder import find_data_folder


def add_reidentify_arguments(verb: ArgumentParser, add_detection_options: Callable[[ArgumentParser], None]) -> None:
    """The arguments of `veil bench reidentify`; `add_detection_options` adds those of a detection."""
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
    add_detection_options(verb)


def run_reidentification(options: Namespace, terminal: Terminal) -> int:
    """`veil bench reidentify`."""
    data = find_data_folder(options.data)
    recogniser = DlibResnet(data.models)
    sampling = build_settings(
        "--gallery and --probes", Sampling, {"gallery": options.gallery, "probes": options.probes}
    )
    labels = None if options.labels is None else read_labels(options.labels)
    attacks = tuple(options.attacks.split(","))
    for stranger in set(attacks) - set(ATTACKS):
        raise InputError(f"There is no attack {stranger!r}; choose from {', '.join(ATTACKS)}.")
    styles = _parse_styles(options)
    clips = list(_load_clips(options, terminal))
    result = run(
        clips,
        styles,
        recogniser,
        sampling=sampling,
        labels=labels,
        attacks=[one for one in ATTACKS if one in attacks],
        listener=terminal,
    )
    terminal.print_result(result, format_table(result))
    return 0 if result.passed else CheckFailedError.exit_code


def _parse_styles(options: Namespace) -> Mapping[str, Style]:
    return {name: parse_style(name) for name in options.style or PRESETS}


def _load_clips(options: Namespace, terminal: Terminal) -> Iterator[Clip]:
    """Every clip of the folder with its record, which is found or made."""
    chosen, data = build_detect_options(options), find_data_folder(options.data)
    places = {path: _prepare_record_path(path, options) for path in _find_videos(options.folder)}
    found = all(place is not None and place.exists() for place in places.values())
    with nullcontext() if found else detector_ensemble(chosen, data) as crew:
        for path, place in places.items():
            info = probe_any(path, listener=terminal)
            if place is not None and place.exists():
                record = read_record(place)
            else:
                record = detect(path, place, chosen, data=options.data, listener=terminal, ensemble=crew)
            yield Clip(_name_clip(path, options), path, info, _check_record_source(record, info.sha256, path, place))


def _name_clip(path: Path, options: Namespace) -> str:
    name: str = path.relative_to(options.folder).as_posix()
    return name


def _prepare_record_path(path: Path, options: Namespace) -> Path | None:
    """Where the record of a clip is or goes."""
    if options.records is None:
        return None
    place: Path = options.records / f"{_name_clip(path, options)}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _find_videos(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())
    if not found:
        raise InputError(f"{folder} holds no clips; give a folder of videos ({', '.join(sorted(VIDEO_SUFFIXES))}).")
    return found


def _check_record_source(record: Record, sha256: str, path: Path, record_path: Path | None) -> Record:
    if record.source.sha256 != sha256:
        raise RecordError(
            f"The record {record_path} is of another video than {path}; remove it, and it will be made anew."
        )
    return record
