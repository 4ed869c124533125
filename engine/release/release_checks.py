"""What every output goes through before it is released: a search for faces in it, and faces planted into its source."""

from __future__ import annotations

from engine import audit
from engine import record as records
from engine.assurance.leak_check.check import check_leaks
from engine.assurance.leak_check.report import LeakReport
from engine.assurance.planted_faces.experiment import PlantedReport, obstacle, plant
from engine.audit import SYSTEM, Event
from engine.errors import SignOffError
from engine.record import Sha256, digest, encode
from engine.release.leak_judgements import found_leaks, leak_path, open_leaks
from engine.release.release_hooks import Candidate
from engine.runs import Run
from engine.storage.files import Data, write

LEAKS_NAME = "leaks.json"
PLANTED_NAME = "planted.json"
_PLANTED = "report of planted faces"


def search(candidate: Candidate) -> None:
    """Look for faces in the output; what is found holds the release up until a person has judged it.

    An output that was searched before is not searched again: the same bytes give the same report.

    Raises:
        SignOffError: something was found that nobody has judged, or that was judged to be a leak.
        VeilError: as `check_leaks`.
    """
    run, data = candidate.case.run, candidate.data
    report = found_leaks(data, run, candidate.report.output_sha256) or _searched(candidate)
    write(candidate.folder / LEAKS_NAME, encode(report))
    if still := open_leaks(data, run, report):
        places = ", ".join(f"{one.kind} at frame {one.frame}" for one in still[:3])
        more = f" and {len(still) - 3} more" if len(still) > 3 else ""
        raise SignOffError(
            f"The output may still show a face ({places}{more}). Judge each finding, with veil judge {run.id} or on "
            "the sign-off page, or amend the record; then release again."
        )


def _searched(candidate: Candidate) -> LeakReport:
    run, data = candidate.case.run, candidate.data
    report = check_leaks(
        run.source,
        candidate.record,
        candidate.output,
        review=candidate.review,
        data=data.root,
        listener=candidate.listener,
    )
    stored = encode(report)
    run.folder.leaks.mkdir(exist_ok=True)
    subjects = {"output": report.output_sha256, "leaks": digest(stored)}
    audit.append(
        data.audit,
        Event(
            actor=SYSTEM,
            kind="verification",
            run=run.id,
            subjects=subjects,
            details={"leaks": len(report.leaks), "doubtful": len(report.doubtful)},
        ),
    )
    write(leak_path(run, report.output_sha256), stored)
    return report


def plant_faces(candidate: Candidate) -> None:
    """Measure how many faces planted into this very clip its detection finds, where that can be repeated.

    A run is measured once: the same source, record and settings give the same figures.

    Raises:
        VeilError: as `plant`.
    """
    run, data = candidate.case.run, candidate.data
    if obstacle(candidate.case.record):
        return
    kept = run.folder.planted
    stored = kept.read_bytes() if kept.exists() else None
    if stored is None or digest(stored) not in _measured(candidate.data, run, candidate.report.record_sha256):
        report = plant(run.source, candidate.record, data=data.root, listener=candidate.listener)
        stored = encode(report)
        audit.append(
            data.audit,
            Event(
                actor=SYSTEM,
                kind="verification",
                run=run.id,
                subjects={"record": candidate.report.record_sha256, "planted": digest(stored)},
            ),
        )
        write(kept, stored)
    write(candidate.folder / PLANTED_NAME, stored)


def planted_of(candidate: Candidate) -> PlantedReport | None:
    """What `plant_faces` found, None when nothing was planted."""
    path = candidate.folder / PLANTED_NAME
    return records.read_as(path, PlantedReport, _PLANTED) if path.exists() else None


def newest_planted(data: Data, run: Run, record_sha256: Sha256) -> PlantedReport | None:
    """What was found of the faces planted into a run's source, None when its record as it is was not measured so.

    Raises:
        RecordError: the report cannot be read.
    """
    path = run.folder.planted
    if not path.exists() or digest(path.read_bytes()) not in _measured(data, run, record_sha256):
        return None
    return records.read_as(path, PlantedReport, _PLANTED)


def _measured(data: Data, run: Run, record: Sha256) -> set[Sha256]:
    """Hashes of reports that the audit log knows to be of this record."""
    entries = audit.entries(data.audit, run=run.id, kinds=["verification"])
    return {
        entry.subjects["planted"]
        for entry in entries
        if "planted" in entry.subjects and entry.subjects.get("record") == record
    }
