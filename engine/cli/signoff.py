"""`veil sign`, `veil release` and `veil purge`."""

from __future__ import annotations

from argparse import Namespace

from engine import release as signoff
from engine.approval.statements import Statement
from engine.cli.identity import open_session
from engine.cli.options import build_settings, parse_audio_spans
from engine.cli.terminal import Terminal
from engine.core.name_value_pairs import parse_pairs
from engine.errors import InputError
from engine.masking.presets import parse_style
from engine.media.output.encoder import EncoderSettings
from engine.record import Document
from engine.release import PurgeReport, Release, SignOffSnapshot, SignRequest
from engine.rendering.terms import RenderOptions
from engine.storage.data_folder import DataFolder, find_data_folder


class SignOffSummary(Document, frozen=True):
    """How far a run is: every signature, and for each why it does not count any more."""

    run: str
    signatures: tuple[Statement, ...]
    void: tuple[tuple[str, ...], ...]
    not_released: str | None


def sign_run(options: Namespace, terminal: Terminal) -> int:
    """`veil sign`: without a meaning it shows what was signed."""
    data = find_data_folder(options.data)
    if options.meaning is None:
        shown = _summarise_sign_off(signoff.open_snapshot(data, options.run))
        terminal.print_result(shown, _format_sign_off(shown))
        return 0
    session, credential = open_session(data, options)
    wish = SignRequest(options.meaning, options.reason, _build_render_options(data, options), options.suffix)
    statement, _ = signoff.sign(data, options.run, session, credential, wish)
    terminal.print_result(statement, f"{statement.run}: {statement.format_line()}")
    return 0


def release_run(options: Namespace, terminal: Terminal) -> int:
    """`veil release`."""
    data = find_data_folder(options.data)
    session, credential = open_session(data, options)
    made, _ = signoff.release(data, options.run, session, credential, reason=options.reason, listener=terminal)
    terminal.print_result(made, _format_release(made))
    return 0


def purge_run(options: Namespace, terminal: Terminal) -> int:
    """`veil purge`."""
    data = find_data_folder(options.data)
    session, _ = open_session(data, options)
    purged = signoff.purge(data, options.run, session.person, options.reason)
    terminal.print_result(purged, _format_purge(purged))
    return 0


def _build_render_options(data: DataFolder, options: Namespace) -> RenderOptions | None:
    """What is named; the rest as it was signed last, all of it when nothing is named."""
    audio = parse_audio_spans(options)
    if audio and options.keep_audio:
        raise InputError("--keep-audio and --mute or --bleep contradict each other; choose one of them.")
    if not (options.style or options.encoder or options.force or audio or options.keep_audio):
        return None
    last = signoff.read_signed_options(data, options.run)
    encoder = build_settings("--encoder", EncoderSettings, parse_pairs("--encoder", options.encoder))
    return RenderOptions(
        style=parse_style(options.style) if options.style else last.style,
        encoder=encoder if options.encoder else last.encoder,
        force=options.force or (last.force and not options.style),
        audio=audio or (() if options.keep_audio else last.audio),
    )


def _summarise_sign_off(case: SignOffSnapshot) -> SignOffSummary:
    standings = case.sign_off.list_statement_statuses()
    return SignOffSummary(
        case.run.id,
        tuple(one.statement for one in standings),
        tuple(one.void_reasons for one in standings),
        case.sign_off.find_refusal("released", ""),
    )


def _format_sign_off(shown: SignOffSummary) -> str:
    lines = [
        f"{statement.number:04}  {statement.format_line()}" + (f"  (void: {', and '.join(void)})" if void else "")
        for statement, void in zip(shown.signatures, shown.void, strict=True)
    ]
    return "\n".join([*lines, shown.not_released or "Everything that a release takes is signed."])


def _format_release(made: Release) -> str:
    signed = [statement.format_line() for statement in made.statements]
    policy = f"Persons that the policy asks for: {made.persons}"
    files = [f"Output: {made.output}", f"sha256: {made.output_sha256}"]
    return "\n".join([f"Release {made.number} of {made.run}", *signed, policy, *files])


def _format_purge(purged: PurgeReport) -> str:
    lines = [f"Removed {path}" for path in purged.removed] or ["There was nothing to remove."]
    if purged.kept_elsewhere:
        lines.append(f"The source {purged.kept_elsewhere} lies outside of the library; remove it yourself.")
    return "\n".join(lines)
