"""The command line: a thin skin over the engine's functions."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from engine.cli.parser import build_parser
from engine.cli.terminal import Terminal
from engine.errors import VeilError

EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code: 0, 1 for a failed run, 2 for bad input or usage, 3 for a failed check, 130
    when interrupted.
    """
    signal.signal(signal.SIGTERM, _raise_interrupt)
    words = sys.argv[1:] if arguments is None else arguments
    options = build_parser(words).parse_args(words)
    terminal = Terminal(as_json=options.json)
    try:
        with terminal:
            return int(options.verb(options, terminal))
    except VeilError as error:
        _print_error(str(error), type(error).__name__, as_json=options.json)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has left; nobody is there to be told.
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        _print_error(options.interrupted, "Interrupted", as_json=options.json)
        return EXIT_INTERRUPTED


def _print_error(message: str, kind: str, *, as_json: bool) -> None:
    print(f"veil: {message}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": message, "kind": kind}))


def _raise_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
