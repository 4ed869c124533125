"""Background tasks of the server. Each runs on a thread of its own and does not end with the page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.core.progress import ProgressListener
from engine.errors import VeilError
from engine.runs import format_utc_now

Task = Callable[[ProgressListener], None]


@dataclass(frozen=True, slots=True)
class TaskState:
    """The state of a background task.

    Attributes:
        stage: name of the stage, as a progress listener gets it.
        done: number of finished frames of `total`.
        total: number of frames, None if unknown.
        ended_at: time at which the task ended, in UTC; None while it runs.
        failure: why the task stopped, None if it did not fail.
        notice: the newest message for the user.
    """

    stage: str = ""
    done: int = 0
    total: int | None = None
    ended_at: str | None = None
    failure: str | None = None
    notice: str | None = None

    @property
    def ended(self) -> bool:
        """True once the task has ended."""
        return self.ended_at is not None


class BackgroundTasks:
    """The background tasks of this server by name; one task of a name runs at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, TaskState] = {}

    def find_state(self, name: str) -> TaskState | None:
        """Return the state of the newest task of a name, None if there is none."""
        with self._lock:
            return self._states.get(name)

    def is_running(self, name: str) -> bool:
        """Return True while a task of that name runs."""
        state = self.find_state(name)
        return state is not None and not state.ended

    def start(self, name: str, task: Task) -> None:
        """Start a task, unless one of that name is running."""
        with self._lock:
            state = self._states.get(name)
            if state is not None and not state.ended:
                return
            self._states[name] = TaskState()
        # Not a daemon: Python waits for it at exit, so a release is not cut off in the middle.
        threading.Thread(target=self._run_task, args=(name, task), name=name).start()

    def forget_finished(self, name: str) -> None:
        """Forget an ended task."""
        with self._lock:
            if name in self._states and self._states[name].ended:
                del self._states[name]

    def _run_task(self, name: str, task: Task) -> None:
        # The text of an unexpected error may name people, so only the log has it.
        failure: str | None = "An internal error occurred. The server log has details."
        try:
            task(_TaskProgressListener(self, name))
            failure = None
        except VeilError as error:
            failure = str(error)
        finally:
            self.update_state(name, ended_at=format_utc_now(), failure=failure)

    def update_state(self, name: str, **values: str | int | bool | None) -> None:
        """Update the state of a task."""
        with self._lock:
            self._states[name] = replace(self._states[name], **values)  # type: ignore[arg-type]


class _TaskProgressListener:
    def __init__(self, tasks: BackgroundTasks, name: str) -> None:
        self._tasks, self._name = tasks, name

    def progress(self, stage: str, done: int, total: int | None) -> None:
        self._tasks.update_state(self._name, stage=stage, done=done, total=total)

    def notice(self, message: str) -> None:
        self._tasks.update_state(self._name, notice=message)
