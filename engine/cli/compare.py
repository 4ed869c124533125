"""`veil compare`: a short clip of a source and its output, side by side."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from engine.cli import arguments
from engine.cli.command import Command
from engine.cli.terminal import Terminal
from engine.media.output.comparison_clip import ClipSection, write_comparison_clip
from engine.storage.file_use import FileUse, check_file_use

_DEFAULTS = ClipSection()


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="video on the left, with its faces")
    parser.add_argument("output", type=Path, metavar="OUT", help="rendered video on the right")
    parser.add_argument(
        "-o", "--clip", type=Path, required=True, metavar="CLIP", help="clip to write: .mp4, or .gif for an animation"
    )
    arguments.add_overwrite(parser)
    parser.add_argument("--masked-only", action="store_true", help="show the rendered video alone, without any face")
    parser.add_argument(
        "--start", type=arguments.parse_seconds, default=_DEFAULTS.start_s, metavar="SECONDS",
        help="first second (default: 0)",
    )  # fmt: skip
    parser.add_argument(
        "--duration", type=arguments.parse_seconds, default=_DEFAULTS.duration_s, metavar="SECONDS",
        help="seconds to show (default: 10)",
    )  # fmt: skip
    parser.add_argument(
        "--height", type=arguments.parse_positive, default=_DEFAULTS.height_px, metavar="PIXELS",
        help="height of the clip (default: 360)",
    )  # fmt: skip


def _write_comparison(options: Namespace, terminal: Terminal) -> int:
    check_file_use(FileUse([options.source, options.output], [options.clip]), overwrite=options.overwrite)
    videos = [options.output] if options.masked_only else [options.source, options.output]
    section = ClipSection(options.start, options.duration, options.height)
    seconds = write_comparison_clip(videos, options.clip, section, terminal)
    if not options.masked_only:
        terminal.notice("The clip shows the faces of the source; --masked-only writes one without.")
    terminal.print_result(
        {"clip": str(options.clip), "seconds": seconds, "shows_source": not options.masked_only},
        f"Clip: {options.clip}, {seconds:.1f} s",
    )
    return 0


COMMANDS = {"compare": Command(_add_arguments, _write_comparison, uses_data=False, reads_media=True)}
