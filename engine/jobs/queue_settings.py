"""How many runs the queue does at the same time."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from engine import audit
from engine.access import Person, authorise
from engine.core.json_decoder import decode_json
from engine.errors import InputError
from engine.record import Document, encode_document
from engine.storage.data_folder import DataFolder
from engine.storage.files import write_file


class QueueSettings(Document, frozen=True, kw_only=True):
    """Limits of the queue.

    Attributes:
        runs_per_machine: runs that each machine does at the same time. One run uses all cores already, so more help
            only where there are many cores.
        runs_per_person: runs of one person that all machines together do at the same time. None: unlimited.
    """

    schema: Literal["veil/queue/1"] = "veil/queue/1"
    runs_per_machine: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    runs_per_person: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None


def read_queue_settings(data: DataFolder) -> QueueSettings:
    """Read the limits of the queue; the defaults if none were set.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        return decode_json(data.queue_settings.read_bytes(), type=QueueSettings)
    except FileNotFoundError:
        return QueueSettings()
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(
            f"{data.queue_settings} has no settings of the queue ({error}): remove it, and set them again."
        ) from error


def set_queue_settings(data: DataFolder, by: Person, settings: QueueSettings) -> None:
    """Write the limits of the queue and log the change.

    Args:
        data: the data folder.
        by: an administrator, or the single user.
        settings: the new limits.

    Raises:
        AccessError: the role does not allow it.
        AuditError: the change cannot be logged.
        TargetError: the settings cannot be written.
    """
    person = authorise(data, by, "settings")
    details = {"runs_per_machine": settings.runs_per_machine, "runs_per_person": settings.runs_per_person}
    audit.append(data.audit, audit.Event(actor=person.actor, kind="settings", details=details))
    write_file(data.queue_settings, encode_document(settings))
