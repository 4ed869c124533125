"""Accounts, policy and signing key: files that count only as the audit log knows them.

A change is written beside the file, logged by its hash, and then put into its place. A crash before the log entry
leaves a file that nobody acknowledged, and one after it leaves a file that the log vouches for: it is put into place by
whoever looks next.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine import audit
from engine.access.folder_lock import lock_access_folder
from engine.record import Sha256, sha256_hex
from engine.storage.data_folder import DataFolder
from engine.storage.files import publish_file, write_file


@dataclass(frozen=True, slots=True)
class LoggedFile:
    """A file in the folder of accounts.

    Attributes:
        data: The data folder.
        path: The file.
        kind: The kind of event that changes it.
        subject: The name of its hash in the event.
    """

    data: DataFolder
    path: Path
    kind: audit.EventKind
    subject: str

    @property
    def _pending(self) -> Path:
        return self.path.with_name(f".{self.path.name}.pending")

    def replace(self, stored: bytes, event: audit.Event) -> None:
        """Log an event and replace the file. The caller holds the lock of the folder.

        Raises:
            AuditError: The change cannot be logged; then nothing is changed.
            TargetError: The file cannot be written.
        """
        write_file(self._pending, stored)
        self._pending.chmod(0o600)
        audit.append(self.data.audit, event)
        publish_file(self._pending, self.path)

    def recover(self) -> None:
        """Finish a change that a crash has interrupted after it was logged, and drop one that was not logged.

        The caller holds the lock of the folder.

        Raises:
            TargetError: The file cannot be replaced.
            AuditError: The audit log cannot be read.
        """
        if not self._pending.exists():
            return
        entries = audit.read_entries(self.data.audit, kinds=[self.kind])
        logged = [entry.subjects[self.subject] for entry in entries if self.subject in entry.subjects]
        if [_hash_content(self._pending)] == logged[-1:]:
            publish_file(self._pending, self.path)
        else:
            self._pending.unlink()

    def log_content(self, actor: audit.Actor, change: str) -> None:
        """Log the file as it is now.

        Raises:
            AuditError: It cannot be logged.
        """
        subjects = {self.subject: sha256_hex(self.path.read_bytes())}
        event = audit.Event(actor=actor, kind=self.kind, subjects=subjects, details={"change": change})
        audit.append(self.data.audit, event)

    def is_logged(self) -> bool:
        """Return whether the log knows any content of the file."""
        return any(self.subject in entry.subjects for entry in audit.read_entries(self.data.audit, kinds=[self.kind]))

    def is_as_logged(self, logged_sha256: Sha256 | None) -> bool:
        """Return whether the file is the one with this hash, the newest in the log; None: there must be no file."""
        if _hash_content(self.path) != logged_sha256 and self._pending.exists():
            # Another process may be in the middle of a change; then this waits for it.
            with lock_access_folder(self.data):
                self.recover()
        return _hash_content(self.path) == logged_sha256


def people_file(data: DataFolder) -> LoggedFile:
    """Return the file of accounts."""
    return LoggedFile(data, data.people, "people", "people")


def policy_file(data: DataFolder) -> LoggedFile:
    """Return the file of the policy."""
    return LoggedFile(data, data.policy, "settings", "policy")


def signing_key_file(data: DataFolder) -> LoggedFile:
    """Return the file of the private key that signs certificates."""
    return LoggedFile(data, data.signing_key, "settings", "key")


def _hash_content(path: Path) -> Sha256 | None:
    try:
        return sha256_hex(path.read_bytes())
    except FileNotFoundError:
        return None
