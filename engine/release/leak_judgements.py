"""Reports of leak checks of a run, and the judgements of their findings.

A run keeps the report of every leak check (`leaks/OUTPUT.json`, named by the hash of the output) and the judgements of
the findings (`judgements.jsonl`, append-only, one line each). Both count only if the audit log knows their hash.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine import audit
from engine.access.run_context import RunContext
from engine.assurance.leak_check.report import Leak, LeakJudgement, LeakReport, LeakVerdict, find_open_leaks
from engine.core.json_decoder import decode_json
from engine.errors import InputError, SignOffError
from engine.record import Sha256, decode_document, encode_document, sha256_hex
from engine.review.amendments import Author
from engine.runs import Run
from engine.storage.append_only import append_durably, open_append_only, read_file_end, repair_torn_line
from engine.storage.data_folder import DataFolder
from engine.storage.locks import lock_descriptor

LEAK_REPORT_TITLE = "report of a leak check"


def leak_report_path(run: Run, output_sha256: Sha256) -> Path:
    """Return the path of the leak check report of one output."""
    return run.folder.leak_reports / f"{output_sha256}.json"


def read_leak_report(data: DataFolder, run: Run, output_sha256: Sha256) -> LeakReport | None:
    """Read the leak check report of an output, None if the output was not checked.

    Raises:
        SignOffError: The report is not the one that the audit log knows.
    """
    path = leak_report_path(run, output_sha256)
    if not path.exists():
        return None
    # By output: a clean report of another output of the run is in the log as well, and says nothing of this one.
    logged = {
        entry.subjects["leaks"]
        for entry in audit.read_entries(data.audit, run=run.id, kinds=["verification"])
        if "leaks" in entry.subjects and entry.subjects.get("output") == output_sha256
    }
    stored = path.read_bytes()
    if sha256_hex(stored) not in logged:
        raise SignOffError(f"{path} was tampered with: the audit log knows another report of that leak check.")
    report = decode_document(stored, LeakReport, LEAK_REPORT_TITLE, str(path))
    if report.output_sha256 != output_sha256:
        raise SignOffError(f"{path} was tampered with: it is the report of another output.")
    return report


def read_newest_leak_report(data: DataFolder, run: Run) -> LeakReport | None:
    """Read the report of the newest leak check of the run, whichever output it is of; None if there was none.

    Raises:
        SignOffError: The report is not the one that the audit log knows.
    """
    checked = [
        entry.subjects["output"]
        for entry in audit.read_entries(data.audit, run=run.id, kinds=["verification"])
        if "leaks" in entry.subjects and "output" in entry.subjects
    ]
    return read_leak_report(data, run, checked[-1]) if checked else None


def read_judgements(data: DataFolder, run: Run) -> tuple[LeakJudgement, ...]:
    """Read the judgements of a run's findings, oldest first.

    Raises:
        SignOffError: A line is not one that the audit log knows.
    """
    path = run.folder.judgements
    if not path.exists():
        return ()
    logged = find_logged_hashes(data, run, "judgement")
    judgements = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if sha256_hex(line) not in logged:
            raise SignOffError(f"Line {number} of {path} was tampered with: the audit log knows no such judgement.")
        judgements.append(decode_json(line, type=LeakJudgement))
    return tuple(judgements)


def list_open_leaks(data: DataFolder, run: Run, report: LeakReport) -> tuple[Leak, ...]:
    """Return the findings of a report that hold up a release: not judged yet, or judged to be leaks.

    Raises:
        SignOffError: A judgement is not one in the audit log.
    """
    return find_open_leaks(report, read_judgements(data, run))


def judge_leak(context: RunContext, leak_key: str, verdict: LeakVerdict, reason: str) -> LeakJudgement:
    """Judge a finding of the newest leak check, and log the judgement.

    Args:
        context: The run, and the person who judges.
        leak_key: Key of the finding.
        verdict: What the finding is.
        reason: The reason for the verdict.

    Raises:
        AccessError: The role does not allow it.
        InputError: There is no such finding, or the reason is empty.
        SignOffError: A report was tampered with.
    """
    context = context.authorise("judge")
    run, person = context.run, context.person
    report = read_newest_leak_report(context.data, run)
    if report is None or leak_key not in {leak.key for leak in report.leaks}:
        raise InputError(
            f"The run {run.id} has no finding {leak_key!r} to judge; veil judge {run.id} lists the findings."
        )
    if not reason.strip():
        raise InputError("A judgement needs a reason; give one.")
    at = datetime.now(UTC).astimezone()
    judgement = LeakJudgement(report.output_sha256, leak_key, verdict, reason, Author(person.account, person.name), at)
    line = encode_document(judgement).rstrip(b"\n")
    # Logged first: a line that the log does not know counts as tampered with, a logged line that is missing does not
    # count at all. A crash between the two loses a judgement, and the finding stays open.
    context.log_event(
        "judgement",
        {"output": report.output_sha256, "judgement": sha256_hex(line)},
        {"leak": leak_key, "verdict": verdict},
        reason,
    )
    _append_judgement(run.folder.judgements, line)
    return judgement


def find_logged_hashes(data: DataFolder, run: Run, subject_name: str) -> set[Sha256]:
    """Return the hashes in the audit log of one kind of document of a run: "leaks", "judgement" or "frames"."""
    entries = audit.read_entries(data.audit, run=run.id, kinds=["verification", "judgement"])
    return {entry.subjects[subject_name] for entry in entries if subject_name in entry.subjects}


def _append_judgement(path: Path, line: bytes) -> None:
    with open_append_only(path) as descriptor, lock_descriptor(descriptor):
        end = read_file_end(descriptor)
        repair_torn_line(descriptor, end, is_complete=_is_judgement(end.torn_line))
        append_durably(descriptor, line + b"\n")


def _is_judgement(line: bytes) -> bool:
    try:
        decode_json(line, type=LeakJudgement)
    except msgspec.MsgspecError:
        return False
    return True
