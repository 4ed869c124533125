"""Files that the audit log vouches for and that are gone: records, reviews, statements, releases and what is in them.

A change of such a file is found when it is used, by its hash. One that was removed is used by nobody, so it is looked
for here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from engine import audit
from engine.access.logged_file import LoggedFile, people_file, policy_file, signing_key_file
from engine.approval.statements import decode_statement, statement_file_name
from engine.audit import AuditFinding, Entry
from engine.errors import AuditError, SignOffError
from engine.record import sha256_hex
from engine.release.anchors import check_audit_log
from engine.release.recovery import checks_path
from engine.rendering.report import report_path
from engine.storage.data_folder import (
    ANCHOR_NAME,
    CERTIFICATE_NAME,
    CERTIFICATE_PAGE_NAME,
    LEAK_REPORT_NAME,
    RECORD_NAME,
    REVIEW_NAME,
    DataFolder,
    RunFolder,
)

_Known = tuple[str, Entry]
"""What a file is, in words, and the entry of the log that vouches for it."""


@dataclass
class _RunEvidence:
    """What the log says that must be in the folder of one run.

    Attributes:
        files: files by path.
        releases: entries about releases that were not withdrawn, oldest first, by number of the statement.
        certified: entries about certificates, by hash of the output.
        searched: entries about leak checks, by hash of the output.
    """

    files: dict[Path, _Known] = field(default_factory=dict)
    releases: dict[object, Entry] = field(default_factory=dict)
    certified: dict[str, Entry] = field(default_factory=dict)
    searched: dict[str, Entry] = field(default_factory=dict)


def check_evidence(data: DataFolder, extra_anchors: Mapping[str, audit.Anchor] | None = None) -> audit.AuditReport:
    """Check the audit log as `check_audit_log` does, and that every file that it vouches for is there.

    Raises:
        AuditError: The log cannot be read.
        SignOffError: A file that holds an anchor cannot be read.
    """
    report = check_audit_log(data, extra_anchors)
    try:
        missing = find_missing_files(data)
    except AuditError:
        # A line that is no entry has its finding already, and hides which files the rest of the log vouches for.
        if report.passed:
            raise
        return report
    return msgspec.structs.replace(report, passed=report.passed and not missing, findings=(*report.findings, *missing))


def find_missing_files(data: DataFolder) -> tuple[AuditFinding, ...]:
    """Return a finding for each file, or whole folder, that the audit log vouches for and that is not there.

    What is removed in order is not missing: a run without a record, and what a purge removes.

    Raises:
        AuditError: The log cannot be read.
    """
    runs: dict[str, _RunEvidence] = {}
    for entry in audit.read_entries(data.audit):
        if entry.run is None:
            continue
        if entry.kind == "removal" and entry.details.get("what") == "run":
            runs.pop(entry.run, None)
        else:
            _note_entry(runs.setdefault(entry.run, _RunEvidence()), RunFolder(data.runs / entry.run), entry)
    found = [finding for run_id, evidence in runs.items() for finding in _check_run(data, run_id, evidence)]
    found += [finding for file in (people_file, policy_file, signing_key_file) for finding in _check_logged(file(data))]
    return tuple(sorted(found, key=lambda finding: finding.line))


def _note_entry(evidence: _RunEvidence, folder: RunFolder, entry: Entry) -> None:
    subjects, number = entry.subjects, entry.details.get("number")
    output = subjects.get("output", "")
    match entry.kind:
        case "run" if "record" in subjects:
            evidence.files[folder.record] = "the detection record", entry
        case "amendment" if isinstance(entry.details.get("amendment"), int):
            evidence.files.setdefault(folder.review, ("the review", entry))
        case "review" | "approval" | "rejection" | "release" if isinstance(number, int):
            evidence.files[folder.signatures / statement_file_name(number)] = "a signed statement", entry
            if entry.kind == "release":
                evidence.releases[number] = entry
        case "refusal" if number is not None:
            evidence.releases.pop(number, None)
        case "certificate" if output:
            evidence.certified[output] = entry
        case "verification" if "leaks" in subjects:
            evidence.searched[output] = entry
        case _:
            pass


def _check_run(data: DataFolder, run_id: str, evidence: _RunEvidence) -> Iterator[AuditFinding]:
    folder = RunFolder(data.runs / run_id)
    known = dict(evidence.files)
    if not folder.path.is_dir():
        # One sentence for the folder, not one for each of its files.
        if known:
            names = " and ".join(dict.fromkeys(what for what, _ in known.values()))
            newest = max((entry for _, entry in known.values()), key=lambda entry: entry.number)
            yield _describe(data, folder.path, f"the folder of a run, with {names},", newest)
        return
    if folder.pending_amendment.exists():
        # A crash came between the log and the review; the next one who opens the run completes it.
        known.pop(folder.review, None)
    for path, (what, entry) in known.items():
        if not path.exists():
            yield _describe(data, path, what, entry)
    for number, entry in enumerate(evidence.releases.values(), start=1):
        yield from _check_release(data, folder, f"{number:02}", entry, evidence)


def _check_release(
    data: DataFolder, run: RunFolder, name: str, entry: Entry, evidence: _RunEvidence
) -> Iterator[AuditFinding]:
    folder = run.releases / name
    if not folder.is_dir():
        # A hidden one is complete, and published by the next release of the run, after a crash.
        if not (run.releases / f".{name}").is_dir():
            yield _describe(data, folder, f"release {int(name)}, with its video and certificate,", entry)
        return
    for path, what, known in _list_release_files(run, folder, entry, evidence):
        if not path.exists():
            yield _describe(data, path, what, known)


def _list_release_files(
    run: RunFolder, folder: Path, entry: Entry, evidence: _RunEvidence
) -> Iterator[tuple[Path, str, Entry]]:
    yield folder / RECORD_NAME, "the record of a release", entry
    yield folder / ANCHOR_NAME, "the anchor of the audit log beside a release", entry
    if entry.subjects.get("review") not in {None, sha256_hex(b"")}:
        yield folder / REVIEW_NAME, "the review of a release", entry
    output_sha256 = entry.subjects.get("output", "")
    if (certified := evidence.certified.get(output_sha256)) is not None:
        yield folder / CERTIFICATE_NAME, "a certificate", certified
        yield folder / CERTIFICATE_PAGE_NAME, "the page of a certificate", certified
    if (searched := evidence.searched.get(output_sha256)) is not None:
        yield folder / LEAK_REPORT_NAME, "the report of a leak check", searched
    if (suffix := _read_suffix(run, entry)) is not None:
        output = folder / f"{run.id}{suffix}"
        yield output, "a released video", entry
        yield report_path(output), "the report of a render", entry
        yield checks_path(output), "the report of the checks of a release", entry


def _read_suffix(run: RunFolder, entry: Entry) -> str | None:
    """Return the suffix of a released video, None if its statement is gone or damaged, which is said elsewhere."""
    name = statement_file_name(int(str(entry.details["number"])))
    try:
        return str(decode_statement((run.signatures / name).read_bytes(), name).terms["suffix"])
    except (OSError, KeyError, SignOffError):
        return None


def _check_logged(file: LoggedFile) -> Iterator[AuditFinding]:
    entries = [one for one in audit.read_entries(file.data.audit, kinds=[file.kind]) if file.subject in one.subjects]
    if entries and file.is_as_logged(None):
        yield _describe(file.data, file.path, "a file of accounts", entries[-1])


def _describe(data: DataFolder, path: Path, what: str, entry: Entry) -> AuditFinding:
    place = path.relative_to(data.root)
    sentence = (
        f"{place} is missing: {what} that line {entry.number} of the audit log, of {entry.at:%Y-%m-%d %H:%M}, vouches "
        "for. It was removed; restore it from a backup."
    )
    return AuditFinding(entry.number, sentence)
