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
    # The newest: an earlier report may be of a check that looked for less.
    logged = [
        entry.subjects["leaks"]
        for entry in audit.read_entries(data.audit, run=run.id, kinds=["verification"])
        if "leaks" in entry.subjects and entry.subjects.get("output") == output_sha256
    ]
    stored = path.read_bytes()
    if [sha256_hex(stored)] != logged[-1:]:
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
    """Read the judgements of a run's findings, oldest first, in the order of the audit log.

    Raises:
        SignOffError: A line is not one that the audit log knows.
    """
    stored = _read_judgement_lines(run)
    logged = find_logged_hashes(data, run, "judgement")
    for number, sha256 in enumerate(stored, start=1):
        if sha256 not in logged:
            raise SignOffError(
                f"Line {number} of {run.folder.judgements} was tampered with: the audit log knows no such judgement."
            )
    # In the order of the log and each once: a line that was moved or repeated must not overrule a later judgement.
    return tuple(decode_json(stored[sha256], type=LeakJudgement) for sha256 in logged if sha256 in stored)


def find_missing_judgements(data: DataFolder, run: Run, output_sha256: Sha256) -> tuple[str, ...]:
    """Find the findings of an output whose newest judgement is in the audit log, but not among the judgements stored.

    A crash between the two loses a judgement, and so does somebody who removes the line of an unwelcome one. In both
    cases the finding has to be judged again.

    Returns:
        The keys of the findings.
    """
    stored, newest = _read_judgement_lines(run), dict[str, Sha256]()
    for entry in audit.read_entries(data.audit, run=run.id, kinds=["judgement"]):
        if "judgement" in entry.subjects and entry.subjects.get("output") == output_sha256:
            newest[str(entry.details.get("leak"))] = entry.subjects["judgement"]
    return tuple(key for key, sha256 in newest.items() if sha256 not in stored)


def list_open_leaks(data: DataFolder, run: Run, report: LeakReport) -> tuple[Leak, ...]:
    """Return the findings of a report that hold up a release: not judged yet, or judged to be leaks.

    A finding whose newest judgement is missing is open, whatever earlier judgements say.

    Raises:
        SignOffError: A judgement is not one in the audit log.
    """
    missing = find_missing_judgements(data, run, report.output_sha256)
    judgements = [one for one in read_judgements(data, run) if one.leak not in missing]
    return find_open_leaks(report, judgements)


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


def find_logged_hashes(data: DataFolder, run: Run, subject_name: str) -> list[Sha256]:
    """Return the hashes of one kind of document of a run, "judgement" or "frames", in the order of the audit log."""
    entries = audit.read_entries(data.audit, run=run.id, kinds=["verification", "judgement"])
    return [entry.subjects[subject_name] for entry in entries if subject_name in entry.subjects]


def _read_judgement_lines(run: Run) -> dict[Sha256, bytes]:
    path = run.folder.judgements
    lines = path.read_bytes().splitlines() if path.exists() else []
    return {sha256_hex(line): line for line in lines}


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
