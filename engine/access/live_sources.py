"""The sources that Live may open on the server: cameras, addresses, files and folders that an administrator has listed.

Live opens what it is given: any file that the server's user may read, and any host that it reaches. With accounts, an
operator chooses from the list and from the library; the camera of the own browser opens nothing on the server. A name
of the list stands for its address, so that the password of a camera is the administrator's alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from engine import audit
from engine.access.people import Person, read_people
from engine.access.permissions import authorise
from engine.core.addresses import strip_credentials
from engine.core.json_decoder import decode_json
from engine.errors import AccessError, InputError
from engine.record import Document, encode_document, sha256_hex
from engine.storage.data_folder import DataFolder
from engine.storage.files import make_private_folder, write_file

SCHEMA: Literal["veil/live-sources/1"] = "veil/live-sources/1"


class LiveSource(Document, frozen=True):
    """A source on the list.

    Attributes:
        name: Name that operators choose.
        address: Camera, file, folder (whose files are allowed) or address; may contain a user name and a password.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    address: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class LiveSources(Document, frozen=True):
    """The list."""

    schema: Literal["veil/live-sources/1"] = SCHEMA
    sources: tuple[LiveSource, ...] = ()


@dataclass(frozen=True, slots=True)
class AllowedSource:
    """A source that a person may open.

    Attributes:
        address: What is opened.
        title: What is shown and kept: no credentials.
    """

    address: str
    title: str


def read_live_sources(data: DataFolder) -> tuple[LiveSource, ...]:
    """Return the list, empty if there is none.

    Raises:
        AccessError: The file cannot be read.
    """
    path = data.live_sources
    try:
        return decode_json(path.read_bytes(), type=LiveSources).sources
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError) as error:
        # Not taken for an empty list: without accounts that would allow everything.
        raise AccessError(
            f"{path} cannot be read ({error}), so no source can be opened. Restore or remove it."
        ) from error


def set_live_source(data: DataFolder, by: Person, name: str, address: str | None) -> tuple[LiveSource, ...]:
    """Add a source to the list, give it another address, or take it off, and log it.

    Args:
        data: The data folder.
        by: An administrator.
        name: Name of the source.
        address: Its address; None takes it off the list.

    Returns:
        The list.

    Raises:
        AccessError: The role does not allow it.
        InputError: The name cannot be shown, or there is no such source to take off.
        AuditError: It cannot be logged.
    """
    authorise(data, by, "settings")
    before = read_live_sources(data)
    others = tuple(source for source in before if source.name != name)
    if address is None and others == before:
        raise InputError(f"There is no live source {name!r}; veil users live-sources lists them.")
    if not name.isprintable() or name != " ".join(name.split()) or not name:
        raise InputError(f"The name {name!r} has characters that cannot be seen, or too many spaces.")
    if address is not None and "://" not in address:
        address = str(Path(address).absolute())
    sources = others if address is None else (*others, LiveSource(name, address))
    stored = encode_document(LiveSources(sources=sources))
    details = {"live_source": name, "address": None if address is None else strip_credentials(address)}
    event = audit.Event(actor=by.actor, kind="settings", subjects={"live_sources": sha256_hex(stored)}, details=details)
    make_private_folder(data.access)
    audit.append(data.audit, event)
    write_file(data.live_sources, stored)
    return sources


def is_restricted(data: DataFolder) -> bool:
    """Whether Live opens only what is listed or in the library: with accounts, or if there is a list."""
    return bool(read_people(data).accounts or read_live_sources(data))


def allow_source(data: DataFolder, person: Person, source: str) -> AllowedSource:
    """Return what a person may open, or refuse it and log the refusal.

    Args:
        data: The data folder.
        person: The person, who may run the live mode.
        source: Name of a source on the list, its address, or the path of a file.

    Raises:
        AccessError: The source is not allowed.
        AuditError: The refusal cannot be logged.
    """
    listed = read_live_sources(data)
    for one in listed:
        if source in {one.name, one.address}:
            return AllowedSource(one.address, one.name)
    # A path is resolved, and what it leads to is opened: neither .. nor a link leads out of a folder that is allowed.
    path = _resolve_path(source)
    folders = [data.library, *(Path(one.address) for one in listed if "://" not in one.address)]
    # Links in the library are those of the people who run the server, who put large files there.
    plain = Path(os.path.abspath(source))  # noqa: PTH100 - removes .. and follows no link, unlike resolve
    if path is not None and plain.is_relative_to(data.library.absolute()):
        return AllowedSource(str(plain), plain.name)
    if path is not None and any(path.is_relative_to(folder.resolve()) for folder in folders):
        return AllowedSource(str(path), path.name)
    if not is_restricted(data):
        return AllowedSource(source, strip_credentials(source))
    # What was typed may be an address with a password, or the name of a patient; it is not kept.
    event = audit.Event(actor=person.actor, kind="refusal", details={"action": "live"}, reason="a source not allowed")
    audit.append(data.audit, event)
    names = ", ".join(one.name for one in listed) or "none"
    raise AccessError(
        f"This source is not allowed for Live. Choose a video of the library, or one that an administrator has listed "
        f"with veil users live-sources ({names})."
    )


def _resolve_path(source: str) -> Path | None:
    """Return the path that a source leads to; None for an address, and for what no path can be."""
    if "://" in source or not source.strip():
        return None
    try:
        return Path(source).resolve()
    except (OSError, ValueError, RuntimeError):
        return None
