"""What the server does beside its pages: each piece of work on a thread of its own, whoever watches it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.core.progress import Listener
from engine.errors import VeilError

Work = Callable[[Listener], None]


@dataclass(frozen=True, slots=True)
class Standing:
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


class Works:
    """The work that this server does, by name; one piece of a name at a time."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._standing: dict[str, Standing] = {}

    def of(self, name: str) -> Standing | None:
        """How far the newest work of a name is, None when this server has done none."""
        with self._guard:
            return self._standing.get(name)

    def under_way(self, name: str) -> bool:
        """Whether work of that name goes on."""
        standing = self.of(name)
        return standing is not None and not standing.ended

    def start(self, name: str, work: Work) -> None:
        """Begin a piece of work, unless one of that name is under way."""
        with self._guard:
            found = self._standing.get(name)
            if found is not None and not found.ended:
                return
            self._standing[name] = Standing()
        threading.Thread(target=self._do, args=(name, work), name=name).start()

    def forget(self, name: str) -> None:
        """Forget a piece of work that is over."""
        with self._guard:
            if name in self._standing and self._standing[name].ended:
                del self._standing[name]

    def _do(self, name: str, work: Work) -> None:
        failure: str | None = "It ended with a fault of the program; the log of the server says more."
        try:
            work(_Listener(self, name))
            failure = None
        except VeilError as error:
            failure = str(error)
        finally:
            self.change(name, ended=True, failure=failure)

    def change(self, name: str, **values: str | int | bool | None) -> None:
        """Say how far a piece of work is."""
        with self._guard:
            self._standing[name] = replace(self._standing[name], **values)  # type: ignore[arg-type]


class _Listener:
    def __init__(self, works: Works, name: str) -> None:
        self._works, self._name = works, name

    def progress(self, stage: str, done: int, total: int | None) -> None:
        self._works.change(self._name, stage=stage, done=done, total=total)

    def notice(self, message: str) -> None:
        self._works.change(self._name, notice=message)
