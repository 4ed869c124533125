"""`veil bench`: the table of its actions, and the one about re-identification."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from engine.assurance.reidentification.benchmark import reidentify
from engine.assurance.reidentification.dlib_resnet import DlibResnet
from engine.assurance.reidentification.people import Sampling, read_labels
from engine.assurance.reidentification.pictures import Clip
from engine.assurance.reidentification.scores import ATTACKS
from engine.assurance.reidentification.table import format_table
from engine.cli import arguments, bench_faces
from engine.cli.command import Command
from engine.cli.options import build_detect_options, build_settings
from engine.cli.terminal import Terminal
from engine.detection.detect import detect
from engine.detection.options import detector_ensemble
from engine.errors import CheckFailedError, InputError, RecordError
from engine.masking.presets import PRESETS, parse_style
from engine.media.containers import VIDEO_SUFFIXES
from engine.media.source.image_sequence import probe_any
from engine.record import Record, read_record
from engine.storage.data_folder import find_data_folder


def _add_reidentify_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder of clips; its subfolders are included")
    parser.add_argument("--labels", type=Path, metavar="CSV", help="people in the clips: columns clip,track,person")
    parser.add_argument(
        "--records",
        type=Path,
        metavar="FOLDER",
        help="folder of records, named CLIP.json; missing ones are detected and stored there",
    )
    parser.add_argument(
        "--style",
        action="append",
        default=[],
        metavar=arguments.STYLE_METAVAR,
        help="style to try; can be repeated (default: every preset)",
    )
    parser.add_argument(
        "--attacks", default=",".join(ATTACKS), metavar="A,B", help=f"attacks to try (default: {','.join(ATTACKS)})"
    )
    parser.add_argument(
        "--gallery",
        type=int,
        default=10,
        metavar="N",
        help="unmasked frames of each person to compare with (default: 10)",
    )
    parser.add_argument(
        "--probes", type=int, default=10, metavar="N", help="masked frames of each person to identify (default: 10)"
    )
    arguments.add_detection(parser)


def _run_reidentification(options: Namespace, terminal: Terminal) -> int:
    # Everything that is cheap to check is checked before the first clip is detected, which can take hours.
    recogniser = DlibResnet(find_data_folder(options.data).models)
    sampling = build_settings(
        "--gallery and --probes", Sampling, {"gallery": options.gallery, "probes": options.probes}
    )
    labels = None if options.labels is None else read_labels(options.labels)
    attacks = set(options.attacks.split(","))
    for unknown in attacks - set(ATTACKS):
        raise InputError(f"There is no attack {unknown!r}; choose from {', '.join(ATTACKS)}.")
    styles = {text: parse_style(text) for text in options.style or PRESETS}
    result = reidentify(
        list(_load_clips(options, terminal)),
        styles,
        recogniser,
        sampling=sampling,
        labels=labels,
        attacks=[attack for attack in ATTACKS if attack in attacks],
        listener=terminal,
    )
    terminal.print_result(result, format_table(result))
    return 0 if result.passed else CheckFailedError.exit_code


def _load_clips(options: Namespace, terminal: Terminal) -> Iterator[Clip]:
    """Yield every clip of the folder with its record; detect the faces of those without one."""
    detect_options, data = build_detect_options(options), find_data_folder(options.data)
    record_paths = {path: _prepare_record_path(path, options) for path in _find_videos(options.folder)}
    all_exist = all(record_path is not None and record_path.exists() for record_path in record_paths.values())
    # Loading the models takes seconds: once for all clips, and not at all if every record exists.
    with nullcontext() if all_exist else detector_ensemble(detect_options, data) as ensemble:
        for path, record_path in record_paths.items():
            # A record is checked against its clip by hash, because a folder of records may be older than the clips.
            info = probe_any(path, listener=terminal)
            if record_path is not None and record_path.exists():
                record = read_record(record_path)
            else:
                record = detect(
                    path, record_path, detect_options, data=options.data, listener=terminal, ensemble=ensemble
                )
            _check_record_source(record, info.sha256, path, record_path)
            yield Clip(_name_clip(path, options), path, info, record)


def _name_clip(path: Path, options: Namespace) -> str:
    name: str = path.relative_to(options.folder).as_posix()
    return name


def _prepare_record_path(path: Path, options: Namespace) -> Path | None:
    if options.records is None:
        return None
    record_path: Path = options.records / f"{_name_clip(path, options)}.json"
    record_path.parent.mkdir(parents=True, exist_ok=True)
    return record_path


def _find_videos(folder: Path) -> list[Path]:
    videos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())
    if not videos:
        raise InputError(f"{folder} has no clips; give a folder of videos ({', '.join(sorted(VIDEO_SUFFIXES))}).")
    return videos


def _check_record_source(record: Record, sha256: str, path: Path, record_path: Path | None) -> None:
    if record.source.sha256 != sha256:
        raise RecordError(
            f"The record {record_path} belongs to another video than {path}; remove the record to detect this video."
        )


COMMANDS = {
    **bench_faces.COMMANDS,
    "bench reidentify": Command(_add_reidentify_arguments, _run_reidentification, reads_media=True),
}
