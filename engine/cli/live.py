"""`veil live`: mask a live picture, with keys that change the masks meanwhile."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from engine.cli.arguments import add_overwrite, add_set_option
from engine.cli.command import Command
from engine.cli.keyboard import handle_keys
from engine.cli.options import build_settings, parse_settings
from engine.cli.reports import format_parts
from engine.cli.terminal import Terminal
from engine.core.name_value_pairs import parse_pairs
from engine.core.wording import format_count
from engine.errors import InputError, VeilError
from engine.live.control_socket import ControlSocket
from engine.live.controls import LiveControls, LiveControlsState
from engine.live.counters import LiveCounters
from engine.live.hooks import LiveHooks
from engine.live.look_size import LOOK_SIDES_PX
from engine.live.record_facts import plan_detector_roles
from engine.live.run import LiveOptions, LiveReport, anonymise_live, recover_record
from engine.live.settings import FollowingSettings, JudgingSettings
from engine.masking.presets import DEFAULT_PRESET, PRESETS, describe_presets
from engine.masking.shapes import SHAPES
from engine.media.stream.live_output import LiveEncoding

_LEAST_LOOK_PX, _MOST_LOOK_PX = 64, 4096
_KEYS_HELP = "p cover all · s style · e shape · + - strength · ] [ confidence · q quit"


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", help="file, camera (/dev/video0), or udp, rtp, rtsp, http, tcp or rtmp address")
    parser.add_argument("target", help="file, or udp, tcp, srt or rtmp address")
    parser.add_argument("--record", type=Path, help="record to write (default: TARGET.detections.json)")
    add_overwrite(parser)
    parser.add_argument(
        "--control", type=Path, metavar="SOCKET", help="create a Unix socket that accepts changes as JSON lines"
    )
    parser.add_argument(
        "--style",
        choices=tuple(PRESETS),
        default=DEFAULT_PRESET,
        metavar="PRESET",
        help=f"style at the start: {describe_presets()} (default: {DEFAULT_PRESET})",
    )
    confidence = LiveControlsState().confidence
    parser.add_argument(
        "--confidence",
        type=float,
        default=confidence,
        metavar="SCORE",
        help=f"least score at which a new face is masked (default: {confidence})",
    )
    parser.add_argument(
        "--encoder", default="", metavar="NAME=VALUE[,...]", help="encoder settings that differ from the defaults"
    )
    parser.add_argument(
        "--look-size",
        type=_parse_look_size,
        metavar="auto|PIXELS",
        help="longest side of the pictures that YOLOv8-face looks at; auto: from "
        f"{LOOK_SIDES_PX[0]} down to {LOOK_SIDES_PX[-1]}, as fast as the machine is (default: auto)",
    )
    add_set_option(parser, "set a parameter of a detector, of judging or following, as judging.age=0.3")
    parser.add_argument("--no-audio", dest="audio", action="store_false", help="leave out the audio")
    parser.add_argument(
        "--patience",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="how long to try to reconnect to a lost source (default: 30)",
    )
    parser.add_argument(
        "--recover", action="store_true", help="SOURCE is the log of a run that crashed: write its record to TARGET"
    )
    parser.epilog = f"keys while it runs:\n  {_KEYS_HELP}"


def _parse_look_size(text: str) -> int | None:
    if text == "auto":
        return None
    if text.isascii() and text.isdigit() and _LEAST_LOOK_PX <= int(text) <= _MOST_LOOK_PX:
        return int(text)
    raise ArgumentTypeError(f"it is auto or a number of pixels from {_LEAST_LOOK_PX} to {_MOST_LOOK_PX}, not {text!r}")


def _run_live(options: Namespace, terminal: Terminal) -> int:
    if options.recover:
        record = recover_record(options.source, options.target, overwrite=options.overwrite)
        terminal.print_result({"record": options.target, "frames": len(record.frames)}, f"Record: {options.target}")
        return 0
    # The control socket answers from a thread of its own: a list of one item passes it the newest counters.
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
            hooks=LiveHooks(controls, stop, terminal, lambda counters: latest.__setitem__(0, counters)),
            record=options.record,
            data=options.data,
            overwrite=options.overwrite,
        )
    terminal.print_result(report, _format_report(report))
    return 0


def _format_report(report: LiveReport) -> str:
    counters = report.counters
    covered = sum(counters.covered.values())
    restarts = sum(counters.restarts.values())
    shown = f"{format_count(counters.shown, 'frame')} shown in {report.seconds:.1f} s"
    reasons = f" ({format_parts(counters.covered)})" if covered else ""
    lines = [
        f"{shown}: {counters.judged:,} with detection, {covered:,} covered whole{reasons}",
        f"95 % of them within {counters.delay_p95} ms; {counters.dropped:,} dropped and never shown",
    ]
    if restarts or counters.reconnects:
        again = format_count(counters.reconnects, "reconnection")
        lines.append(f"{format_count(restarts, 'restart')} of detectors, {again} to the source")
    if counters.late_faces:
        faces = format_count(counters.late_faces, "face")
        lines.append(f"{faces} detected too late: their frames were shown without a mask on them")
    return "\n".join([*lines, f"Record: {report.record}"])


class _KeyHandler:
    """Changes the masks, or stops the run, when a key is pressed."""

    def __init__(self, controls: LiveControls, stop: threading.Event, notice: Callable[[str], None]) -> None:
        self._controls, self._stop, self._notice = controls, stop, notice

    def __call__(self, key: str) -> None:
        """Handle one key, and print the state of the controls."""
        if key == "q":
            self._stop.set()
            return
        try:
            state = self._apply_key(key)
        except VeilError as error:
            self._notice(str(error))
            return
        if state is None:
            self._notice(_KEYS_HELP)
        else:
            cover = "EVERYTHING COVERED, " if state.cover_all else ""
            shape = state.shape or "shape of the style"
            self._notice(f"{cover}{state.style}, {shape}, strength {state.strength:g}, confidence {state.confidence:g}")

    def _apply_key(self, key: str) -> LiveControlsState | None:
        controls, state = self._controls, self._controls.state
        match key:
            case "p":
                return controls.cover_all()
            case "s":
                return controls.change(style=_choose_next(tuple(PRESETS), state.style))
            case "e":
                return controls.change(shape=_choose_next(tuple(SHAPES), state.shape))
            case "+" | "-":
                return controls.change(strength=_step_value(state.strength, key == "+", 0.5, (1.0, 4.0)))
            case "]" | "[":
                return controls.change(confidence=_step_value(state.confidence, key == "]", 0.05, (0.0, 1.0)))
            case _:
                return None


def _choose_next(choices: tuple[str, ...], current: str | None) -> str:
    return choices[(choices.index(current) + 1) % len(choices)] if current in choices else choices[0]


def _step_value(value: float, up: bool, step: float, limits: tuple[float, float]) -> float:  # noqa: FBT001 - a direction
    # Rounded, as repeated additions of 0.05 would end at 0.15000000000000002.
    return round(min(limits[1], max(limits[0], value + (step if up else -step))), 4)


def _build_options(options: Namespace) -> LiveOptions:
    parts = parse_settings(options.settings)
    # What is left after these two are taken out are parameters of detectors.
    judging = build_settings("judging", JudgingSettings, parts.pop("judging", {}))
    following = build_settings("following", FollowingSettings, parts.pop("following", {}))
    roles = plan_detector_roles(parts, look_side_px=options.look_size)
    for unknown in parts.keys() - {role.name for role in roles}:
        raise InputError(
            f"--set {unknown}... cannot be used: veil live has {', '.join(role.name for role in roles)}, "
            "judging and following."
        )
    return LiveOptions(
        detector_roles=roles,
        judging=judging,
        following=following,
        encoding=build_settings("--encoder", LiveEncoding, parse_pairs("--encoder", options.encoder)),
        audio=options.audio,
        reconnect_timeout_s=options.patience,
    )


def _stop_on_signals(stack: ExitStack, stop: threading.Event) -> None:
    """Stop the run in order at the first SIGINT or SIGTERM, and abort it at the second."""

    # In order means that the frames in the pipeline are written and the output is closed, so that players can open it.
    def handle_signal(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        stack.callback(signal.signal, number, signal.signal(number, handle_signal))


COMMANDS = {"live": Command(_add_arguments, _run_live, reads_media=True)}
