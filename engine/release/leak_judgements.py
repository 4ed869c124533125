"""What was found in an output, and what people say of it: the leaks of a run and their judgements.

A run keeps the report of every leak check (`leaks/OUTPUT.json`, by the hash of the output) and the judgements of its
findings (`judgements.jsonl`, a line each, append-only). Both count only as the audit log knows them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine import access, audit, runs
from engine.access import Person
from engine.assurance.leak_check.report import Leak, LeakJudgement, LeakReport, LeakVerdict, find_open_leaks
from engine.audit import Event
from engine.errors import InputError, SignOffError
from engine.record import Sha256, encode_document, read_document, sha256_hex
from engine.review.amendments import Author
from engine.runs import Run
from engine.storage.append_only import append_durably, open_append_only, read_file_end, repair_torn_line
from engine.storage.data_folder import DataFolder
from engine.storage.locks import lock_descriptor

LEAK_REPORT_TITLE = "report of a leak check"


def leak_report_path(run: Run, output_sha256: Sha256) -> Path:
    """Where a run keeps the report of the leak check of one output."""
    return run.folder.leak_reports / f"{output_sha256}.json"


def read_leak_report(data: DataFolder, run: Run, output_sha256: Sha256) -> LeakReport | None:
    """The report of the leak check of an output, None when it was not checked.

    Raises:
        SignOffError: the report is not the one that the audit log knows.
    """
    path = leak_report_path(run, output_sha256)
    if not path.exists():
        return None
    if sha256_hex(path.read_bytes()) not in find_logged_hashes(data, run, "leaks"):
        raise SignOffError(f"{path} was tampered with: the audit log knows another report of that leak check.")
    return read_document(path, LeakReport, LEAK_REPORT_TITLE)


def read_newest_leak_report(data: DataFolder, run: Run) -> LeakReport | None:
    """The report of the newest leak check of the run, of whatever output; None when there was none.

    Raises:
        SignOffError: the report is not the one that the audit log knows.
    """
    checked = [
        entry.subjects["output"]
        for entry in audit.read_entries(data.audit, run=run.id, kinds=["verification"])
        if "leaks" in entry.subjects and "output" in entry.subjects
    ]
    return read_leak_report(data, run, checked[-1]) if checked else None


def read_judgements(data: DataFolder, run: Run) -> tuple[LeakJudgement, ...]:
    """What people said of the leaks of a run, in the order in which they said it.

    Raises:
        SignOffError: a line is not one that the audit log knows.
    """
    path = run.folder.judgements
    if not path.exists():
        return ()
    on_record = find_logged_hashes(data, run, "judgement")
    made = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if sha256_hex(line) not in on_record:
            raise SignOffError(f"Line {number} of {path} was tampered with: the audit log knows no such judgement.")
        made.append(msgspec.json.decode(line, type=LeakJudgement))
    return tuple(made)


def list_open_leaks(data: DataFolder, run: Run, report: LeakReport) -> tuple[Leak, ...]:
    """The leaks of a report that nobody has judged yet, or that were judged to be leaks.

    Raises:
        SignOffError: A judgement is not one in the audit log.
    """
    return find_open_leaks(report, read_judgements(data, run))


def judge_leak(  # noqa: PLR0913, PLR0917 - who says what of which finding
    data: DataFolder, run_id: str, person: Person, leak_key: str, verdict: LeakVerdict, reason: str
) -> LeakJudgement:
    """Say what a finding of the newest leak check is, and put it on record.

    Args:
        data: the data folder.
        run_id: the run.
        person: who judges.
        leak_key: key of the finding.
        verdict: what it is.
        reason: why.

    Raises:
        AccessError: the role does not allow it.
        InputError: there is no such finding, or no reason.
        SignOffError: The report or a judgement is not one in the audit log.
    """
    person = access.authorise(data, person, "judge")
    run = runs.load_run(data, run_id)
    report = read_newest_leak_report(data, run)
    if report is None or leak_key not in {one.key for one in report.leaks}:
        raise InputError(
            f"The run {run_id} has no finding {leak_key!r} to judge; veil judge {run_id} lists what there is."
        )
    if not reason.strip():
        raise InputError("A judgement says why; give a reason.")
    at = datetime.now(UTC).astimezone()
    made = LeakJudgement(report.output_sha256, leak_key, verdict, reason, Author(person.account, person.name), at)
    line = encode_document(made).rstrip(b"\n")
    subjects = {"output": report.output_sha256, "judgement": sha256_hex(line)}
    audit.append(
        data.audit,
        Event(
            actor=person.actor,
            kind="judgement",
            run=run.id,
            subjects=subjects,
            details={"leak": leak_key, "verdict": verdict},
            reason=reason,
        ),
    )
    _append_judgement(run.folder.judgements, line)
    return made


def find_logged_hashes(data: DataFolder, run: Run, subject_name: str) -> set[Sha256]:
    """The hashes of that kind of document that the audit log knows of the run: "leaks", "judgement", "frames"."""
    entries = audit.read_entries(data.audit, run=run.id, kinds=["verification", "judgement"])
    return {entry.subjects[subject_name] for entry in entries if subject_name in entry.subjects}


def _append_judgement(path: Path, line: bytes) -> None:
    with open_append_only(path) as descriptor, lock_descriptor(descriptor):
        end = read_file_end(descriptor)
        repair_torn_line(descriptor, end, is_complete=_is_judgement(end.torn_line))
        append_durably(descriptor, line + b"\n")


def _is_judgement(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=LeakJudgement)
    except msgspec.MsgspecError:
        return False
    return True
