"""`veil live`: its arguments, its keys, and what it says."""

from __future__ import annotations

import argparse
import signal
import threading
from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from engine.cli.keyboard import handle_keys
from engine.cli.options import add_set_option, build_settings, parse_settings
from engine.cli.terminal import Terminal
from engine.core.name_value_pairs import parse_pairs
from engine.errors import InputError, VeilError
from engine.live.control_socket import ControlSocket
from engine.live.controls import LiveControls, LiveControlsState
from engine.live.counters import LiveCounters
from engine.live.record_facts import plan_detector_roles
from engine.live.run import LiveOptions, LiveReport, anonymise_live, recover_record
from engine.live.settings import FollowingSettings, JudgingSettings
from engine.masking.presets import DEFAULT_PRESET, PRESETS, describe_presets
from engine.masking.shapes import SHAPES
from engine.media.stream.live_output import LiveEncoding

_KEYS_HELP = "p cover all · s style · e shape · + - strength · ] [ confidence · q end"


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of `veil live`."""
    verb.add_argument("source", help="file, camera (/dev/video0), or udp, rtp, rtsp, http, tcp, rtmp address")
    verb.add_argument("target", help="file, or udp, tcp, srt, rtmp address")
    verb.add_argument("--record", type=Path, help="where the record goes (default: OUTPUT.detections.json)")
    verb.add_argument(
        "--control", type=Path, metavar="SOCKET", help="make a Unix socket that takes changes as JSON lines"
    )
    verb.add_argument(
        "--style", choices=tuple(PRESETS), default=DEFAULT_PRESET, help=f"style at the start: {describe_presets()}"
    )
    verb.add_argument(
        "--confidence", type=float, default=LiveControlsState().confidence, help="least score that begins a face"
    )
    verb.add_argument("--encoder", default="", metavar="NAME=VALUE[,...]", help="settings of the encoder")
    add_set_option(verb, "a parameter of a detector, of judging or following, as judging.age=0.3")
    verb.add_argument("--no-audio", dest="audio", action="store_false", help="leave the audio out")
    verb.add_argument(
        "--patience",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="how long a source that went away is tried again",
    )
    verb.add_argument(
        "--recover", action="store_true", help="SOURCE is the log of a run that crashed: write its record to OUTPUT"
    )


def run_live(options: Namespace, terminal: Terminal) -> int:
    """`veil live`."""
    if options.recover:
        made = recover_record(options.source, options.target)
        terminal.print_result({"record": options.target, "frames": len(made.frames)}, f"Record: {options.target}")
        return 0
    stop, latest = threading.Event(), [LiveCounters()]
    controls = LiveControls(
        build_settings("live", LiveControlsState, {"style": options.style, "confidence": options.confidence})
    )
    with ExitStack() as stack:
        _stop_on_signals(stack, stop)
        if options.control is not None:
            stack.enter_context(ControlSocket(options.control, controls, lambda: latest[0]))
        stack.enter_context(handle_keys(_KeyHandler(controls, stop, terminal.notice)))
        report = anonymise_live(
            options.source,
            options.target,
            _build_options(options),
            controls=controls,
            record=options.record,
            data=options.data,
            listener=terminal,
            stop=stop,
            counter_observer=lambda counters: latest.__setitem__(0, counters),
        )
    terminal.print_result(report, format_report(report))
    return 0


def format_report(report: LiveReport) -> str:
    """The report as lines."""
    counters = report.counters
    covered = sum(counters.covered.values())
    reasons = ", ".join(f"{count} {reason}" for reason, count in counters.covered.items())
    restarts = sum(counters.restarts.values())
    lines = [
        f"{counters.shown} frames shown in {report.seconds:.1f} s: {counters.judged} judged, {covered} covered whole"
        + (f" ({reasons})" if reasons else ""),
        f"95 % of them within {counters.delay_p95} ms; {counters.dropped} dropped, never shown",
    ]
    if restarts or counters.reconnects:
        lines.append(f"{restarts} restarts of detectors, {counters.reconnects} reconnections of the source")
    if counters.late_faces:
        lines.append(f"{counters.late_faces} faces were reported after their frame was shown without a mask on them")
    return "\n".join([*lines, f"Record: {report.record}"])


class _KeyHandler:
    """What a key does."""

    def __init__(self, controls: LiveControls, stop: threading.Event, notice: Callable[[str], None]) -> None:
        self._controls, self._stop, self._notice = controls, stop, notice

    def __call__(self, key: str) -> None:
        """Do it, and say how frames are shown now."""
        if key == "q":
            self._stop.set()
            return
        try:
            look = self._apply_key(key)
        except VeilError as error:
            self._notice(str(error))
            return
        if look is None:
            self._notice(_KEYS_HELP)
        else:
            cover = "EVERYTHING COVERED, " if look.cover_all else ""
            shape = look.shape or "own shape"
            self._notice(f"{cover}{look.style}, {shape}, strength {look.strength:g}, confidence {look.confidence:g}")

    def _apply_key(self, key: str) -> LiveControlsState | None:
        controls, look = self._controls, self._controls.state
        match key:
            case "p":
                return controls.cover_all()
            case "s":
                return controls.change(style=_choose_next(tuple(PRESETS), look.style))
            case "e":
                return controls.change(shape=_choose_next(tuple(SHAPES), look.shape))
            case "+" | "-":
                return controls.change(strength=_step_value(look.strength, key == "+", 0.5, (1.0, 4.0)))
            case "]" | "[":
                return controls.change(confidence=_step_value(look.confidence, key == "]", 0.05, (0.0, 1.0)))
            case _:
                return None


def _choose_next(words: tuple[str, ...], word: str | None) -> str:
    return words[(words.index(word) + 1) % len(words)] if word in words else words[0]


def _step_value(value: float, up: bool, step: float, limits: tuple[float, float]) -> float:  # noqa: FBT001 - a direction
    return round(min(limits[1], max(limits[0], value + (step if up else -step))), 4)


def _build_options(options: Namespace) -> LiveOptions:
    parts = parse_settings(options.settings)
    judging = build_settings("judging", JudgingSettings, parts.pop("judging", {}))
    following = build_settings("following", FollowingSettings, parts.pop("following", {}))
    watches = plan_detector_roles(parts)
    for stranger in parts.keys() - {watch.name for watch in watches}:
        raise InputError(f"Parameters are given for {stranger}, which does not run live.")
    return LiveOptions(
        detector_roles=watches,
        judging=judging,
        following=following,
        encoding=build_settings("--encoder", LiveEncoding, parse_pairs("--encoder", options.encoder)),
        audio=options.audio,
        reconnect_timeout_s=options.patience,
    )


def _stop_on_signals(stack: ExitStack, stop: threading.Event) -> None:
    """Let the first interruption end the run in order, and the next one break it off."""

    def handle_signal(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        del number

    for number in (signal.SIGINT, signal.SIGTERM):
        stack.callback(signal.signal, number, signal.signal(number, handle_signal))
