"""A live run in a thread of its own, with a run folder, for a server that shows and controls it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine import access, audit, runs
from engine.access import Person
from engine.access.live_sources import AllowedSource, allow_source
from engine.core.machine import current_process, find_host_name
from engine.errors import InputError, SourceError, VeilError
from engine.live.controls import LiveControls, LiveControlsState
from engine.live.counters import LiveCounters
from engine.live.hooks import LiveHooks
from engine.live.run import LiveOptions, anonymise_live
from engine.media.stream.live_preview import LivePreview
from engine.media.stream.pushed_input import PushedInput
from engine.record import DetectOptions
from engine.runs import RunRequest, RunState
from engine.storage.data_folder import DataFolder

LivePhase = Literal["starting", "running", "ended", "failed"]
BROWSER_CAMERA = "camera of a browser"
"""Name of the source if a browser sends the frames."""

_PREVIEW_PX, _BUSY_PREVIEW_PX = 960, 640
"""Longest sides of the preview, usually and while the looks are smaller than usual."""
_STATE_INTERVAL_S = 3.0
"""Seconds between two writes of the run's state."""


@dataclass(frozen=True, slots=True)
class LiveProgress:
    """Progress of a live run, for a screen.

    Attributes:
        counters: counters since the start.
        frames_per_s: frames shown per second, over the last one to two seconds.
        answers_per_s: answers per second, by detector.
    """

    counters: LiveCounters
    frames_per_s: float
    answers_per_s: dict[str, float]


