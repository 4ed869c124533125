"""Sessions of signed-in users on the server. The browser has a random token, the disk only its hash.

Sessions are files, so they survive a restart and all processes of the server share them. Reading the files is not
enough to take over a session.
"""

from __future__ import annotations

import secrets
import time
from datetime import timedelta
from pathlib import Path

import msgspec

from engine import access
from engine.access import Session
from engine.core.json_decoder import decode_json
from engine.errors import AccessError
from engine.record import encode_document, sha256_hex
from engine.storage import files
from engine.storage.data_folder import DataFolder

_RENEW_AFTER = timedelta(seconds=30)
"""Least time between two writes of a session. Stepping through frames would write thirty files a second."""


def add_session(data: DataFolder, session: Session) -> str:
    """Store a new session and return its token."""
    folder = _sessions_folder(data)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Here, because no request comes for a session whose browser was closed.
    _remove_expired(data)
    token = secrets.token_urlsafe(32)
    _write_session(_session_path(data, token), session)
    return token


def find(
    data: DataFolder, token: str | None, *, keep_alive: bool = True, sets_up_second_factor: bool = False
) -> Session:
    """Return the session of a token, with the current roles of its user.

    Args:
        data: the data folder.
        token: the token from the browser.
        keep_alive: True if the user did something, which extends the session. A page that refreshes itself passes
            False.
        sets_up_second_factor: True for the page that sets up the second factor that the policy asks for.

    Raises:
        AccessError: there is no such session, or it has ended.
        SecondFactorRequiredError: the policy asks for a second factor that the account lacks.
    """
    path = _session_path(data, token or "")
    try:
        session = decode_json(path.read_bytes(), type=Session)
    except FileNotFoundError as error:
        raise AccessError("You are not signed in, or your session has ended; sign in.") from error
    except (OSError, msgspec.MsgspecError) as error:
        raise AccessError("Your session cannot be read; sign in again.") from error
    touched = access.touch(data, session, sets_up_second_factor=sets_up_second_factor)
    if keep_alive and touched.seen - session.seen > _RENEW_AFTER:
        _write_session(path, touched)
    return touched


def replace(data: DataFolder, token: str, session: Session) -> None:
    """Store a changed session, for example after a signature."""
    _write_session(_session_path(data, token), session)


def remove_session(data: DataFolder, token: str | None) -> None:
    """End a session; its token is no longer valid."""
    _session_path(data, token or "").unlink(missing_ok=True)


def use_proof_once(data: DataFolder, proof: bytes) -> bool:
    """Return True at the first use of a proof of identity; each proof starts one session only."""
    folder = _sessions_folder(data)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Creating a file is atomic: of two requests with the same proof, one fails.
    try:
        (folder / f"spent-{sha256_hex(proof)}").touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return False
    return True


def _remove_expired(data: DataFolder) -> None:
    """Remove expired sessions and used proofs."""
    longest = access.read_policy(data).session_timeout.total_seconds()
    # Activity rewrites the file of a session, so the file's time is that of the last use, give or take _RENEW_AFTER.
    for path in _sessions_folder(data).iterdir():
        if path.is_file() and time.time() - path.stat().st_mtime > longest:
            path.unlink(missing_ok=True)


def _write_session(path: Path, session: Session) -> None:
    files.write_file(path, encode_document(session))
    path.chmod(0o600)


def _session_path(data: DataFolder, token: str) -> Path:
    # The hash also keeps what a browser sends out of the path.
    return _sessions_folder(data) / f"{sha256_hex(token.encode())}.json"


def _sessions_folder(data: DataFolder) -> Path:
    return data.browser_sessions
