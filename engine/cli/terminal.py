"""Progress and notices on standard error, the result on standard output."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_STAGE_LABELS = {
    "probe": "Reading",
    "fetch": "Fetching",
    "detect": "Finding faces",
    "render": "Rendering",
    "verify": "Checking",
    "clip": "Writing the clip",
    "live": "Live",
    "follow": "Following the face",
    "search": "Searching",
    "leaks": "Looking for leaks",
    "plant": "Planting faces",
    "index": "Indexing",
    "make": "Making clips",
    "run": "Running the tool",
    "compare": "Comparing",
    "survey": "Sampling people",
    "attack": "Identifying people",
}


_BYTE_STAGES = frozenset({"probe", "fetch"})
_MAX_NAME_CHARACTERS = 32
"""Greatest length of a file's name beside its bar, which needs the rest of the line."""


class _RateColumn(ProgressColumn):
    """Finished steps per second, or megabytes per second while a file is read."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if speed is None:
            return Text("")
        text = f"{speed / 1e6:.0f} MB/s" if task.fields["in_bytes"] else f"{speed:.1f}/s"
        return Text(text, style="progress.data.speed")


class Terminal:
    """Prints results to standard output, and a progress bar and notices to standard error.

    A `ProgressListener`. The bar appears only if standard error is a terminal.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            _RateColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            # The result may be piped to a file while the bar is on the terminal; rich must not reroute it.
            redirect_stdout=False,
            disable=not console.is_terminal,
        )
        self._overall = self._progress.add_task("", visible=False, in_bytes=False)
        self._stage: str | None = None
        self._task = self._progress.add_task("", visible=False, in_bytes=False)
        self._files: dict[int, tuple[TaskID, str]] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Move the bar; a new stage replaces the bar of the one before."""
        if self._progress.disable:
            return
        if stage != self._stage:
            self._stage = stage
            self._progress.reset(
                self._task, description=_find_stage_label(stage), visible=True, in_bytes=stage in _BYTE_STAGES
            )
        self._progress.update(self._task, completed=done, total=total)

    def show_overall(self, label: str, done: int, total: int) -> None:
        """Show a bar for `done` of `total` files, above the bars of those that are worked on."""
        self._progress.update(self._overall, description=label, completed=done, total=total, visible=True)

    def show_file(self, number: int, name: str, stage: str, done: int, total: int | None) -> None:
        """Show or move the bar of one of several files; a new stage starts it anew."""
        task, shown_stage = self._files.get(number, (None, ""))
        if task is None:
            task = self._progress.add_task("", in_bytes=False)
        if stage != shown_stage:
            self._files[number] = task, stage
            # Not as markup: the name of a file may have brackets.
            label = escape(f"{_shorten(name)}: {_find_stage_label(stage)}")
            self._progress.reset(task, description=label, in_bytes=stage in _BYTE_STAGES)
        self._progress.update(task, completed=done, total=total)

    def hide_file(self, number: int) -> None:
        """Remove the bar of a file."""
        if number in self._files:
            task, _ = self._files.pop(number)
            self._progress.remove_task(task)

    def notice(self, message: str) -> None:
        """Print a sentence to standard error."""
        # Neither colours nor markup: a path with [brackets] would lose them. Not wrapped, so that it can be searched.
        self._progress.console.print(f"veil: {message}", highlight=False, soft_wrap=True, markup=False)

    def print_result(self, document: Any, text: str) -> None:
        """Print the result of a verb: `document` as JSON with `--json`, else `text`."""
        # The bar is erased first; it would overwrite the result on a terminal.
        self._progress.stop()
        if self.as_json:
            print(msgspec.json.encode(document, order="sorted").decode())
        elif text:
            print(text)
        # veil demo replaces this process by the server afterwards, and buffered output would be lost.
        sys.stdout.flush()


def _find_stage_label(stage: str) -> str:
    return _STAGE_LABELS.get(stage, stage.capitalize())


def _shorten(name: str) -> str:
    # The end of a name tells files of a series apart.
    return name if len(name) <= _MAX_NAME_CHARACTERS else f"…{name[-_MAX_NAME_CHARACTERS + 1 :]}"
