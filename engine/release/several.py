"""Sign or release several runs with one confirmation: one act of one person, a statement for each run.

Everything is checked for each run as if it were signed alone. Nothing is signed if one of the runs is refused, and the
credential is asked for once, because the person confirms the list as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

import msgspec

from engine import access
from engine.access import Credential, Session
from engine.access.run_context import RunContext
from engine.approval.statements import Statement
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import SignOffError, VeilError
from engine.isolation.guarded import guarded
from engine.release.release import Release, ReleaseHooks, release_snapshot, take_releasable_snapshot
from engine.release.sign import SignRequest, check_request, describe_confirmation, sign_request
from engine.release.snapshot import lock_run_for_signing
from engine.storage.data_folder import DataFolder

_NO_HOOKS = ReleaseHooks()
_SILENT = SilentListener()
_RELEASE_REQUEST = SignRequest("released")

SeriesListener = Callable[[str, Release | VeilError], None]
"""Called after each run with its identifier, and the release or what stopped it."""


def sign_several(
    data: DataFolder, requests: Sequence[tuple[str, SignRequest]], session: Session, credential: Credential | None
) -> tuple[tuple[Statement, ...], Session]:
    """Sign a statement about each of several runs, or none.

    Args:
        data: The data folder.
        requests: Identifiers of the runs, each with what is signed about it.
        session: The session of the person who signs.
        credential: The credential for all of these signatures; None for a single user.

    Returns:
        The statements in the order of the requests, and the session after the signatures.

    Raises:
        SignOffError: There is nothing to sign, or a run is refused; the sentence names the run.
        VeilError: As `sign` raises.
    """
    _require_different_runs([run_id for run_id, _ in requests])
    with ExitStack() as locks:
        signable = []
        # In the order of the names, so that two people who sign the same runs do not wait for each other for ever.
        for run_id, request in sorted(requests, key=lambda one: one[0]):
            context = RunContext.open(data, run_id, session.person)
            locks.enter_context(lock_run_for_signing(context.run))
            try:
                signable.append((check_request(context, request), request))
            except SignOffError as error:
                raise SignOffError(f"{context.run.title}: {error} Nothing was signed.") from error
        confirmation = describe_confirmation(data, session, credential)
        session = access.reauthenticate(data, session, credential)
        statements = {one.context.run.id: sign_request(one, confirmation, request) for one, request in signable}
    return tuple(statements[run_id] for run_id, _ in requests), session


def release_several(  # noqa: PLR0913 - tests replace the hooks, which take models and minutes
    data: DataFolder,
    run_ids: Sequence[str],
    session: Session,
    credential: Credential | None,
    on_ended: SeriesListener,
    *,
    hooks: ReleaseHooks = _NO_HOOKS,
) -> Session:
    """Release several runs one after another, with the approved options; a run that is stopped does not stop the rest.

    Args:
        data: The data folder.
        run_ids: Identifiers of the runs.
        session: The session of the person who releases.
        credential: The credential for all of these signatures; None for a single user.
        on_ended: Called after each run.
        hooks: What goes along with each release.

    Returns:
        The session after the signatures.

    Raises:
        SignOffError: There is nothing to release, or a run may not be released; the sentence names the run.
        AccessError: The role does not allow it, the credential is wrong, or the session has ended.
    """
    _require_different_runs(run_ids)
    contexts = [RunContext.open(data, run_id, session.person).authorise("release") for run_id in run_ids]
    for context in contexts:
        with lock_run_for_signing(context.run):
            try:
                take_releasable_snapshot(context, _RELEASE_REQUEST)
            except SignOffError as error:
                raise SignOffError(f"{context.run.title}: {error} Nothing was released.") from error
    confirmation = describe_confirmation(data, session, credential)
    session = access.reauthenticate(data, session, credential)
    for context in contexts:
        try:
            with lock_run_for_signing(context.run):
                # Taken again: hours may have passed, and what was changed since is not released.
                snapshot = take_releasable_snapshot(context.authorise("release"), _RELEASE_REQUEST)
                released = release_snapshot(context, snapshot, confirmation, _RELEASE_REQUEST, hooks)
        except VeilError as error:
            on_ended(context.run.id, error)
        else:
            on_ended(context.run.id, released)
    return session


class SeriesRequest(msgspec.Struct, frozen=True):
    """The runs to release, by identifier."""

    run_ids: tuple[str, ...]

    def __str__(self) -> str:
        """Name them, for the start of a sentence."""
        return f"One of the runs {', '.join(self.run_ids)}"


class SeriesOutcome(msgspec.Struct, frozen=True):
    """The session after the signatures, and for each run that was stopped, by identifier, what stopped it."""

    session: Session
    stopped: dict[str, str]


@guarded("request")
def release_series(
    data: DataFolder,
    request: SeriesRequest,
    session: Session,
    credential: Credential | None,
    *,
    listener: ProgressListener = _SILENT,
) -> SeriesOutcome:
    """Release several runs as `release_several` does, and return what became of them.

    Raises:
        VeilError: As `release_several` raises.
    """
    stopped: dict[str, str] = {}

    def note_end(run_id: str, result: Release | VeilError) -> None:
        if isinstance(result, VeilError):
            stopped[run_id] = str(result)

    hooks = ReleaseHooks(listener)
    return SeriesOutcome(release_several(data, request.run_ids, session, credential, note_end, hooks=hooks), stopped)


def _require_different_runs(run_ids: Sequence[str]) -> None:
    if not run_ids or len(set(run_ids)) < len(run_ids):
        raise SignOffError("Choose one run or more, each once.")
