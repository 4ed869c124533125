"""The command line: parses arguments, calls the engine, and prints the result."""

from __future__ import annotations

import json
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

from engine.cli.crash_guard import run_guarded
from engine.cli.parser import build_parser
from engine.cli.terminal import Terminal
from engine.errors import VeilError
from engine.isolation.crash import describe_crash, is_crash
from engine.isolation.sweep import sweep_after_crash
from engine.storage.data_folder import find_data_folder
from engine.storage.scratch import sweep_data_folder

if TYPE_CHECKING:
    from engine.cli.command import Command

EXIT_BROKEN_PIPE = 1
EXIT_INTERRUPTED = 130
EXIT_UNEXPECTED = 1
_TRACEBACK_VARIABLE = "VEIL_TRACEBACK"
"""Set to anything, it shows the traceback of an unexpected error."""
_ENDING_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""What a person or a system sends to end a program in order."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code.

    0: done. 1: the run failed. 2: bad input or usage. 3: a check failed. 130: interrupted.

    Args:
        arguments: the words after `veil`. None: those of the command line; a verb that reads footage then runs in a
            process of its own, so that a crash ends in a sentence.
    """
    words = sys.argv[1:] if arguments is None else arguments
    # No verb does linear algebra in this process, and starting threads for it costs more time than importing numpy.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    options = build_parser(words).parse_args(words)
    command: Command = options.command
    if arguments is not None or not command.reads_media:
        return _run_verb(options)
    code = run_guarded(lambda: _run_verb(options))
    return _report_crash(options, code) if is_crash(code) else code


def _run_verb(options: Namespace) -> int:
    # SIGTERM takes the way of Ctrl-C, so that temporary files are removed and worker processes end with the verb.
    signal.signal(signal.SIGTERM, _raise_interrupt)
    command: Command = options.command
    terminal = Terminal(as_json=options.json)
    try:
        with terminal:
            if command.uses_data:
                # What a verb that was killed has left may be footage that nobody would look for.
                sweep_data_folder(find_data_folder(options.data).root)
            return command.run(options, terminal)
    except VeilError as error:
        _print_error(str(error), type(error).__name__, as_json=options.json)
        return error.exit_code
    except BrokenPipeError:
        # The reader of the output has closed it, as `head` does. Python would print a second error at exit when it
        # flushes the closed stream; closing standard error hides that.
        sys.stderr.close()
        return EXIT_BROKEN_PIPE
    except KeyboardInterrupt:
        _print_error(command.interrupted, "Interrupted", as_json=options.json)
        return EXIT_INTERRUPTED
    except Exception as error:
        # The last resort: a traceback tells a user nothing, and may show names of people and files to others.
        if os.environ.get(_TRACEBACK_VARIABLE):
            raise
        _print_error(_describe_unexpected(error), type(error).__name__, as_json=options.json)
        return EXIT_UNEXPECTED


def _report_crash(options: Namespace, code: int) -> int:
    """Print what ended the process that did the work, remove what it has left, and return the exit code."""
    if -code in _ENDING_SIGNALS:
        _print_error(options.command.interrupted, "Interrupted", as_json=options.json)
        return EXIT_INTERRUPTED
    # `veil live` takes its target as text, because it may be an address.
    sweep_after_crash(vars(options))
    if options.command.uses_data:
        sweep_data_folder(find_data_folder(options.data).root)
    source = getattr(options, "source", None) or "One of the files"
    sentence = f"{source} {describe_crash(code)}; no unfinished file was kept under the output's name."
    _print_error(sentence, "Crash", as_json=options.json)
    return EXIT_UNEXPECTED


def _describe_unexpected(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}. Free the disk or give permission, then run the command again."
    if isinstance(error, MemoryError):
        return "There is not enough memory for this. Close other programs, or use a machine with more."
    return (
        f"An unexpected error ended the command ({type(error).__name__}: {error}). This is a fault of Veil. Run it "
        f"again with {_TRACEBACK_VARIABLE}=1 to see where, and report that."
    )


def _print_error(message: str, kind: str, *, as_json: bool) -> None:
    print(f"veil: {message}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": message, "kind": kind}))


def _raise_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
