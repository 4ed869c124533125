"""The background jobs that release a run or render a draft."""

from __future__ import annotations

from dataclasses import dataclass

from engine import release
from engine.access import Credential, Session
from engine.core.progress import ProgressListener
from engine.release import SignRequest
from engine.rendering.terms import RenderOptions
from engine.storage.data_folder import DataFolder
from workbench.auth import session_store


@dataclass(frozen=True, slots=True)
class ReleaseJob:
    """A release that a person has requested.

    Attributes:
        session: session of that person. Confirming changes it; the change is stored under `token`.
        token: token of the browser session, None for a single user.
        credential: password or provider sign-in that confirms the signature.
        options: the approved render options.
        reason: reason in the words of that person.
    """

    data: DataFolder
    run_id: str
    session: Session
    token: str | None
    credential: Credential | None
    options: RenderOptions
    reason: str | None = None

    def run(self, listener: ProgressListener) -> None:
        """Release.

        Raises:
            VeilError: as `engine.release.release` raises.
        """
        _, changed = release.release(
            self.data,
            self.run_id,
            self.session,
            self.credential,
            SignRequest("released", self.reason, self.options),
            listener=listener,
        )
        # Confirming marks the session as one that has signed; the browser's session must say so too.
        if self.token is not None and changed.person.how != "single-user":
            session_store.replace(self.data, self.token, changed)


def name_release_task(run_id: str) -> str:
    """Return the name of the background task that releases a run."""
    return f"release {run_id}"


def name_draft_task(run_id: str) -> str:
    """Return the name of the background task that renders a draft."""
    return f"draft {run_id}"
