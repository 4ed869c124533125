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
from engine.live.controls import LiveControls, LiveControlsState
from engine.live.counters import LiveCounters
from engine.live.hooks import LiveHooks
from engine.live.run import LiveOptions, anonymise_live
from engine.media.stream.live_input import strip_credentials
from engine.media.stream.live_preview import LivePreview
from engine.media.stream.pushed_input import PushedInput
from engine.record import DetectOptions
from engine.runs import RunRequest, RunState
from engine.storage.data_folder import DataFolder

LivePhase = Literal["starting", "running", "ended", "failed"]
BROWSER_CAMERA = "camera of a browser"
"""What the source is called whose frames a browser sends."""

_STATE_INTERVAL_S = 3.0
"""Seconds between two states that are written down."""


@dataclass(frozen=True, slots=True)
class LiveProgress:
    """How a live run goes, for a screen.

    Attributes:
        counters: since it began.
        frames_per_s: frames shown a second, over the last second or two.
        answers_per_s: answers a second, by detector.
    """

    counters: LiveCounters
    frames_per_s: float
    answers_per_s: dict[str, float]


class LiveRun:
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
        data: DataFolder,
        source: str | None,
        *,
        person: Person,
        controls_state: LiveControlsState | None = None,
        options: LiveOptions | None = None,
    ) -> None:
        _check_source(source)
        self.controls, self.preview = LiveControls(controls_state), LivePreview()
        self.person = access.authorise(data, person, "live")
        self.title = BROWSER_CAMERA if source is None else strip_credentials(source)
        self._stop_event, self._data = threading.Event(), data
        self._pushed_input = PushedInput(BROWSER_CAMERA, self._stop_event) if source is None else None
        self._source, self._options = source, options or LiveOptions()
        self._lock = threading.Lock()
        self._phase: LivePhase = "starting"
        self._failure_message: str | None = None
        self._recent_counters: list[tuple[float, LiveCounters]] = []
        self._started_at, self._state_written_s = runs.format_utc_now(), 0.0
        self.folder = runs.create_run(data, _build_request(source, self.person), self._build_state("running"))
        self._thread = threading.Thread(target=self._run, name=f"live {self.folder.id}", daemon=True)
        self._thread.start()

    @property
    def phase(self) -> LivePhase:
        """How far it is; "starting" until the first frames were shown."""
        return self._phase

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, and its record is written if there is one."""
        return self._phase in {"ended", "failed"}

    @property
    def failure_message(self) -> str | None:
        """Why it failed."""
        return self._failure_message

    @property
    def progress(self) -> LiveProgress:
        """How it goes now."""
        with self._lock:
            heard = list(self._recent_counters)
        if not heard:
            return LiveProgress(LiveCounters(), 0.0, {})
        (earlier, before), (later, now) = heard[0], heard[-1]
        seconds = max(1e-3, later - earlier) if len(heard) > 1 else 1.0
        looks = {name: (count - before.looks.get(name, 0)) / seconds for name, count in now.looks.items()}
        return LiveProgress(now, (now.shown - before.shown) / seconds, looks)

    def push_frame(self, frame: object) -> None:
        """Give the next frame of a browser's camera (PyAV's); it is given away, and never waits."""
        if self._pushed_input is not None:
            self._pushed_input.push(frame)  # type: ignore[arg-type]  # only engine.media names PyAV's types

    def end_source(self) -> None:
        """No more frames will be pushed; the run ends in order."""
        if self._pushed_input is not None:
            self._pushed_input.close()

    def unmask_preview(self, person: Person) -> None:
        """Keep what comes in for the preview as well, until `mask` is called; that somebody looks goes on record.

        Raises:
            AccessError: the person may not look at the frames of a source.
            AuditError: it cannot be put on record.
        """
        present = access.authorise(self._data, person, "look")
        seen: dict[str, str | int] = {"live": self.title, "unmasked": True, "from": self.progress.counters.shown}
        audit.append(self._data.audit, audit.Event(actor=present.actor, kind="view", run=self.folder.id, details=seen))
        self.preview.keeps_unmasked = True

    def mask_preview(self) -> None:
        """Keep what goes out only."""
        self.preview.keeps_unmasked = False

    def stop(self, timeout_s: float | None = None) -> None:
        """End the run in order and wait until its record is written, at most `timeout_s` seconds."""
        self._stop_event.set()
        self._thread.join(timeout_s)

    def join(self, timeout_s: float) -> None:
        """Wait for its end, at most `timeout_s` seconds."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            report = anonymise_live(
                self._pushed_input or str(self._source),
                self.folder.live_video,
                self._options,
                hooks=LiveHooks(
                    controls=self.controls,
                    stop=self._stop_event,
                    counter_observer=self._update_counters,
                    preview=self.preview,
                ),
                record=self.folder.record,
                data=self._data.root,
            )
        except VeilError as error:
            self._finish("failed", str(error))
        except BaseException as error:
            self._finish("failed", f"The live run broke off ({type(error).__name__}); nothing more was shown.")
            raise
        else:
            self._update_counters(report.counters)
            self._finish("ended", None)

    def _update_counters(self, counters: LiveCounters) -> None:
        now = time.monotonic()
        with self._lock:
            self._recent_counters = [*self._recent_counters[-2:], (now, counters)]
        self._phase = "running"
        if now - self._state_written_s >= _STATE_INTERVAL_S:
            self._state_written_s = now
            self._write_state("running")

    def _finish(self, phase: LivePhase, message: str | None) -> None:
        self.preview.keeps_unmasked = False
        self._failure_message = message
        self._write_state("done" if phase == "ended" else "failed", message)
        self._phase = phase

    def _write_state(self, stage: runs.RunStage, message: str | None = None) -> None:
        runs.write_state(self.folder, self._build_state(stage, message))

    def _build_state(self, stage: runs.RunStage, message: str | None = None) -> RunState:
        pid, born = runs.current_process()
        figures, now = self.progress, runs.format_utc_now()
        return RunState(
            stage=stage,
            activity="live",
            done=figures.counters.shown,
            rate=round(figures.frames_per_s, 2) or None,
            pid=pid,
            born=born,
            sentence=message,
            started=self._started_at,
            ended=None if stage == "running" else now,
            updated=now,
        )


def _check_source(source: str | None) -> None:
    """Refuse what cannot be a source before anything begins."""
    if source is None:
        return
    if not source.strip():
        raise InputError("No source was given: name a file, a camera or an address.")
    if "://" not in source and not Path(source).exists():
        raise InputError(f"{source} does not exist on the server. Give the path of a file or camera, or an address.")


def _build_request(source: str | None, person: Person) -> RunRequest:
    told_source = BROWSER_CAMERA if source is None else strip_credentials(source)
    path = Path(told_source)
    shown = str(path.absolute()) if source is not None and path.exists() else told_source
    return RunRequest(
        source=shown,
        detection=DetectOptions(mode="live"),
        account=person.account,
        name=person.name,
        at=runs.format_utc_now(),
    )
