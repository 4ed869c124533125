"""`veil sign`, `judge`, `release` and `purge`: the way of a run from review to release."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import get_args

from engine import release, runs
from engine.access.run_context import RunContext
from engine.approval.statements import Statement
from engine.assurance.leak_check.report import LeakReport, LeakVerdict
from engine.cli import arguments
from engine.cli.command import Command
from engine.cli.identity import identify_person, open_session
from engine.cli.options import build_settings, parse_audio_spans
from engine.cli.terminal import Terminal
from engine.core.name_value_pairs import parse_pairs
from engine.core.wording import format_count
from engine.errors import CheckFailedError, InputError
from engine.masking.presets import parse_style
from engine.media.output.encoder import EncoderSettings
from engine.record import Document
from engine.release import PurgeReport, Release, SignOffSnapshot, SignRequest
from engine.rendering.terms import RenderOptions
from engine.storage.data_folder import DataFolder, find_data_folder


class SignOffSummary(Document, frozen=True):
    """The state of the sign-off of a run.

    Attributes:
        run: its id.
        signatures: every statement that was signed, in order.
        void: for each signature, the reasons why it no longer counts; empty for one that does.
        not_released: why the run cannot be released now; None if it can.
    """

    run: str
    signatures: tuple[Statement, ...]
    void: tuple[tuple[str, ...], ...]
    not_released: str | None

    @classmethod
    def from_snapshot(cls, snapshot: SignOffSnapshot) -> SignOffSummary:
        """Summarise the sign-off of a run."""
        statuses = snapshot.sign_off.list_statement_statuses()
        return cls(
            snapshot.run.id,
            tuple(status.statement for status in statuses),
            tuple(status.void_reasons for status in statuses),
            snapshot.sign_off.find_refusal("released", ""),
        )

    def to_text(self) -> str:
        """Format the signatures as lines, and what the release needs."""
        lines = [
            f"{statement.number:04}  {statement.format_line()}" + (f"  (void: {', and '.join(void)})" if void else "")
            for statement, void in zip(self.signatures, self.void, strict=True)
        ]
        return "\n".join([*lines, self.not_released or "Every signature that a release needs is there."])


def _add_sign_arguments(parser: ArgumentParser) -> None:
    arguments.add_run(parser)
    parser.add_argument(
        "--meaning",
        choices=("reviewed", "approved", "rejected"),
        help="what your signature states; without it, the signatures are listed",
    )
    parser.add_argument("--reason", help="reason; required for a rejection")
    parser.add_argument("--suffix", help="suffix of the output's name (default: as last signed, or the source's)")
    parser.add_argument(
        "--below-policy",
        action="store_true",
        help="sign although less was checked than the policy asks for; needs --reason, which the certificate prints",
    )
    parser.add_argument(
        "--frame", action="append", type=int, default=[], metavar="N",
        help="frame that a rejection asks to look at again; may be repeated",
    )  # fmt: skip
    arguments.add_style(parser, default=None)
    arguments.add_audio(parser)
    parser.add_argument("--keep-audio", action="store_true", help="keep the audio, whatever was last signed")
    arguments.add_account_option(parser)


def _sign_run(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    # Looking at the signatures changes nothing, so it asks for no password.
    if options.meaning is None:
        summary = SignOffSummary.from_snapshot(release.open_snapshot(data, options.run))
        terminal.print_result(summary, summary.to_text())
        return 0
    session, credential = open_session(data, options)
    request = SignRequest(
        options.meaning,
        options.reason,
        _build_render_options(data, options),
        options.suffix,
        below_policy=options.below_policy,
        frames=tuple(options.frame),
    )
    statement, _ = release.sign(data, options.run, session, credential, request)
    terminal.print_result(statement, f"{statement.run}: {statement.format_line()}")
    return 0


def _build_render_options(data: DataFolder, options: Namespace) -> RenderOptions | None:
    """Build the options of a render from those that were given and, for the others, from those that were last signed.

    Returns:
        None if none was given: the signature is bound to what was last signed.
    """
    audio = parse_audio_spans(options)
    if audio and options.keep_audio:
        raise InputError("--keep-audio contradicts --mute and --bleep; choose one of them.")
    given = (options.style, options.encoder, options.force, options.passthrough, options.segments, options.keep_audio)
    if not any((*given, audio)):
        return None
    # An option that is left out must not fall back to its default: it would silently replace what people agreed on.
    last = release.read_signed_options(data, options.run)
    encoder = build_settings("--encoder", EncoderSettings, parse_pairs("--encoder", options.encoder))
    return RenderOptions(
        style=parse_style(options.style) if options.style else last.style,
        encoder=encoder if options.encoder else last.encoder,
        # A weak style was allowed for that style alone: another one has to be forced anew.
        force=options.force or (last.force and not options.style),
        audio=audio or (() if options.keep_audio else last.audio),
        passthrough=options.passthrough or last.passthrough,
        segment_seconds=options.segments or last.segment_seconds,
    )


def _add_judge_arguments(parser: ArgumentParser) -> None:
    arguments.add_run(parser)
    parser.add_argument(
        "leak", metavar="KEY", nargs="?", help="key of the finding; without it, the findings are listed"
    )
    parser.add_argument("--verdict", choices=get_args(LeakVerdict), help="your judgement of the finding")
    parser.add_argument("--reason", default="", help="reason, required with --verdict")
    arguments.add_account_option(parser)


def _judge_leak(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    if options.leak is None or options.verdict is None:
        return _list_leaks(data, options.run, terminal)
    judgement = release.judge_leak(
        RunContext.open(data, options.run, identify_person(data, options)),
        options.leak,
        options.verdict,
        options.reason,
    )
    terminal.print_result(judgement, f"{judgement.leak}: {judgement.verdict}, {judgement.by.name}: {judgement.reason}")
    return 0


def _list_leaks(data: DataFolder, run_id: str, terminal: Terminal) -> int:
    run = runs.load_run(data, run_id)
    report = release.read_newest_leak_report(data, run)
    open_leaks = () if report is None else release.list_open_leaks(data, run, report)
    lines = _format_leaks(report, {leak.key for leak in open_leaks})
    terminal.print_result({"open": open_leaks, "report": report}, "\n".join(lines))
    # As veil leaks does: a script can wait for exit code 0 before it releases.
    return CheckFailedError.exit_code if open_leaks else 0


def _format_leaks(report: LeakReport | None, open_keys: set[str]) -> Iterator[str]:
    if report is None:
        yield "The leak check has not run on an output of this run yet; veil release runs it."
        return
    for leak in report.leaks:
        yield f"{'open  ' if leak.key in open_keys else 'judged'}  {leak.key}  {leak.finding}"
    yield f"{len(open_keys)} of {format_count(len(report.leaks), 'finding')} must be judged before the release."


def _add_release_arguments(parser: ArgumentParser) -> None:
    arguments.add_run(parser)
    parser.add_argument("--reason", help="reason, printed with the signature")
    arguments.add_account_option(parser)


def _release_run(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    session, credential = open_session(data, options)
    published, _ = release.release(
        data, options.run, session, credential, SignRequest("released", options.reason), listener=terminal
    )
    terminal.print_result(published, _format_release(published))
    return 0


def _format_release(published: Release) -> str:
    return "\n".join([
        f"Release {published.number} of {published.run}",
        *(statement.format_line() for statement in published.statements),
        f"Different people that the policy requires: {published.persons}",
        f"Output: {published.output}",
        f"sha256: {published.output_sha256}",
    ])  # fmt: skip


def _add_purge_arguments(parser: ArgumentParser) -> None:
    arguments.add_run(parser)
    parser.add_argument("--reason", required=True, help="reason, which the audit log keeps")
    arguments.add_account_option(parser)


def _purge_run(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    report = release.purge(RunContext.open(data, options.run, identify_person(data, options)), options.reason)
    terminal.print_result(report, _format_purge(report))
    return 0


def _format_purge(report: PurgeReport) -> str:
    lines = [f"Removed {path}" for path in report.removed] or ["There was nothing to remove."]
    if report.kept_elsewhere:
        lines.append(f"The source {report.kept_elsewhere} is outside the library; remove it yourself.")
    return "\n".join(lines)


COMMANDS = {
    "sign": Command(_add_sign_arguments, _sign_run),
    "judge": Command(_add_judge_arguments, _judge_leak),
    "release": Command(_add_release_arguments, _release_run, reads_media=True),
    "purge": Command(_add_purge_arguments, _purge_run),
}
