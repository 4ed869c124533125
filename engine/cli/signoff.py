"""`veil sign`, `veil release` and `veil purge`."""

from __future__ import annotations

from argparse import Namespace

from engine import release as signoff
from engine.approval.statements import Statement
from engine.cli.identity import session_of
from engine.cli.options import audio_spans, document, pairs, style
from engine.cli.terminal import Terminal
from engine.errors import InputError
from engine.media.output.encoder import EncoderSettings
from engine.record import Document
from engine.release import Case, Purged, Release, Wish
from engine.rendering.terms import RenderOptions
from engine.storage.files import Data, data_folder


class SignOffShown(Document, frozen=True):
    """How far a run is: every signature, and for each why it does not count any more."""

    run: str
    signatures: tuple[Statement, ...]
    void: tuple[tuple[str, ...], ...]
    not_released: str | None


def sign(options: Namespace, terminal: Terminal) -> int:
    """`veil sign`: without a meaning it shows what was signed."""
    data = data_folder(options.data)
    if options.meaning is None:
        shown = _shown(signoff.open_case(data, options.run))
        terminal.result(shown, _standing(shown))
        return 0
    session, credential = session_of(data, options)
    wish = Wish(options.meaning, options.reason, _options(data, options), options.suffix)
    statement, _ = signoff.sign(data, options.run, session, credential, wish)
    terminal.result(statement, f"{statement.run}: {statement.line()}")
    return 0


def release(options: Namespace, terminal: Terminal) -> int:
    """`veil release`."""
    data = data_folder(options.data)
    session, credential = session_of(data, options)
    made, _ = signoff.release(data, options.run, session, credential, reason=options.reason, listener=terminal)
    terminal.result(made, _released(made))
    return 0


def purge(options: Namespace, terminal: Terminal) -> int:
    """`veil purge`."""
    data = data_folder(options.data)
    session, _ = session_of(data, options)
    purged = signoff.purge(data, options.run, session.person, options.reason)
    terminal.result(purged, _purged(purged))
    return 0


def _options(data: Data, options: Namespace) -> RenderOptions | None:
    """What is named; the rest as it was signed last, all of it when nothing is named."""
    audio = audio_spans(options)
    if audio and options.keep_audio:
        raise InputError("--keep-audio and --mute or --bleep contradict each other; choose one of them.")
    if not (options.style or options.encoder or options.force or audio or options.keep_audio):
        return None
    last = signoff.signed_options(data, options.run)
    encoder = document("--encoder", EncoderSettings, pairs("--encoder", options.encoder))
    return RenderOptions(
        style=style(options) if options.style else last.style,
        encoder=encoder if options.encoder else last.encoder,
        force=options.force or (last.force and not options.style),
        audio=audio or (() if options.keep_audio else last.audio),
    )


def _shown(case: Case) -> SignOffShown:
    standings = case.steps.standings()
    return SignOffShown(
        case.run.id,
        tuple(one.statement for one in standings),
        tuple(one.void for one in standings),
        case.steps.refusal("released", ""),
    )


def _standing(shown: SignOffShown) -> str:
    lines = [
        f"{statement.number:04}  {statement.line()}" + (f"  (void: {', and '.join(void)})" if void else "")
        for statement, void in zip(shown.signatures, shown.void, strict=True)
    ]
    return "\n".join([*lines, shown.not_released or "Everything that a release takes is signed."])


def _released(made: Release) -> str:
    signed = [statement.line() for statement in made.statements]
    policy = f"Persons that the policy asks for: {made.persons}"
    files = [f"Output: {made.output}", f"sha256: {made.output_sha256}"]
    return "\n".join([f"Release {made.number} of {made.run}", *signed, policy, *files])


def _purged(purged: Purged) -> str:
    lines = [f"Removed {path}" for path in purged.removed] or ["There was nothing to remove."]
    if purged.kept_elsewhere:
        lines.append(f"The source {purged.kept_elsewhere} lies outside of the library; remove it yourself.")
    return "\n".join(lines)
