"""Connections between a live run and its caller: controls, stop, progress, counters, preview."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.core.progress import ProgressListener, SilentListener
from engine.live.controls import LiveControls
from engine.live.counters import LiveCounters
from engine.media.stream.live_preview import LivePreview


def _ignore_counters(_counters: LiveCounters) -> None:
    pass


@dataclass(frozen=True, slots=True)
class LiveHooks:
    """The connections between a live run and its caller; each has a default that does nothing.

    Attributes:
        controls: what can be changed while the run goes on.
        stop: ends the run in order when it is set.
        listener: gets progress and notices.
        counter_observer: gets the counters about once a second and at the end, from the sending thread.
        preview: keeps the newest frames for a viewer; None if there is no viewer.
    """

    controls: LiveControls = field(default_factory=LiveControls)
    stop: threading.Event = field(default_factory=threading.Event)
    listener: ProgressListener = field(default_factory=SilentListener)
    counter_observer: Callable[[LiveCounters], None] = _ignore_counters
    preview: LivePreview | None = None
