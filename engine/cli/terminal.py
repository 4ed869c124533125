"""What a person sees while a verb runs, and what a machine reads when it is done."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

_STAGE_LABELS = {
    "probe": "Reading",
    "fetch": "Fetching",
    "detect": "Finding faces",
    "render": "Rendering",
    "verify": "Checking",
    "live": "Live",
    "leaks": "Looking for leaks",
    "plant": "Planting faces",
    "index": "Indexing",
    "survey": "Looking at people",
    "attack": "Attacking",
}


class _RateColumn(ProgressColumn):
    """Finished steps a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if speed is None:
            return Text("")
        text = f"{speed / 1e6:.0f} MB/s" if task.fields["in_bytes"] else f"{speed:.1f}/s"
        return Text(text, style="progress.data.speed")


class Terminal:
    """Prints results to standard output, and a progress bar and notices to standard error.

    The bar appears on a terminal only. It is a `Listener`.
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
            redirect_stdout=False,
            disable=not console.is_terminal,
        )
        self._stage: str | None = None
        self._task = self._progress.add_task("", visible=False, in_bytes=False)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Move the bar of the running stage; the bar of the one before makes room for it."""
        if self._progress.disable:
            return
        if stage != self._stage:
            self._stage = stage
            words = _STAGE_LABELS.get(stage, stage.capitalize())
            self._progress.reset(self._task, description=words, visible=True, in_bytes=stage == "probe")
        self._progress.update(self._task, completed=done, total=total)

    def notice(self, message: str) -> None:
        """Print a sentence to standard error."""
        self._progress.console.print(f"veil: {message}", highlight=False, soft_wrap=True, markup=False)

    def print_result(self, document: Any, text: str) -> None:
        """Print the result of a verb: `document` as JSON when asked for, else `text`."""
        self._progress.stop()
        if self.as_json:
            print(msgspec.json.encode(document, order="sorted").decode())
        elif text:
            print(text)
        sys.stdout.flush()