class LiveRun:
    """A live run that starts when it is created and goes on until its source ends or `stop` is called.

    The masked video is written to the run's folder, and at the end the record too. Nothing of what came in is kept.

    Args:
        data: the data folder.
        source: a file, a camera of this machine or an address; None: frames come by `push_frame`.
        person: the person who starts the run.
        controls_state: first state of the controls.
        options: options of the run.

    Attributes:
        controls: what can be changed while it runs.
        preview: its newest frames.
        person: the person who started the run.
        title: name of the source.
        folder: folder of the run.

    Raises:
        InputError: no source is given, or the file does not exist.
        AccessError: the person may not run live mode, or not with this source.
        StyleError: the style of the controls would not hide a face.
        TargetError: the run's folder cannot be created.
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
        if source is not None and not source.strip():
            raise InputError("No source was given: name a file, a camera or an address.")
        self.controls, self.preview = LiveControls(controls_state), LivePreview(_PREVIEW_PX)
        self.person = access.authorise(data, person, "live")
        allowed = None if source is None else allow_source(data, self.person, source)
        self.title = BROWSER_CAMERA if allowed is None else allowed.title
        if allowed is not None:
            _check_existence(allowed.address)
        self._stop_event, self._data = threading.Event(), data
        self._pushed_input = PushedInput(BROWSER_CAMERA, self._stop_event) if source is None else None
        self._source, self._options = allowed.address if allowed else None, options or LiveOptions()
        self._lock = threading.Lock()
        self._phase: LivePhase = "starting"
        self._failure_message: str | None = None
        self._recent_counters: list[tuple[float, LiveCounters]] = []
        self._started_at, self._state_written_s = runs.format_utc_now(), 0.0
        self.folder = runs.create_run(data, _build_request(allowed, self.person), self._build_state("running"))
        self._thread = threading.Thread(target=self._run, name=f"live {self.folder.id}", daemon=True)
        self._thread.start()

    @property
    def phase(self) -> LivePhase:
        """Phase of the run; "starting" until the first report of the counters."""
        return self._phase

    @property
    def has_ended(self) -> bool:
        """True when the run has ended and its record, if there is one, is written."""
        return self._phase in {"ended", "failed"}

    @property
    def is_stopping(self) -> bool:
        """True from the request to stop until the run has ended."""
        return self._stop_event.is_set() and not self.has_ended

    @property
    def failure_message(self) -> str | None:
        """Reason of the failure; None if the run did not fail."""
        return self._failure_message

    @property
    def progress(self) -> LiveProgress:
        """Progress as of the last report of the counters."""
        with self._lock:
            reports = list(self._recent_counters)
        if not reports:
            return LiveProgress(LiveCounters(), 0.0, {})
        (earlier, before), (later, now) = reports[0], reports[-1]
        seconds = max(1e-3, later - earlier) if len(reports) > 1 else 1.0
        answers_per_s = {name: (count - before.looks.get(name, 0)) / seconds for name, count in now.looks.items()}
        return LiveProgress(now, (now.shown - before.shown) / seconds, answers_per_s)

    def push_frame(self, frame: object) -> None:
        """Submit the next frame of a browser's camera, which the caller gives away; return at once.

        Args:
            frame: PyAV's frame.
        """
        if self._pushed_input is not None:
            self._pushed_input.push(frame)  # type: ignore[arg-type]  # only engine.media names PyAV's types

    def fail_source(self, error: SourceError) -> None:
        """End a pushed source because of an error: the run ends in order, and fails with its sentence."""
        if self._pushed_input is not None:
            self._pushed_input.fail(error)

    def end_source(self) -> None:
        """End a pushed source: no more frames will come, and the run ends in order."""
        if self._pushed_input is not None:
            self._pushed_input.close()

    def unmask_preview(self, person: Person) -> None:
        """Keep incoming frames for the preview too, until `mask_preview` is called; log that the person views them.

        Raises:
            AccessError: the person may not view the frames of a source.
            AuditError: the event cannot be logged.
        """
        viewer = access.authorise(self._data, person, "look")
        details: dict[str, int] = {"live": True, "unmasked": True, "from": self.progress.counters.shown}
        audit.append(
            self._data.audit, audit.Event(actor=viewer.actor, kind="view", run=self.folder.id, details=details)
        )
        # After the log entry: no unmasked frame is kept without one.
        self.preview.keeps_unmasked = True

    def mask_preview(self) -> None:
        """Keep outgoing frames only for the preview."""
        self.preview.keeps_unmasked = False

    def stop(self) -> None:
        """Have the run end in order; `join` waits for that."""
        self._stop_event.set()

    def join(self, timeout_s: float) -> None:
        """Wait at most `timeout_s` seconds for the end of the run."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            anonymise_live(
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
            self._finish(
                "failed",
                f"An unexpected error ended the live run ({type(error).__name__}). No frame was shown after it.",
            )
            raise
        else:
            self._finish("ended", None)

    def _update_counters(self, counters: LiveCounters) -> None:
        now = time.monotonic()
        with self._lock:
            # Two or three reports, a second apart: old enough for a rate, new enough for a screen.
            self._recent_counters = [*self._recent_counters[-2:], (now, counters)]
        self._phase = "running"
        # A machine that is too busy for full looks has no time to encode a large preview either.
        self.preview.limit_side(_BUSY_PREVIEW_PX if counters.smallest_face_px else _PREVIEW_PX)
        if now - self._state_written_s >= _STATE_INTERVAL_S:
            self._state_written_s = now
            self._write_state("running")

    def _finish(self, phase: LivePhase, message: str | None) -> None:
        # The phase changes last: a page that sees it may rely on the state and on the message.
        self.preview.keeps_unmasked = False
        self._failure_message = message and runs.omit_source_name(str(self._source), message)
        self._write_state("done" if phase == "ended" else "failed", self._failure_message)
        self._phase = phase

    def _write_state(self, stage: runs.RunStage, message: str | None = None) -> None:
        runs.write_state(self.folder, self._build_state(stage, message))

    def _build_state(self, stage: runs.RunStage, message: str | None = None) -> RunState:
        pid, born = current_process()
        figures, now = self.progress, runs.format_utc_now()
        return RunState(
            stage=stage,
            activity="live",
            done=figures.counters.shown,
            rate=round(figures.frames_per_s, 2) or None,
            host=find_host_name(),
            pid=pid,
            born=born,
            sentence=message,
            started=self._started_at,
            ended=None if stage == "running" else now,
            updated=now,
        )


def _check_existence(address: str) -> None:
    """Refuse a missing file before a run folder exists for it."""
    if "://" not in address and not Path(address).exists():
        raise InputError(f"{address} does not exist on the server. Give the path of a file or camera, or an address.")


def _build_request(allowed: AllowedSource | None, person: Person) -> RunRequest:
    request_source = BROWSER_CAMERA if allowed is None else allowed.title
    # A file is named by its path, so that its frames can be shown beside the masked ones.
    if allowed is not None and "://" not in allowed.address and Path(allowed.address).is_file():
        request_source = str(Path(allowed.address).absolute())
    return RunRequest(
        source=request_source,
        detection=DetectOptions(mode="live"),
        account=person.account,
        name=person.name,
        at=runs.format_utc_now(),
    )
