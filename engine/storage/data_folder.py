"""Layout of the data folder: the path of every folder and file that Veil keeps between runs, and their names.

Only this module spells the names out. Code that needs a path asks `DataFolder` or `RunFolder`; code that writes the
same documents elsewhere (beside an output, into a release) uses the names and suffixes below.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from engine.errors import TargetError

RECORD_NAME = "detections.json"
"""The detection record, in the folder of a run and in that of a release."""
REVIEW_NAME = "review.jsonl"
"""The amendments, in the folder of a run and in that of a release."""
PEOPLE_NAME = "people.jsonl"
"""How a reviewer arranged tracks into people, in the folder of a run."""
LEAK_REPORT_NAME = "leaks.json"
"""The report of the leak check, in the folder of a release."""
PLANTED_REPORT_NAME = "planted.json"
"""The report of the planted faces, in the folder of a run and in that of a release."""
ANCHOR_NAME = "anchor.json"
"""The anchor of the audit log, in the folder of a release."""
CERTIFICATE_NAME = "certificate.json"
"""The certificate, in the folder of a release."""
CERTIFICATE_PAGE_NAME = "certificate.html"
"""The certificate as a page to read and print."""
CERTIFICATE_SIGNATURE_NAME = "certificate.json.sig"
"""The signature of the certificate's bytes."""
CERTIFICATE_TIME_STAMP_NAME = "certificate.json.tsr"
"""The time stamp of the certificate's bytes, by an authority outside (RFC 3161)."""
CERTIFICATE_KEY_NAME = "certificate.pub"
"""The public key that the signature is checked with."""
AUDIT_LOG_NAME = "log.jsonl"
"""The audit log, in the folder of the audit."""

