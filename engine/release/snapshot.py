"""A snapshot of a run for the sign-off: every file read once, checked by `engine.approval.workflow`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from engine import access, audit, runs
from engine.access.logged_file import LoggedFile, people_file, policy_file, signing_key_file
from engine.approval.amendment_log import extract_logged_amendments, recover_amendment
from engine.approval.statements import Statement
from engine.approval.workflow import LoggedFacts, SignOff
from engine.core.json_decoder import decode_json
from engine.errors import SignOffError
from engine.record import Record, Sha256, read_document_bytes, sha256_hex
from engine.release.anchors import check_audit_log
from engine.rendering.terms import RenderOptions, Terms, terms_from_options
from engine.review.amendments import Review
from engine.runs import Run
from engine.storage.data_folder import DataFolder
from engine.storage.files import hash_file
from engine.storage.locks import lock_file


@dataclass(frozen=True, slots=True)
class SignOffSnapshot:
    """A run with everything that a statement is bound to.

    Attributes:
        run: The run.
        record: The record.
        record_bytes: The record as it was read; a release is rendered from these bytes.
        review: The amendments.
        review_bytes: The amendments as they were read, empty if there are none.
        terms: How the output is made.
        sign_off: The checks of the sign-off, fed with all of it.
        next_statement_number: The number of the next statement of the run.
    """

    run: Run
    record: Record
    record_bytes: bytes
    review: Review
    review_bytes: bytes
    terms: Terms
    sign_off: SignOff
    next_statement_number: int


@dataclass(frozen=True, slots=True)
class _LogExtract:
    """What one pass over the audit log yields for the sign-off of a run.

    Attributes:
        facts: Facts about the run.
        access_files: SHA-256 of the newest accounts ("people"), policy and signing key ("key"), if the log has one.
    """

    facts: LoggedFacts
    access_files: Mapping[str, Sha256]


def open_snapshot(
    data: DataFolder,
    run_id: str,
    options: RenderOptions | None = None,
    suffix: str | None = None,
    *,
    source_hasher: Callable[[Path], Sha256] = hash_file,
) -> SignOffSnapshot:
    """Read the run with that identifier and take a snapshot of it; see `take_snapshot`.

    Raises:
        RunError: There is no such run.
        VeilError: As `take_snapshot`.
    """
    return take_snapshot(data, runs.load_run(data, run_id), options, suffix, source_hasher=source_hasher)


def take_snapshot(
    data: DataFolder,
    run: Run,
    options: RenderOptions | None = None,
    suffix: str | None = None,
    *,
    source_hasher: Callable[[Path], Sha256] = hash_file,
) -> SignOffSnapshot:
    """Read the files of a run, check the audit log, and feed both to the checks of the sign-off.

    Args:
        data: The data folder.
        run: The run.
        options: Style, encoder and audio; those of the newest statement if omitted, or the defaults.
        suffix: File suffix of the output; that of the newest statement if omitted, or of the source.
        source_hasher: Returns the SHA-256 of the source. A page that only shows the run may remember it for a file that
            has not changed; a signature reads the file.

    Raises:
        SourceError: The source is gone.
        RecordError: There is no record yet.
        SignOffError: A file was changed after it was logged, or cannot be read; the message names it.
        AuditError: The audit log cannot be read.
    """
    report = check_audit_log(data)
    # First the log itself, because everything below trusts it. Its anchors lie in the statements: they are compared
    # after the statements, so that a statement that was changed is named, and not the log that it no longer matches.
    _require_sound_log(report, anchors=False)
    logged, stored = _read_log(data, run), _read_statement_files(run)
    sign_off = SignOff(run.id, access.read_policy(data).persons, logged.facts)
    sign_off.feed_statements(stored)
    _require_sound_log(report, anchors=True)
    _check_access_files(data, logged.access_files)
    if not run.source.is_file():
        raise SignOffError(f"A signature is bound to the source. {run.explain_missing_source()}")
    source_sha256 = source_hasher(run.source)
    # Read once and kept: what is signed, what is shown and what is rendered are the same bytes.
    record_bytes = read_document_bytes(run.folder.record)
    recover_amendment(data, run, sha256_hex(record_bytes))
    review_bytes = run.folder.review.read_bytes() if run.folder.review.exists() else b""
    sign_off.feed_source(source_sha256)
    record = sign_off.feed_record(record_bytes)
    review = sign_off.feed_review(review_bytes)
    terms = _choose_terms(run, _select_signed(stored, logged.facts), options, suffix)
    sign_off.feed_terms(msgspec.to_builtins(terms))
    # A file that the log does not know keeps its number: the next statement must not replace it.
    number = 1 + max([0, *logged.facts.statements, *map(_number_from_name, stored)])
    return SignOffSnapshot(run, record, record_bytes, review, review_bytes, terms, sign_off, number)


def replace_terms(snapshot: SignOffSnapshot, options: RenderOptions) -> SignOffSnapshot:
    """Return the snapshot with another style, encoder or audio, to show what that would void.

    No file is read again, so that a page can do this for every move of a slider. A signature takes a new snapshot.
    """
    terms, sign_off = terms_from_options(options, snapshot.terms.suffix), copy.copy(snapshot.sign_off)
    sign_off.feed_terms(msgspec.to_builtins(terms))
    return replace(snapshot, terms=terms, sign_off=sign_off)


def read_signed_options(data: DataFolder, run_id: str) -> RenderOptions:
    """Return style, encoder and audio of the newest statement of a run, the defaults if there is no statement.

    Raises:
        RunError: There is no such run.
        SignOffError: The terms in a signature cannot be read.
        AuditError: The audit log cannot be read.
    """
    run = runs.load_run(data, run_id)
    signed = _decode_newest_terms(_select_signed(_read_statement_files(run), _read_log(data, run).facts))
    return signed.options if signed else RenderOptions()


@contextmanager
def lock_run_for_signing(run: Run) -> Iterator[None]:
    """Hold the lock that keeps others from signing, releasing or purging the same run."""
    with lock_file(run.folder.signing_lock):
        yield


def _require_sound_log(report: audit.AuditReport, *, anchors: bool) -> None:
    """Refuse a log with a finding: those that an anchor showed if `anchors`, else those in the log itself."""
    for finding in report.findings:
        if (finding.anchor is not None) is anchors:
            raise SignOffError(f"The audit log was tampered with. {finding.sentence}")


def _check_access_files(data: DataFolder, logged: Mapping[str, Sha256]) -> None:
    """Refuse accounts, a policy and a signing key that the log does not know.

    Otherwise an administrator of the machine could give an account a role, weaken the four-eyes rule, or sign with
    another key, by editing a file, and leave no trace.
    """
    advice = "An administrator has to look into it; any change with veil users logs the file anew."
    for file in (people_file(data), policy_file(data)):
        _require_logged(file, logged, advice)
    # A key that an earlier version made is logged when it first signs a certificate.
    if "key" in logged:
        _require_logged(
            signing_key_file(data), logged, "Restore it from a backup, or make a new one with veil certificate key."
        )


def _require_logged(file: LoggedFile, logged: Mapping[str, Sha256], advice: str) -> None:
    if not file.is_as_logged(logged.get(file.subject)):
        raise SignOffError(f"{file.path} was tampered with: it is not the one that the audit log knows. {advice}")


def _read_log(data: DataFolder, run: Run) -> _LogExtract:
    """Read the audit log once, and extract what it says of the run, the accounts and the policy."""
    entries = []
    access_files: dict[str, Sha256] = {}
    for entry in audit.read_entries(data.audit):
        if entry.run == run.id:
            entries.append(entry)
        if entry.kind == "people" and "people" in entry.subjects:
            access_files["people"] = entry.subjects["people"]
        if entry.kind == "settings":
            access_files |= {name: entry.subjects[name] for name in ("policy", "key") if name in entry.subjects}
    return _LogExtract(_extract_run_facts(run, entries), access_files)


def _extract_run_facts(run: Run, entries: list[audit.Entry]) -> LoggedFacts:
    newest: dict[str, Sha256] = {}
    for entry in entries:
        # Each fact comes from the entries that made it. Amendments and signatures name the record as well, but it is
        # the detection that writes it, and only an amendment changes the review.
        if entry.kind == "run":
            newest |= {name: entry.subjects[name] for name in ("source", "record") if name in entry.subjects}
        if entry.kind == "amendment" and "review" in entry.subjects:
            newest["review"] = entry.subjects["review"]
    starters = {
        entry.actor.account for entry in entries if entry.kind in {"ingest", "run"} and entry.actor.how != "system"
    }
    return LoggedFacts(
        statements={
            int(str(entry.details["number"])): entry.subjects["statement"]
            for entry in entries
            if "statement" in entry.subjects and "number" in entry.details
        },
        runner_accounts=frozenset(starters | {run.request.account}),
        amender_accounts=frozenset(entry.actor.account for entry in entries if entry.kind == "amendment"),
        source=newest.get("source"),
        record=newest.get("record"),
        review=newest.get("review"),
        amendments=extract_logged_amendments(entries),
    )


def _read_statement_files(run: Run) -> dict[str, bytes]:
    paths = (path for path in sorted(run.folder.signatures.glob("*.json")) if path.stem.isdecimal())
    return {path.name: path.read_bytes() for path in paths}


def _select_signed(stored: Mapping[str, bytes], logged: LoggedFacts) -> dict[str, bytes]:
    """Return the statement files that the log knows; others were never signed."""
    return {name: data for name, data in stored.items() if _number_from_name(name) in logged.statements}


def _number_from_name(name: str) -> int:
    return int(Path(name).stem)


def _choose_terms(run: Run, signed: dict[str, bytes], options: RenderOptions | None, suffix: str | None) -> Terms:
    """Build the terms from the options given, else from the newest statement, with the current versions."""
    newest = _decode_newest_terms(signed)
    if options is None:
        options = newest.options if newest else RenderOptions()
    return terms_from_options(options, suffix or (newest.suffix if newest else run.source.suffix))


def _decode_newest_terms(signed: dict[str, bytes]) -> Terms | None:
    if not signed:
        return None
    # File names are numbers of four digits, so that the greatest name is the newest statement.
    name = max(signed)
    try:
        return msgspec.convert(decode_json(signed[name], type=Statement).terms, Terms)
    except msgspec.MsgspecError as error:
        raise SignOffError(f"The terms in the signature {name} cannot be read: {error}.") from error
