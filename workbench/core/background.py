"""What the server does beside its pages: each piece of work on a thread of its own, whoever watches it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.core.progress import ProgressListener
from engine.errors import VeilError

Task = Callable[[ProgressListener], None]


@dataclass(frozen=True, slots=True)
class TaskState:
    """How far a piece of work is.

    Attributes:
        stage: what is done now, as a listener hears it.
        done: how many of `total` frames.
        ended: whether it is over.
        failure: why it came to nothing.
        notice: the newest sentence that a person should read.
    """

    stage: str = ""
    done: int = 0
    total: int | None = None
    ended: bool = False
    failure: str | None = None
    notice: str | None = None


class BackgroundTasks:
    """The work that this server does, by name; one piece of a name at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, TaskState] = {}

    def find_state(self, name: str) -> TaskState | None:
        """How far the newest work of a name is, None when this server has done none."""
        with self._lock:
            return self._states.get(name)

    def is_running(self, name: str) -> bool:
        """Whether work of that name goes on."""
        standing = self.find_state(name)
        return standing is not None and not standing.ended

    def start(self, name: str, task: Task) -> None:
        """Begin a piece of work, unless one of that name is under way."""
        with self._lock:
            found = self._states.get(name)
            if found is not None and not found.ended:
                return
            self._states[name] = TaskState()
        threading.Thread(target=self._run_task, args=(name, task), name=name).start()

    def forget_finished(self, name: str) -> None:
        """Forget a piece of work that is over."""
        with self._lock:
            if name in self._states and self._states[name].ended:
                del self._states[name]

    def _run_task(self, name: str, task: Task) -> None:
        failure: str | None = "It ended with a fault of the program; the log of the server says more."
        try:
            task(_TaskProgressListener(self, name))
            failure = None
        except VeilError as error:
            failure = str(error)
        finally:
            self.update_state(name, ended=True, failure=failure)

    def update_state(self, name: str, **values: str | int | bool | None) -> None:
        """Say how far a piece of work is."""
        with self._lock:
            self._states[name] = replace(self._states[name], **values)  # type: ignore[arg-type]


class _TaskProgressListener:
    def __init__(self, tasks: BackgroundTasks, name: str) -> None:
        self._tasks, self._name = tasks, name

    def progress(self, stage: str, done: int, total: int | None) -> None:
        self._tasks.update_state(self._name, stage=stage, done=done, total=total)

    def notice(self, message: str) -> None:
        self._tasks.update_state(self._name, notice=message)
