"""The checks that every output passes before it is released: the leak check, and faces planted into its source."""

from __future__ import annotations

from collections.abc import Sequence

from engine import audit
from engine.assurance.leak_check.check import check_leaks
from engine.assurance.leak_check.report import LeakReport
from engine.assurance.planted_faces.experiment import find_planting_obstacle, run_planted_faces
from engine.assurance.planted_faces.report import PlantedFaceReport
from engine.audit import SYSTEM_ACTOR
from engine.errors import SignOffError
from engine.record import Sha256, encode_document, read_document, sha256_hex
from engine.release.leak_judgements import (
    find_missing_judgements,
    leak_report_path,
    list_open_leaks,
    read_leak_report,
)
from engine.release.release_hooks import ReleaseCandidate, ReleaseCheck
from engine.runs import Run
from engine.storage.data_folder import LEAK_REPORT_NAME, PLANTED_REPORT_NAME, DataFolder
from engine.storage.files import make_private_folder, write_file

_PLANTED_REPORT_TITLE = "report of planted faces"
_MAX_NAMED_FINDINGS = 3
"""Findings that the sentence of a refusal names; the others are only counted."""


def run_leak_check(candidate: ReleaseCandidate) -> None:
    """Search the output for visible faces, and hold it back until a person has judged every finding.

    Raises:
        SignOffError: A finding was not judged, or was judged to be a leak.
        VeilError: As `check_leaks`.
    """
    run, data = candidate.context.run, candidate.context.data
    # The same output bytes give the same report, and a check takes as long as a detection: after the findings are
    # judged, the next attempt to release uses the report of the first.
    report = read_leak_report(data, run, candidate.report.output_sha256) or _check_and_log_leaks(candidate)
    write_file(candidate.folder / LEAK_REPORT_NAME, encode_document(report))
    if missing := find_missing_judgements(data, run, report.output_sha256):
        raise SignOffError(
            f"{run.folder.judgements} was tampered with, or a crash lost a line: the newest judgement of the finding "
            f"{missing[0]} is in the audit log and not in the file. Judge the finding again."
        )
    if open_leaks := list_open_leaks(data, run, report):
        named = open_leaks[:_MAX_NAMED_FINDINGS]
        places = ", ".join(f"{leak.kind} at frame {leak.frame}" for leak in named)
        more = f" and {len(open_leaks) - len(named)} more" if len(open_leaks) > len(named) else ""
        raise SignOffError(
            f"The output may still show a face ({places}{more}). Judge each finding, with veil judge {run.id} or on "
            "the sign-off page, or amend the record; then release again."
        )


def _check_and_log_leaks(candidate: ReleaseCandidate) -> LeakReport:
    context = candidate.context
    run = context.run
    report = check_leaks(
        run.source,
        candidate.record_path,
        candidate.output,
        review=candidate.review_path,
        data=context.data.root,
        listener=candidate.listener,
    )
    stored = encode_document(report)
    make_private_folder(run.folder.leak_reports)
    context.log_event(
        "verification",
        {"output": report.output_sha256, "leaks": sha256_hex(stored)},
        {"leaks": len(report.leaks), "doubtful": len(report.doubtful)},
        actor=SYSTEM_ACTOR,
    )
    write_file(leak_report_path(run, report.output_sha256), stored)
    return report


def measure_planted_faces(candidate: ReleaseCandidate) -> None:
    """Measure how many faces planted into the source its detection finds, if the detection can be repeated.

    Raises:
        VeilError: As `run_planted_faces`.
    """
    if find_planting_obstacle(candidate.snapshot.record):
        return
    context, record_sha256 = candidate.context, candidate.report.record_sha256
    path = context.run.folder.planted_report
    stored = path.read_bytes() if path.exists() else None
    # A run is measured once: the same source, record and settings give the same figures.
    known = _find_logged_planted_hashes(context.data, context.run, record_sha256)
    if stored is None or sha256_hex(stored) not in known:
        report = run_planted_faces(
            context.run.source, candidate.record_path, data=context.data.root, listener=candidate.listener
        )
        stored = encode_document(report)
        subjects = {"record": record_sha256, "planted": sha256_hex(stored)}
        context.log_event("verification", subjects, actor=SYSTEM_ACTOR)
        write_file(path, stored)
    write_file(candidate.folder / PLANTED_REPORT_NAME, stored)


def read_newest_planted_report(data: DataFolder, run: Run, record_sha256: Sha256) -> PlantedFaceReport | None:
    """Read the report of the faces planted into a run's source, None if the current record was not measured.

    Raises:
        RecordError: The report cannot be read.
    """
    path = run.folder.planted_report
    if not path.exists() or sha256_hex(path.read_bytes()) not in _find_logged_planted_hashes(data, run, record_sha256):
        return None
    return read_document(path, PlantedFaceReport, _PLANTED_REPORT_TITLE)


def _find_logged_planted_hashes(data: DataFolder, run: Run, record_sha256: Sha256) -> set[Sha256]:
    """Return the hashes of the reports that the audit log knows for a record."""
    entries = audit.read_entries(data.audit, run=run.id, kinds=["verification"])
    return {
        entry.subjects["planted"]
        for entry in entries
        if "planted" in entry.subjects and entry.subjects.get("record") == record_sha256
    }


RELEASE_CHECKS: Sequence[ReleaseCheck] = (run_leak_check, measure_planted_faces)
"""Run in this order before an output is released; `engine.release.release_hooks` says what a check may do."""
