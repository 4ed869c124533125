"""Arguments that several verbs share."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from engine.detectors.modes import MODES
from engine.detectors.table import DETECTORS
from engine.masking.presets import DEFAULT_PRESET, describe_presets

STYLE_METAVAR = "PRESET[,NAME=VALUE...]"


def add_source(parser: ArgumentParser) -> None:
    """Add the positional `source`."""
    parser.add_argument("source", type=Path, help="video, photograph, or folder of numbered stills")


def add_record(parser: ArgumentParser) -> None:
    """Add the positional `record`."""
    parser.add_argument("record", type=Path, help="detection record of the source")


def add_run(parser: ArgumentParser) -> None:
    """Add the positional `run`."""
    parser.add_argument("run", metavar="RUN", help="id of the run")


def add_account_option(parser: ArgumentParser) -> None:
    """Add `--as`, the account for `identity.open_session`."""
    parser.add_argument(
        "--as",
        dest="acting_account",
        metavar="ACCOUNT",
        help="your account, if accounts exist; asks for its password",
    )


def add_review(parser: ArgumentParser) -> None:
    """Add `--review`."""
    parser.add_argument(
        "--review", type=Path, metavar="FILE", help="amendments of the record, as written by veil amend"
    )


def add_report(parser: ArgumentParser) -> None:
    """Add `-o/--report` and `--overwrite`."""
    parser.add_argument("-o", "--report", type=Path, metavar="FILE", help="also write the report to this file, as JSON")
    add_overwrite(parser)


def add_overwrite(parser: ArgumentParser) -> None:
    """Add `--overwrite`, which every verb has that writes a file under a name of the user's choice."""
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist; an input never is")


def add_detection(parser: ArgumentParser) -> None:
    """Add the options of a detection, for `options.build_detect_options`."""
    parser.add_argument(
        "--mode", choices=tuple(MODES), default="on-prem", help="choose the detectors by mode (default: on-prem)"
    )
    parser.add_argument(
        "--detectors", metavar="A,B", help=f"run these detectors instead of those of the mode: {', '.join(DETECTORS)}"
    )
    add_set_option(
        parser, "set a parameter of a detector, of fusion, tracking, smoothing or schedule, as schedule.interval_s=0"
    )
    parser.add_argument(
        "--workers",
        type=parse_positive,
        metavar="N",
        help="worker processes for each detector, or concurrent calls of a service",
    )
    services = parser.add_argument_group("services (mode cloud)")
    services.add_argument("--policy", metavar="all|every:N|contested", help="frames to send (default: all)")
    services.add_argument("--max-cost", type=float, metavar="USD", help="stop before the calls cost more than this")
    services.add_argument("--price", type=float, metavar="USD", help="price of one call (default: 0.001)")
    services.add_argument(
        "--rate", type=float, metavar="CALLS", help="calls per second at most (default: the limit of the service)"
    )
    parser.add_argument(
        "--on-damage",
        choices=("stop", "cover"),
        default="stop",
        help="stop at a frame that cannot be decoded (default), or cover the whole frame and continue",
    )


def add_cluster(parser: ArgumentParser) -> None:
    """Add `--scheduler` and `--local-cluster`, for `options.build_cluster_choice`."""
    group = parser.add_argument_group("cluster (local detectors; the record is the same)")
    group.add_argument(
        "--scheduler", metavar="ADDRESS", help="detect on the workers of this Dask scheduler, as tcp://HOST:8786"
    )
    group.add_argument(
        "--local-cluster",
        type=parse_positive,
        metavar="N",
        help="detect ranges of frames in N processes of this machine",
    )


def add_set_option(parser: ArgumentParser, purpose: str) -> None:
    """Add `--set PART.NAME=VALUE`, for `options.parse_settings`."""
    parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="PART.NAME=VALUE",
        help=f"{purpose}; can be repeated",
    )


def add_style(parser: ArgumentParser, default: str | None = DEFAULT_PRESET) -> None:
    """Add `--style`, `--encoder`, `--passthrough`, `--segments` and `--force`, for `options.build_render_options`."""
    # veil sign passes None, to tell a style that was given from one that was left out.
    parser.add_argument(
        "--style",
        default=default,
        metavar=STYLE_METAVAR,
        help=f"preset, with values that replace its own, as strong,scale=1.6,shape=rectangle; the presets are "
        f"{describe_presets()} (default: {default or 'as last signed'})",
    )
    parser.add_argument(
        "--encoder",
        default="",
        metavar="NAME=VALUE[,...]",
        help="encoder settings that differ from the defaults, as crf=20,preset=fast",
    )
    parser.add_argument(
        "--passthrough",
        action="store_true",
        help="copy the packets of groups of pictures without any mask instead of encoding them again (H.264 only)",
    )
    parser.add_argument(
        "--segments",
        type=parse_positive,
        metavar="SECONDS",
        help="encode segments of at least so many seconds apart from each other, so that processes can share the work",
    )
    parser.add_argument(
        "--force", action="store_true", help="allow a style too weak to hide a face; the report notes it"
    )


def add_segment_jobs(parser: ArgumentParser) -> None:
    """Add `--jobs`, for `options.build_render_options`."""
    parser.add_argument(
        "--jobs",
        dest="segment_jobs",
        type=parse_positive,
        metavar="N",
        help="with --segments, how many are encoded at once; the bytes are the same (default: one for each four cores)",
    )


def add_audio(parser: ArgumentParser) -> None:
    """Add `--mute`, `--bleep` and `--audio-reason`, for `options.parse_audio_spans`."""
    group = parser.add_argument_group("audio (default: kept as in the source)")
    for kind, replacement in (("mute", "silence"), ("bleep", "a tone")):
        group.add_argument(
            f"--{kind}",
            action="append",
            default=[],
            metavar="START-END[@N,...]",
            help=f"replace these seconds with {replacement}, as 12-15.5, or 12-15.5@2 for audio stream 2 only; "
            "can be repeated",
        )
    group.add_argument("--audio-reason", metavar="TEXT", help="reason, required with --mute and --bleep")


def parse_positive(text: str) -> int:
    """Parse a whole number of at least 1, as the `type` of an argument."""
    # argparse names the function in its message for a ValueError, which means nothing to a person at a terminal.
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)


def parse_seconds(text: str) -> float:
    """Parse a number of seconds of at least 0, as the `type` of an argument."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ArgumentTypeError(f"must be a number of seconds, got {text!r}")
    return seconds


def add_authority_certificates(parser: ArgumentParser) -> None:
    """Add `--authority-certificates`, the certificates that time stamps are checked with."""
    parser.add_argument(
        "--authority-certificates",
        type=Path,
        metavar="FILE",
        help="certificates (PEM) of the time stamp authority, received in another way than its stamps",
    )