RECORD_SUFFIX = ".detections.json"
"""Appended to the name of an output: the detection record written beside it."""
RENDER_REPORT_SUFFIX = ".render.json"
"""Appended to the name of an output: the report of its render."""
CHECKS_SUFFIX = ".checks.json"
"""Appended to the name of an output: the report of its verification."""
TIME_STAMP_SUFFIX = ".tsr"
"""Appended to the name of an anchor or a certificate: its time stamp."""
RUN_FACTS_SUFFIX = ".run.json"
"""Appended to the name of a record: host, clock and speed of the detection."""
LEDGER_SUFFIX = ".ledger.json"
"""Appended to the name of a record: the frames that were sent to a remote detector."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The folder in which everything is kept between runs."""

    root: Path

    @property
    def models(self) -> Path:
        """Weights of the detectors."""
        return self.root / "models"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints of unfinished detections; each is removed when its record is complete."""
        return self.root / "work"

    @property
    def remote_answers(self) -> Path:
        """Answers of remote detectors by request, kept so that no request is paid for twice."""
        return self.root / "answers"

    @property
    def sample_clips(self) -> Path:
        """The sample clip and the outputs made from it."""
        return self.root / "sample"

    @property
    def library(self) -> Path:
        """The library: videos that were uploaded or imported."""
        return self.root / "footage"

    @property
    def live_records(self) -> Path:
        """Logs, records and reports of live runs whose output is a stream, so that no file has a folder for them."""
        return self.root / "live"

    @property
    def runs(self) -> Path:
        """The runs, one folder each (see `RunFolder`)."""
        return self.root / "runs"

    @property
    def questions(self) -> Path:
        """SQL that people saved in Analyse, one file for each; may be removed."""
        return self.root / "questions"

    @property
    def queue_database(self) -> Path:
        """The leases of the queue, unless they are in a database of several machines."""
        return self.runs / ".queue.sqlite"

    @property
    def queue_settings(self) -> Path:
        """How many runs the queue does at the same time."""
        return self.root / "queue.json"

    @property
    def worker_log(self) -> Path:
        """Standard output and standard error of the workers."""
        return self.runs / ".worker.log"

    @property
    def audit(self) -> Path:
        """The folder of the audit log, one log for the installation."""
        return self.root / "audit"

    @property
    def audit_log(self) -> Path:
        """The audit log itself."""
        return self.audit / AUDIT_LOG_NAME

    @property
    def access(self) -> Path:
        """Accounts, policy and signing key."""
        return self.root / "access"

    @property
    def tours(self) -> Path:
        """Who has seen the tour of the workbench; may be removed."""
        return self.access / "tours.json"

    @property
    def people(self) -> Path:
        """The accounts."""
        return self.access / "people.json"

    @property
    def policy(self) -> Path:
        """The policy."""
        return self.access / "policy.json"

    @property
    def failed_attempts(self) -> Path:
        """Number of failed sign-ins in a row, by account."""
        return self.access / "tries.json"

    @property
    def used_codes(self) -> Path:
        """The newest code of a second factor that was used, by account: none is accepted twice."""
        return self.access / "codes.json"

    @property
    def live_sources(self) -> Path:
        """The sources that Live may open; it may contain passwords of cameras."""
        return self.access / "live-sources.json"

    @property
    def refused_sign_ins(self) -> Path:
        """Number of refusals of the current minute that anyone can cause."""
        return self.access / "refused.json"

    @property
    def access_lock(self) -> Path:
        """The lock held while a file in the folder of accounts is changed."""
        return self.access / "lock"

    @property
    def browser_sessions(self) -> Path:
        """Sessions of browsers that are signed in."""
        return self.access / "sessions"

    @property
    def signing_key(self) -> Path:
        """The organisation's private key for certificates; absent in an installation that does not sign them."""
        return self.access / "key.pem"

    @property
    def time_stamp_authority(self) -> Path:
        """The time stamp authority that an administrator has named; absent in an installation that asks none."""
        return self.access / "time-stamp-authority.json"

    @property
    def index(self) -> Path:
        """The index over the records; it may be deleted at any time."""
        return self.root / "index"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The paths of a run. A property only names a path; the file need not exist."""

    path: Path

    @property
    def id(self) -> str:
        """The run's identifier."""
        return self.path.name

    @property
    def request(self) -> Path:
        """Who asked for the run, when, and with which options."""
        return self.path / "request.json"

    @property
    def state(self) -> Path:
        """Progress of the run."""
        return self.path / "state.json"

    @property
    def cancel_marker(self) -> Path:
        """An empty file that exists while a cancellation is requested."""
        return self.path / "cancel"

    @property
    def record(self) -> Path:
        """The detection record; the facts of the run and the ledger of a remote detector are stored beside it."""
        return self.path / RECORD_NAME

    @property
    def facts(self) -> Path:
        """Facts of the detection that vary: host, clock, speed."""
        return append_suffix(self.record, RUN_FACTS_SUFFIX)

    @property
    def review(self) -> Path:
        """The amendments."""
        return self.path / REVIEW_NAME

    @property
    def case(self) -> Path:
        """To whom the run is assigned, and whether it is archived; never evidence."""
        return self.path / "case.json"

    @property
    def people(self) -> Path:
        """How a reviewer arranged the tracks into people, and their names. No amendment depends on it."""
        return self.path / PEOPLE_NAME

    @property
    def notes(self) -> Path:
        """Notes of the people who work on the run. No amendment depends on them."""
        return self.path / "notes.jsonl"

    @property
    def pending_amendment(self) -> Path:
        """The line of an amendment from before it is logged until the review has it."""
        return self.path / ".pending-amendment.jsonl"

    @property
    def live_video(self) -> Path:
        """What a live run showed, faces hidden; it exists once the run has ended."""
        return self.path / "live.mkv"

    @property
    def signatures(self) -> Path:
        """Signed statements, a numbered file each."""
        return self.path / "signatures"

    @property
    def signing_lock(self) -> Path:
        """The lock held while the run is signed, released or purged."""
        return self.path / ".signing"

    @property
    def drafts(self) -> Path:
        """Drafts; may be removed."""
        return self.path / "drafts"

    @property
    def thumbnails(self) -> Path:
        """Masked thumbnails; may be removed."""
        return self.path / "thumbs"

    @property
    def browser_copies(self) -> Path:
        """Small copies of videos that not every browser plays; may be removed."""
        return self.path / "copies"

    @property
    def leak_reports(self) -> Path:
        """Reports of leak checks, by the hash of the output that was checked."""
        return self.path / "leaks"

    @property
    def judgements(self) -> Path:
        """Judgements of the findings of leak checks, a line each."""
        return self.path / "judgements.jsonl"

    @property
    def frame_audit(self) -> Path:
        """Result of the random sample check."""
        return self.path / "frame-audit.json"

    @property
    def planted_report(self) -> Path:
        """How many of the faces planted into the source the detection found."""
        return self.path / PLANTED_REPORT_NAME

    @property
    def releases(self) -> Path:
        """Releases, a numbered folder each, with the documents that prove them."""
        return self.path / "releases"


def find_data_folder(chosen: Path | str | None = None) -> DataFolder:
    """Return the data folder: `chosen`, else `$VEIL_DATA`, else `data` in the checkout, else in the current folder."""
    if chosen is not None:
        return DataFolder(Path(chosen).absolute())
    if configured := os.environ.get("VEIL_DATA"):
        return DataFolder(Path(configured).absolute())
    checkout = Path(__file__).parents[2]
    home = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    return DataFolder(home / "data")


def append_suffix(path: Path, suffix: str) -> Path:
    """The path of a document that belongs to a file and is named after it: `talk.mp4` -> `talk.mp4.render.json`.

    Raises:
        TargetError: the path has no name, because it is the current folder or the root.
    """
    if not path.name:
        raise TargetError(f"{path} is a folder; give the name of a file.")
    return path.with_name(path.name + suffix)


def remove_suffix(path: Path, suffix: str) -> Path:
    """The file that a document named by `append_suffix` belongs to."""
    return path.with_name(path.name.removesuffix(suffix))
