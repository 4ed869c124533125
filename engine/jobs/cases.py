"""The case of a run: to whom it is assigned, its priority in the queue, and whether it is archived. Also removing runs.

A case is about work, not evidence: it is one small file that is replaced, and each change is in the audit log.
Archiving hides a run from the lists and touches none of its files.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal, get_args

import msgspec

from engine import access, audit, runs
from engine.access import Person
from engine.access.run_context import RunContext
from engine.core.json_decoder import decode_json
from engine.core.wording import format_count
from engine.errors import InputError, RunError, TargetError
from engine.record import Document, encode_document
from engine.runs import Run
from engine.storage.data_folder import DataFolder
from engine.storage.files import write_file

_REMOVABLE = frozenset({"failed", "cancelled", "interrupted"})


Priority = Literal["high", "normal", "low"]
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
"""The priorities, in the order in which the queue takes their runs."""


class Case(Document, frozen=True, kw_only=True):
    """The case of a run.

    Attributes:
        account: account of the person to whom the run is assigned; None: anyone whose role allows it.
        name: name of that person.
        archived: whether the lists leave the run out.
        priority: place in the queue; runs of the same priority are done in the order in which they were added.
    """

    schema: Literal["veil/case/1"] = "veil/case/1"
    account: str | None = None
    name: str | None = None
    archived: bool = False
    priority: Priority = "normal"


_NEW_CASE = Case()


def read_case(run: Run) -> Case:
    """Read the case of a run; one that was never changed, or that cannot be read, is assigned to nobody.

    An unreadable case hides no run: it only says who does the work, and what a person may do is checked elsewhere.
    """
    try:
        return decode_json(run.folder.case.read_bytes(), type=Case)
    except (OSError, msgspec.MsgspecError):
        return _NEW_CASE


def list_assignable_people(data: DataFolder) -> tuple[Person, ...]:
    """List the people to whom a run can be assigned: reviewers and approvers, or the single user."""
    accounts = access.read_people(data).accounts
    if not accounts:
        return (access.get_single_user(data),)
    people = (account.to_person("account") for account in accounts if not account.disabled)
    return tuple(person for person in people if {"reviewer", "approver"} & set(person.roles))


def assign_run(context: RunContext, account: str | None) -> Case:
    """Assign a run to a person, or to nobody.

    Args:
        context: The run, and a person who may see it.
        account: The account; None takes the assignment back.

    Raises:
        AccessError: The person may not see the run.
        InputError: The account cannot review or approve.
        TargetError: The case cannot be written.
        AuditError: The assignment cannot be logged.
    """
    context = context.authorise("look")
    names = {person.account: person.name for person in list_assignable_people(context.data)}
    if account is not None and account not in names:
        raise InputError(f"{account} is no account of a reviewer or approver; choose another person.")
    case = msgspec.structs.replace(read_case(context.run), account=account, name=names.get(account or ""))
    context.log_event("assignment", details={"account": account})
    write_file(context.run.folder.case, encode_document(case))
    return case


def set_priority(context: RunContext, priority: Priority) -> Case:
    """Give a queued run another priority.

    Args:
        context: The run, and a person who may start a detection.
        priority: The new priority.

    Raises:
        AccessError: The person may not start, and so not hurry, a detection.
        RunError: The run does not wait.
        TargetError: The case cannot be written.
        AuditError: The change cannot be logged.
    """
    context = context.authorise("detect")
    if context.run.status != "queued":
        raise RunError(f"{context.run.title} is {context.run.status}. Only a queued run can get another priority.")
    case = msgspec.structs.replace(read_case(context.run), priority=priority)
    context.log_event("priority", details={"priority": priority})
    write_file(context.run.folder.case, encode_document(case))
    return case


def archive_run(context: RunContext, *, archived: bool = True) -> Case:
    """Leave a run out of the lists, or bring it back. Its files stay where they are.

    Raises:
        AccessError: The person may not see the run.
        RunError: The run is queued or running.
        TargetError: The case cannot be written.
        AuditError: The change cannot be logged.
    """
    context = context.authorise("look")
    run = context.run
    if archived and run.status in {"queued", "running"}:
        raise RunError(f"{run.title} is {run.status}; cancel it or wait until it ends, then archive it.")
    case = msgspec.structs.replace(read_case(run), archived=archived)
    context.log_event("archive", details={"archived": archived})
    write_file(run.folder.case, encode_document(case))
    return case


def remove_run(context: RunContext) -> None:
    """Remove a run that came to no record, with its folder. A run with a record is evidence and can only be archived.

    Raises:
        AccessError: The person may not start, and so not remove, a detection.
        RunError: The run is active, or has a record or a signature.
        TargetError: The folder cannot be removed.
        AuditError: The removal cannot be logged; then nothing is removed.
    """
    context = context.authorise("detect")
    run = context.run
    if run.status not in _REMOVABLE or run.folder.record.exists() or run.folder.signatures.exists():
        raise RunError(f"{run.title} is {run.status}. Only a run without a record can be removed; archive it instead.")
    context.log_event("removal", details={"what": "run", "status": run.status})
    # Out of the register first: a folder that is half removed would be listed as damaged.
    hidden = run.folder.path.with_name(f".{run.id}")
    try:
        run.folder.path.rename(hidden)
        shutil.rmtree(hidden)
    except OSError as error:
        raise TargetError(f"{run.folder.path} cannot be removed ({error.strerror}). Check its permissions.") from error


def remove_video(data: DataFolder, by: Person, path: Path) -> None:
    """Remove a video from the library, such as an upload that cannot be read.

    Raises:
        AccessError: The person may not start a detection.
        InputError: The video is not in the library, or a run uses it.
        TargetError: It cannot be removed.
        AuditError: The removal cannot be logged; then nothing is removed.
    """
    person = access.authorise(data, by, "detect")
    if not path.resolve().is_relative_to(data.library.resolve()) or not path.is_file():
        raise InputError(f"{path.name} is not in the library {data.library}; remove it yourself.")
    if number := sum(run.source == path for run in runs.read_register(data).runs):
        raise InputError(
            f"{path.name} is the source of {format_count(number, 'run')}. Remove the runs that failed; veil purge "
            "removes the source of a finished one."
        )
    audit.append(data.audit, audit.Event(actor=person.actor, kind="removal", details={"what": "upload"}))
    try:
        path.unlink()
    except OSError as error:
        raise TargetError(f"{path} cannot be removed ({error.strerror}). Check its permissions.") from error
