"""What every output goes through before it is released: a search for faces in it, and faces planted into its source."""

from __future__ import annotations

from collections.abc import Sequence

from engine import audit
from engine.assurance.leak_check.check import check_leaks
from engine.assurance.leak_check.report import LeakReport
from engine.assurance.planted_faces.experiment import find_planting_obstacle, run_planted_faces
from engine.assurance.planted_faces.report import PlantedFaceReport
from engine.audit import SYSTEM_ACTOR, Event
from engine.errors import SignOffError
from engine.record import Sha256, encode_document, read_document, sha256_hex
from engine.release.leak_judgements import leak_report_path, list_open_leaks, read_leak_report
from engine.release.release_hooks import ReleaseCandidate, ReleaseCheck
from engine.runs import Run
from engine.storage.data_folder import LEAK_REPORT_NAME, PLANTED_REPORT_NAME, DataFolder
from engine.storage.files import write_file

_PLANTED_REPORT_TITLE = "report of planted faces"


def run_leak_check(candidate: ReleaseCandidate) -> None:
    """Look for faces in the output; what is found holds the release up until a person has judged it.

    An output that was searched before is not searched again: the same bytes give the same report.

    Raises:
        SignOffError: something was found that nobody has judged, or that was judged to be a leak.
        VeilError: as `check_leaks`.
    """
    run, data = candidate.snapshot.run, candidate.data
    report = read_leak_report(data, run, candidate.report.output_sha256) or _check_and_log_leaks(candidate)
    write_file(candidate.folder / LEAK_REPORT_NAME, encode_document(report))
    if still := list_open_leaks(data, run, report):
        places = ", ".join(f"{one.kind} at frame {one.frame}" for one in still[:3])
        more = f" and {len(still) - 3} more" if len(still) > 3 else ""
        raise SignOffError(
            f"The output may still show a face ({places}{more}). Judge each finding, with veil judge {run.id} or on "
            "the sign-off page, or amend the record; then release again."
        )


def _check_and_log_leaks(candidate: ReleaseCandidate) -> LeakReport:
    run, data = candidate.snapshot.run, candidate.data
    report = check_leaks(
        run.source,
        candidate.record_path,
        candidate.output,
        review=candidate.review_path,
        data=data.root,
        listener=candidate.listener,
    )
    stored = encode_document(report)
    run.folder.leak_reports.mkdir(exist_ok=True)
    subjects = {"output": report.output_sha256, "leaks": sha256_hex(stored)}
    audit.append(
        data.audit,
        Event(
            actor=SYSTEM_ACTOR,
            kind="verification",
            run=run.id,
            subjects=subjects,
            details={"leaks": len(report.leaks), "doubtful": len(report.doubtful)},
        ),
    )
    write_file(leak_report_path(run, report.output_sha256), stored)
    return report


def measure_planted_faces(candidate: ReleaseCandidate) -> None:
    """Measure how many faces planted into this very clip its detection finds, where that can be repeated.

    A run is measured once: the same source, record and settings give the same figures.

    Raises:
        VeilError: as `plant`.
    """
    run, data = candidate.snapshot.run, candidate.data
    if find_planting_obstacle(candidate.snapshot.record):
        return
    kept = run.folder.planted_report
    stored = kept.read_bytes() if kept.exists() else None
    if stored is None or sha256_hex(stored) not in _find_logged_planted_hashes(
        candidate.data, run, candidate.report.record_sha256
    ):
        report = run_planted_faces(run.source, candidate.record_path, data=data.root, listener=candidate.listener)
        stored = encode_document(report)
        audit.append(
            data.audit,
            Event(
                actor=SYSTEM_ACTOR,
                kind="verification",
                run=run.id,
                subjects={"record": candidate.report.record_sha256, "planted": sha256_hex(stored)},
            ),
        )
        write_file(kept, stored)
    write_file(candidate.folder / PLANTED_REPORT_NAME, stored)


def read_newest_planted_report(data: DataFolder, run: Run, record_sha256: Sha256) -> PlantedFaceReport | None:
    """What was found of the faces planted into a run's source, None when its record as it is was not measured so.

    Raises:
        RecordError: the report cannot be read.
    """
    path = run.folder.planted_report
    if not path.exists() or sha256_hex(path.read_bytes()) not in _find_logged_planted_hashes(data, run, record_sha256):
        return None
    return read_document(path, PlantedFaceReport, _PLANTED_REPORT_TITLE)


def _find_logged_planted_hashes(data: DataFolder, run: Run, record_sha256: Sha256) -> set[Sha256]:
    """Hashes of reports that the audit log knows to be of this record."""
    entries = audit.read_entries(data.audit, run=run.id, kinds=["verification"])
    return {
        entry.subjects["planted"]
        for entry in entries
        if "planted" in entry.subjects and entry.subjects.get("record") == record_sha256
    }


RELEASE_CHECKS: Sequence[ReleaseCheck] = (run_leak_check, measure_planted_faces)
"""Run in this order before an output is released; `engine.release.release_hooks` says what a check may do."""
