"""Sessions of signed-in people, kept on the server's side: a browser holds a random token, the disk only its hash.

They lie in files, so they survive a restart of the server and are the same for all its processes. Nobody who reads
them can take one over.
"""

from __future__ import annotations

import secrets
import time
from datetime import timedelta
from pathlib import Path

import msgspec

from engine import access
from engine.access import Session
from engine.errors import AccessError
from engine.record import encode_document, sha256_hex
from engine.storage import files
from engine.storage.data_folder import DataFolder

_RENEW_AFTER = timedelta(seconds=30)
"""Use within this time of the last is not written down: stepping through frames would write thirty files a second."""


def add_session(data: DataFolder, session: Session) -> str:
    """Keep a new session; returns the token that the browser is to show."""
    folder = _sessions_folder(data)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_expired(data)
    token = secrets.token_urlsafe(32)
    _write_session(_session_path(data, token), session)
    return token


def find(data: DataFolder, token: str | None, *, keep_alive: bool = True) -> Session:
    """The session of a token, its person with the roles of now.

    Args:
        data: the data folder.
        token: as the browser showed it.
        keep_alive: whether this is something that the person does, which keeps the session alive; a page that refreshes
            itself does not.

    Raises:
        AccessError: there is no such session, or it has ended.
    """
    path = _session_path(data, token or "")
    try:
        session = msgspec.json.decode(path.read_bytes(), type=Session)
    except FileNotFoundError as error:
        raise AccessError("You are not signed in, or your session has ended; sign in.") from error
    except (OSError, msgspec.MsgspecError) as error:
        raise AccessError("Your session cannot be read; sign in again.") from error
    touched = access.touch(data, session)
    if keep_alive and touched.seen - session.seen > _RENEW_AFTER:
        _write_session(path, touched)
    return touched


def replace(data: DataFolder, token: str, session: Session) -> None:
    """Keep a session as it is after something that changes it, as a signature."""
    _write_session(_session_path(data, token), session)


def remove_session(data: DataFolder, token: str | None) -> None:
    """End a session; the token is worth nothing any more."""
    _session_path(data, token or "").unlink(missing_ok=True)


def use_proof_once(data: DataFolder, proof: bytes) -> bool:
    """Whether a proof of identity is used for the first time: each begins one session only."""
    folder = _sessions_folder(data)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        (folder / f"spent-{sha256_hex(proof)}").touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return False
    return True


def _remove_expired(data: DataFolder) -> None:
    """Remove what can be of no use any more."""
    longest = access.read_policy(data).session_timeout.total_seconds()
    for path in _sessions_folder(data).iterdir():
        if path.is_file() and time.time() - path.stat().st_mtime > longest:
            path.unlink(missing_ok=True)


def _write_session(path: Path, session: Session) -> None:
    files.write_file(path, encode_document(session))
    path.chmod(0o600)


def _session_path(data: DataFolder, token: str) -> Path:
    return _sessions_folder(data) / f"{sha256_hex(token.encode())}.json"


def _sessions_folder(data: DataFolder) -> Path:
    return data.browser_sessions
