"""Arguments that several verbs share."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli import options
from engine.detectors.modes import MODES
from engine.masking.presets import DEFAULT_PRESET, describe_presets

if TYPE_CHECKING:
    from argparse import _SubParsersAction  # argparse has no public name for it

    Subparsers = _SubParsersAction[ArgumentParser]


def add_person_option(parser: ArgumentParser) -> None:
    """The argument that says who one is."""
    parser.add_argument(
        "--as", dest="who", metavar="ACCOUNT", help="who you are, where there are accounts; your password is asked for"
    )


def add_data(verb: ArgumentParser) -> None:
    """Add `--data`."""
    verb.add_argument("--data", type=Path, metavar="FOLDER", help="data folder (default: $VEIL_DATA, else data)")


def add_review(verb: ArgumentParser) -> None:
    """Add `--review`."""
    verb.add_argument("--review", type=Path, metavar="FILE", help="amendments of the record, as veil amend writes them")


def add_detection(verb: ArgumentParser) -> None:
    """Add the options that say what a detection runs."""
    verb.add_argument("--mode", choices=tuple(MODES), default="on-prem", help="which detectors run (default: on-prem)")
    verb.add_argument("--detectors", metavar="A,B", help="other detectors than the mode's")
    options.add_set_option(
        verb, "a parameter of a detector, of fusion, tracking or smoothing, as yolov8-face.threshold=0.2"
    )
    verb.add_argument(
        "--workers",
        type=_parse_positive,
        metavar="N",
        help="worker processes for each detector, or calls under way at once",
    )
    _add_service_options(verb)
    _add_damage_option(verb)


def _add_service_options(verb: ArgumentParser) -> None:
    group = verb.add_argument_group("services (mode cloud)")
    group.add_argument("--policy", metavar="all|every:N|contested", help="which frames are sent (default: all)")
    group.add_argument("--max-cost", type=float, metavar="USD", help="stop before the calls cost more")
    group.add_argument("--price", type=float, metavar="USD", help="of a call (default: 0.001)")
    group.add_argument(
        "--rate", type=float, metavar="CALLS", help="a second at most (default: what the service admits)"
    )


def _add_damage_option(verb: ArgumentParser) -> None:
    verb.add_argument(
        "--on-damage",
        choices=("stop", "cover"),
        default="stop",
        help="stop at a frame that cannot be decoded (default), or cover it whole and go on",
    )


def add_style(verb: ArgumentParser, default: str | None = DEFAULT_PRESET) -> None:
    """Add `--style` and the encoder's settings."""
    verb.add_argument(
        "--style",
        default=default,
        metavar="PRESET[,NAME=VALUE...]",
        help=f"preset, with values that replace its own, as strong,scale=1.6,shape=rectangle; the presets are "
        f"{describe_presets()} (default: {default or 'as signed last'})",
    )
    verb.add_argument(
        "--encoder",
        default="",
        metavar="NAME=VALUE[,...]",
        help="settings of the encoder that differ from the defaults",
    )
    verb.add_argument("--force", action="store_true", help="allow a style too weak to hide a face; the report says so")


def _parse_positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ArgumentTypeError("at least 1")
    return number
