"""A live run that goes on in a thread of its own, with a run folder, for a server that shows and steers it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine import access, audit, runs
from engine.access import Person
from engine.errors import InputError, VeilError
from engine.live.controls import Controls, Look
from engine.live.counters import LiveCounters
from engine.live.run import LiveOptions, live
from engine.media.stream.live_input import told
from engine.media.stream.live_preview import Preview
from engine.media.stream.pushed_input import PushedInput
from engine.runs import Asked, RunRequest, RunState
from engine.storage.files import Data

Phase = Literal["starting", "running", "ended", "failed"]
CAMERA = "camera of a browser"
"""What the source is called whose frames a browser sends."""

_NEWS = 3.0
"""Seconds between two states that are written down."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How a live run goes, for a screen.

    Attributes:
        counters: since it began.
        rate: frames shown a second, over the last second or two.
        looks: answers a second, by detector.
    """

    counters: LiveCounters
    rate: float
    looks: dict[str, float]


class LiveSession:
    """Runs from its making until its source ends or `stop` is called; then its record lies in the run's folder.

    What is shown goes to `live.mkv` in that folder, faces hidden; nothing of what came in is kept.

    Args:
        data: the data folder.
        source: a file, a camera of this machine or an address; None takes frames by `push`.
        person: who begins it.
        look: how frames are shown at first.
        options: how to run.

    Attributes:
        controls: what can be changed meanwhile.
        preview: its newest pictures.
        person: who began it.
        title: what the source is called.
        folder: of the run.

    Raises:
        InputError: there is no source, or no such file.
        AccessError: the person may not run the live mode.
        StyleError: the look would not hide a face.
        TargetError: the run's folder cannot be made.
    """

    def __init__(
        self,
        data: Data,
        source: str | None,
        *,
        person: Person,
        look: Look | None = None,
        options: LiveOptions | None = None,
    ) -> None:
        _check(source)
        self.controls, self.preview = Controls(look), Preview()
        self.person = access.authorise(data, person, "live")
        self.title = CAMERA if source is None else told(source)
        self._stop, self._data = threading.Event(), data
        self._pushed = PushedInput(CAMERA, self._stop) if source is None else None
        self._source, self._options = source, options or LiveOptions()
        self._lock = threading.Lock()
        self._phase: Phase = "starting"
        self._sentence: str | None = None
        self._heard: list[tuple[float, LiveCounters]] = []
        self._started, self._written = runs.now(), 0.0
        self.folder = runs.create(data, _request(source, self.person), self._state("running"))
        self._thread = threading.Thread(target=self._work, name=f"live {self.folder.id}", daemon=True)
        self._thread.start()

    @property
    def phase(self) -> Phase:
        """How far it is; "starting" until the first frames were shown."""
        return self._phase

    @property
    def over(self) -> bool:
        """Whether it has ended, and its record is written if there is one."""
        return self._phase in {"ended", "failed"}

    @property
    def sentence(self) -> str | None:
        """Why it failed."""
        return self._sentence

    @property
    def figures(self) -> Figures:
        """How it goes now."""
        with self._lock:
            heard = list(self._heard)
        if not heard:
            return Figures(LiveCounters(), 0.0, {})
        (earlier, before), (later, now) = heard[0], heard[-1]
        seconds = max(1e-3, later - earlier) if len(heard) > 1 else 1.0
        looks = {name: (count - before.looks.get(name, 0)) / seconds for name, count in now.looks.items()}
        return Figures(now, (now.shown - before.shown) / seconds, looks)

    def push(self, frame: object) -> None:
        """Give the next frame of a browser's camera (PyAV's); it is given away, and never waits."""
        if self._pushed is not None:
            self._pushed.push(frame)  # type: ignore[arg-type]  # only engine.media names PyAV's types

    def source_ended(self) -> None:
        """No more frames will be pushed; the run ends in order."""
        if self._pushed is not None:
            self._pushed.close()

    def unmask(self, person: Person) -> None:
        """Keep what comes in for the preview as well, until `mask` is called; that somebody looks goes on record.

        Raises:
            AccessError: the person may not look at the frames of a source.
            AuditError: it cannot be put on record.
        """
        present = access.authorise(self._data, person, "look")
        seen: dict[str, str | int] = {"live": self.title, "unmasked": True, "from": self.figures.counters.shown}
        audit.append(self._data.audit, audit.Event(actor=present.actor, kind="view", run=self.folder.id, details=seen))
        self.preview.unmasked = True

    def mask(self) -> None:
        """Keep what goes out only."""
        self.preview.unmasked = False

    def stop(self, timeout: float | None = None) -> None:
        """End the run in order and wait until its record is written, at most `timeout` seconds."""
        self._stop.set()
        self._thread.join(timeout)

    def join(self, timeout: float) -> None:
        """Wait for its end, at most `timeout` seconds."""
        self._thread.join(timeout)

    def _work(self) -> None:
        folder = self.folder.path
        try:
            report = live(
                self._pushed or str(self._source),
                folder / "live.mkv",
                self._options,
                controls=self.controls,
                record=self.folder.record,
                data=self._data.root,
                stop=self._stop,
                watcher=self._hear,
                preview=self.preview,
            )
        except VeilError as error:
            self._end("failed", str(error))
        except BaseException as error:
            self._end("failed", f"The live run broke off ({type(error).__name__}); nothing more was shown.")
            raise
        else:
            self._hear(report.counters)
            self._end("ended", None)

    def _hear(self, counters: LiveCounters) -> None:
        now = time.monotonic()
        with self._lock:
            self._heard = [*self._heard[-2:], (now, counters)]
        self._phase = "running"
        if now - self._written >= _NEWS:
            self._written = now
            self._write("running")

    def _end(self, phase: Phase, sentence: str | None) -> None:
        self.preview.unmasked = False
        self._sentence = sentence
        self._write("done" if phase == "ended" else "failed", sentence)
        self._phase = phase

    def _write(self, stage: runs.Stage, sentence: str | None = None) -> None:
        runs.write_state(self.folder, self._state(stage, sentence))

    def _state(self, stage: runs.Stage, sentence: str | None = None) -> RunState:
        pid, born = runs.itself()
        figures, now = self.figures, runs.now()
        return RunState(
            stage=stage,
            activity="live",
            done=figures.counters.shown,
            rate=round(figures.rate, 2) or None,
            pid=pid,
            born=born,
            sentence=sentence,
            started=self._started,
            ended=None if stage == "running" else now,
            updated=now,
        )


def _check(source: str | None) -> None:
    """Refuse what cannot be a source before anything begins."""
    if source is None:
        return
    if not source.strip():
        raise InputError("No source was given: name a file, a camera or an address.")
    if "://" not in source and not Path(source).exists():
        raise InputError(f"{source} does not exist on the server. Give the path of a file or camera, or an address.")


def _request(source: str | None, person: Person) -> RunRequest:
    told_source = CAMERA if source is None else told(source)
    path = Path(told_source)
    shown = str(path.absolute()) if source is not None and path.exists() else told_source
    return RunRequest(
        source=shown, detection=Asked(mode="live"), account=person.account, name=person.name, at=runs.now()
    )
