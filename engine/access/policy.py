"""The policy: people and checks that a release takes, duration of sessions and lock-outs, length of passwords."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import msgspec

from engine import audit
from engine.access.folder_lock import lock_access_folder
from engine.access.logged_file import policy_file
from engine.access.people import Account, Person, Role, read_people
from engine.access.permissions import authorise
from engine.core.json_decoder import decode_json
from engine.errors import AccessError
from engine.record import Document, encode_document, sha256_hex
from engine.storage.data_folder import DataFolder

SCHEMA: Literal["veil/policy/1"] = "veil/policy/1"

Persons = Literal["one", "two", "three"]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=10_080)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


class Policy(Document, frozen=True, kw_only=True):
    """The policy of an installation.

    Attributes:
        schema: Always "veil/policy/1".
        persons: Minimum number of people for a release. "one": one person may do everything. "two": the person who ran
            or reviewed the detection cannot approve it. "three": in addition, the person who ran it cannot review it.
        failures: Number of failed sign-ins in a row that lock an account.
        lock_minutes: Duration of the lock.
        idle_minutes: A session ends after this time without use.
        session_minutes: A session ends after this time in any case.
        fresh_minutes: Maximum age of a sign-in at a provider that confirms a signature.
        password_length: Minimum number of characters of a password.
        min_items_percent: Minimum share of the items to check that must be decided before the review is signed.
        min_frames_percent: Minimum share of the frames that must have been viewed.
        min_risk_percent: Minimum share of the risk of all items that must have been viewed; 0 does not ask for it.
        random_sample: Whether a random sample check of the final amendments must have found no visible face.
        min_approver_frames_percent: Minimum share of the frames that the approver must have viewed.
        second_factor_roles: Roles whose accounts need a second factor to sign in and to sign.
    """

    schema: Literal["veil/policy/1"] = SCHEMA
    persons: Persons
    failures: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    lock_minutes: Minutes = 15
    idle_minutes: Minutes = 30
    session_minutes: Minutes = 720
    fresh_minutes: Minutes = 5
    password_length: Annotated[int, msgspec.Meta(ge=8, le=128)] = 10
    # Every item is a doubt that only a person can settle, so all of them. A quarter of the frames is what playing a
    # video at four times its speed shows; a twentieth is a look at it, which an approval cannot do without.
    min_items_percent: Percent = 100
    min_frames_percent: Percent = 25
    min_risk_percent: Percent = 0
    random_sample: bool = False
    min_approver_frames_percent: Percent = 5
    second_factor_roles: tuple[Role, ...] = ()

    def requires_second_factor(self, account: Account) -> bool:
        """Whether an account needs a second factor. A provider has its own rules for those who sign in there."""
        return account.password is not None and not set(self.second_factor_roles).isdisjoint(account.roles)

    @property
    def lock_duration(self) -> timedelta:
        """Duration of the lock after too many failed sign-ins."""
        return timedelta(minutes=self.lock_minutes)

    @property
    def idle_timeout(self) -> timedelta:
        """Time without use after which a session ends."""
        return timedelta(minutes=self.idle_minutes)

    @property
    def session_timeout(self) -> timedelta:
        """Time after which a session ends in any case."""
        return timedelta(minutes=self.session_minutes)

    @property
    def max_credential_age(self) -> timedelta:
        """Maximum age of a sign-in at a provider that confirms a signature."""
        return timedelta(minutes=self.fresh_minutes)


def read_policy(data: DataFolder) -> Policy:
    """Read the policy. The default requires one person without accounts and two with accounts.

    Raises:
        AccessError: The file cannot be read.
    """
    path = data.policy
    try:
        return decode_json(path.read_bytes(), type=Policy)
    except FileNotFoundError:
        return Policy(persons="two" if read_people(data).accounts else "one")
    except OSError as error:
        raise AccessError(
            f"{path} cannot be read ({error.strerror}), so no run can be approved. Check its permissions."
        ) from error
    except msgspec.MsgspecError as error:
        raise AccessError(
            f"{path} is not a policy ({error}), so no run can be approved. Restore it from a backup."
        ) from error


def set_policy(data: DataFolder, by: Person, policy: Policy) -> None:
    """Write the policy and log the change.

    Args:
        data: The data folder.
        by: An administrator.
        policy: The new policy.

    Raises:
        AccessError: The role does not allow it.
        AuditError: The change cannot be logged.
        TargetError: The policy cannot be written.
    """
    authorise(data, by, "settings")
    # The hash goes into the log: the sign-off refuses a policy file that was not written by this function.
    stored = encode_document(policy)
    event = audit.Event(
        actor=by.actor,
        kind="settings",
        subjects={"policy": sha256_hex(stored)},
        details={
            "persons": policy.persons,
            "items_percent": policy.min_items_percent,
            "frames_percent": policy.min_frames_percent,
            "risk_percent": policy.min_risk_percent,
            "random_sample": policy.random_sample,
            "approver_frames_percent": policy.min_approver_frames_percent,
            "second_factor_roles": ", ".join(policy.second_factor_roles),
        },
    )
    with lock_access_folder(data):
        file = policy_file(data)
        file.recover()
        file.replace(stored, event)
