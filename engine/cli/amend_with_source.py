"""The actions of `veil amend` that look at the frames of the source."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine.assist import describe_end, find_similar, follow_face
from engine.cli.amend_values import ValuesFormatError, parse_boxes, parse_range
from engine.cli.terminal import Terminal
from engine.core.frame_ranges import describe_range
from engine.core.geometry import Box
from engine.core.wording import format_count
from engine.errors import InputError
from engine.review.amendments import Amendment
from engine.review.editor import ReviewEditor
from engine.storage.data_folder import find_data_folder


def add_source_option(parser: ArgumentParser) -> None:
    """Add `--source`."""
    parser.add_argument(
        "--source", type=Path, help="source of the record, for follow and find; not in a run, which knows it"
    )


def needs_source(action: str) -> bool:
    """Return whether an action looks at the frames of the source."""
    return action in _HANDLERS


def append_with_source(editor: ReviewEditor, options: Namespace, source: Path | None, terminal: Terminal) -> Amendment:
    """Append the amendment of an action that looks at the source.

    Args:
        editor: the record and its review.
        options: the options of `veil amend`.
        source: the source of the run; None outside of a run.
        terminal: gets the progress and notices.

    Raises:
        ValuesFormatError: the values of the action have a wrong form.
        InputError: there is no source, or nothing could be done with it.
    """
    if source is not None and options.source is not None:
        raise InputError(f"A run knows its source ({source}): omit --source.")
    chosen = source or options.source
    if chosen is None:
        raise InputError(f"veil amend {options.action} looks at the frames: name the source by --source.")
    return _HANDLERS[options.action](editor, options, chosen, terminal)


def _follow(editor: ReviewEditor, options: Namespace, source: Path, terminal: Terminal) -> Amendment:
    frame, box = _parse_box(options.values[:1])
    followed = follow_face(source, editor.amended, frame, box, terminal)
    first, stop = followed.span
    terminal.notice(
        f"Followed in {describe_range(first, stop)}. It starts at frame {first} "
        f"({describe_end(followed.before, backwards=True)}) and ends at frame {stop - 1} "
        f"({describe_end(followed.after)})."
    )
    if options.values[1:]:
        followed = followed.cut(*parse_range(options.values[1:]))
    return editor.add_face(followed.boxes, options.reason or followed.reason)


def _parse_box(values: Sequence[str]) -> tuple[int, Box]:
    ((frame, edges),) = parse_boxes(values).items()
    try:
        return frame, Box(*edges)
    except (TypeError, ValueError) as error:
        raise ValuesFormatError(f"one box as FRAME=LEFT,TOP,RIGHT,BOTTOM, and {error}") from error


def _find(editor: ReviewEditor, options: Namespace, source: Path, terminal: Terminal) -> Amendment:
    frame, box = _parse_box(options.values)
    models = find_data_folder(options.data).models
    found = find_similar(source, editor.amended, frame, box, models, terminal)
    if found.detector is None:
        terminal.notice("No detector looked, too: its model is not there. `veil models fetch` gets it.")
    if not found.places:
        raise InputError(
            f"Nothing similar to the box in frame {frame} was found that no mask covers; nothing was added."
        )
    if found.left_off:
        places = format_count(found.left_off, "less similar place")
        terminal.notice(f"{places} were left off; mask what was found, then search again.")
    return editor.flag_places(frame, found.box, found.places, options.reason)


_HANDLERS: Mapping[str, Callable[[ReviewEditor, Namespace, Path, Terminal], Amendment]] = {
    "follow": _follow,
    "find": _find,
}
