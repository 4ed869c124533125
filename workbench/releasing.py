"""Releases under way: each on a thread of its own, which goes on whoever watches it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from engine import release
from engine.access import Session
from engine.access.sessions import Credential
from engine.errors import VeilError
from engine.rendering import RenderOptions
from engine.store import Data
from workbench import sessions


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a release is.

    Attributes:
        stage: what is done now, as a listener hears it.
        done: how many of `total` frames.
        ended: whether it is over.
        failure: why it came to nothing.
        notice: the newest sentence that a person should read.
    """

    stage: str = "sign-off"
    done: int = 0
    total: int | None = None
    ended: bool = False
    failure: str | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A release that a person asks for.

    Attributes:
        session: of that person; what confirming does to it is kept under `token`.
        credential: that confirms the signature.
        options: what was approved.
    """

    data: Data
    run_id: str
    session: Session
    token: str | None
    credential: Credential | None
    options: RenderOptions


class Releases:
    """The releases that this server makes, by run."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._standing: dict[str, Standing] = {}

    def of(self, run_id: str) -> Standing | None:
        """How far the newest release of a run is, None when this server has made none."""
        with self._guard:
            return self._standing.get(run_id)

    def start(self, order: Order) -> None:
        """Begin a release, unless one of that run is under way."""
        with self._guard:
            under_way = self._standing.get(order.run_id)
            if under_way is not None and not under_way.ended:
                return
            self._standing[order.run_id] = Standing()
        threading.Thread(target=self._work, args=(order,), name=f"release {order.run_id}").start()

    def _work(self, order: Order) -> None:
        failure: str | None = "It ended with a fault of the program; the log of the server says more."
        try:
            listener = _Listener(self, order.run_id)
            _, changed = release.release(
                order.data, order.run_id, order.session, order.credential, options=order.options, listener=listener
            )
            if order.token is not None and changed.person.how != "single-user":
                sessions.replace(order.data, order.token, changed)
            failure = None
        except VeilError as error:
            failure = str(error)
        finally:
            self.change(order.run_id, ended=True, failure=failure)

    def change(self, run_id: str, **values: str | int | bool | None) -> None:
        """Say how far a release is."""
        with self._guard:
            self._standing[run_id] = replace(self._standing[run_id], **values)  # type: ignore[arg-type]


class _Listener:
    def __init__(self, releases: Releases, run_id: str) -> None:
        self._releases, self._run_id = releases, run_id

    def progress(self, stage: str, done: int, total: int | None) -> None:
        self._releases.change(self._run_id, stage=stage, done=done, total=total)

    def notice(self, message: str) -> None:
        self._releases.change(self._run_id, notice=message)
