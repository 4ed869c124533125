"""A run as it is signed: its bytes read once, and fed to the steps of the sign-off."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from engine import access, audit, runs
from engine.approval.statements import Statement
from engine.approval.workflow import LoggedFacts, SignOff
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
    """A run and everything about it that a statement is bound to.

    Attributes:
        record_bytes: the record as it was read; what is rendered is made from these.
        review_bytes: the amendments likewise, nothing when there are none.
        sign_off: the order of steps, fed with all of it.
    """

    run: Run
    record: Record
    record_bytes: bytes
    review: Review
    review_bytes: bytes
    terms: Terms
    sign_off: SignOff
    next_statement_number: int


def open_snapshot(
    data: DataFolder, run_id: str, options: RenderOptions | None = None, suffix: str | None = None
) -> SignOffSnapshot:
    """Read a run, check the audit log, and feed both to the steps of the sign-off.

    Args:
        data: the data folder.
        run_id: the run.
        options: style and encoder; those of the newest statement when left out, or the defaults.
        suffix: of the output's name; that of the newest statement, or of the source.

    Raises:
        RunError: there is no such run.
        SourceError: the source is gone.
        RecordError: there is no record yet.
        SignOffError: A file was changed after it was logged, or cannot be read; the message names it.
        AuditError: the audit log cannot be read.
    """
    run = runs.load_run(data, run_id)
    report = check_audit_log(data)
    _require_sound_log(report, anchors=False)
    logged, stored = _read_logged_facts(data, run), _read_statement_files(run)
    steps = SignOff(run.id, access.read_policy(data).persons, logged)
    steps.feed_statements(stored)
    _require_sound_log(report, anchors=True)
    _check_access_files(data)
    source = _hash_source(run)
    record_bytes = read_document_bytes(run.folder.record)
    review_bytes = run.folder.review.read_bytes() if run.folder.review.exists() else b""
    steps.feed_source(source)
    record = steps.feed_record(record_bytes)
    review = steps.feed_review(review_bytes)
    signed = {name: statement for name, statement in stored.items() if _number_from_name(name) in logged.statements}
    terms = _choose_terms(run, signed, options, suffix)
    steps.feed_terms(msgspec.to_builtins(terms))
    number = 1 + max([0, *logged.statements, *map(_number_from_name, stored)])
    return SignOffSnapshot(run, record, record_bytes, review, review_bytes, terms, steps, number)


def replace_terms(snapshot: SignOffSnapshot, options: RenderOptions) -> SignOffSnapshot:
    """The same case with another style, encoder or audio; nothing is read again, so only for showing it.

    Whoever signs reads everything anew.
    """
    terms, sign_off = terms_from_options(options, snapshot.terms.suffix), copy.copy(snapshot.sign_off)
    sign_off.feed_terms(msgspec.to_builtins(terms))
    return replace(snapshot, terms=terms, sign_off=sign_off)


def read_signed_options(data: DataFolder, run_id: str) -> RenderOptions:
    """Style, encoder and audio of the newest statement of a run, the defaults when nobody has signed.

    Raises:
        RunError: there is no such run.
        SignOffError: The terms in a signature cannot be read.
        AuditError: the audit log cannot be read.
    """
    run = runs.load_run(data, run_id)
    known = _read_logged_facts(data, run).statements
    signed = _decode_newest_terms(
        {name: stored for name, stored in _read_statement_files(run).items() if _number_from_name(name) in known}
    )
    return signed.options if signed else RenderOptions()


@contextmanager
def lock_run_for_signing(run: Run) -> Iterator[None]:
    """Keep others from signing or releasing the same run at the same time."""
    with lock_file(run.folder.signing_lock):
        yield


def _require_sound_log(report: audit.AuditReport, *, anchors: bool) -> None:
    """No finding in the log itself, or none that an anchor shows."""
    for finding in report.findings:
        if (finding.anchor is not None) is anchors:
            raise SignOffError(f"The audit log was tampered with. {finding.sentence}")


def _check_access_files(data: DataFolder) -> None:
    """Accounts and policy are those that the log knows; who changes the files by hand does not get past this."""
    for name, kind in (("people", "people"), ("policy", "settings")):
        path = data.access / f"{name}.json"
        known = [
            entry.subjects[name]
            for entry in audit.read_entries(data.audit, kinds=[kind])  # type: ignore[list-item]
            if name in entry.subjects
        ]
        found = sha256_hex(path.read_bytes()) if path.exists() else None
        if (known[-1] if known else None) != found:
            raise SignOffError(
                f"{path} was tampered with: it is not the one that the audit log knows. An administrator has to look "
                "into it; any change with veil users puts the file on record anew."
            )


def _read_logged_facts(data: DataFolder, run: Run) -> LoggedFacts:
    """What the log knows of the run."""
    entries = list(audit.read_entries(data.audit, run=run.id))
    newest: dict[str, Sha256] = {}
    for entry in entries:
        if entry.kind in {"run", "amendment"}:
            newest |= {name: sha256 for name, sha256 in entry.subjects.items() if name != "review"}
        if entry.kind == "amendment" and "review" in entry.subjects:
            newest["review"] = entry.subjects["review"]
    started = {entry.actor.account for entry in entries if entry.kind in {"ingest", "run"} and _is_by_person(entry)}
    return LoggedFacts(
        statements={
            int(str(one.details["number"])): one.subjects["statement"] for one in entries if _is_statement_entry(one)
        },
        runner_accounts=frozenset(started | {run.request.account}),
        amender_accounts=frozenset(entry.actor.account for entry in entries if entry.kind == "amendment"),
        source=newest.get("source"),
        record=newest.get("record"),
        review=newest.get("review"),
    )


def _is_statement_entry(entry: audit.Entry) -> bool:
    return "statement" in entry.subjects and "number" in entry.details


def _is_by_person(entry: audit.Entry) -> bool:
    return entry.actor.how != "system"


def _read_statement_files(run: Run) -> dict[str, bytes]:
    paths = (path for path in sorted(run.folder.signatures.glob("*.json")) if path.stem.isdecimal())
    return {path.name: path.read_bytes() for path in paths}


def _number_from_name(name: str) -> int:
    return int(Path(name).stem)


def _hash_source(run: Run) -> Sha256:
    if not run.source.is_file():
        raise SignOffError(f"The source {run.source} is gone, so nobody can say what is signed; put it back.")
    return hash_file(run.source)


def _choose_terms(run: Run, stored: dict[str, bytes], options: RenderOptions | None, suffix: str | None) -> Terms:
    """Those that are asked for; else those that were signed last, made by the versions of now."""
    signed = _decode_newest_terms(stored)
    if options is None:
        options = signed.options if signed else RenderOptions()
    return terms_from_options(options, suffix or (signed.suffix if signed else run.source.suffix))


def _decode_newest_terms(stored: dict[str, bytes]) -> Terms | None:
    if not stored:
        return None
    try:
        return msgspec.convert(msgspec.json.decode(stored[max(stored)], type=Statement).terms, Terms)
    except msgspec.MsgspecError as error:
        raise SignOffError(f"The terms in the signature {max(stored)} cannot be read: {error}.") from error
