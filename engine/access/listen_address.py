"""To whom the workbench may be shown."""

from __future__ import annotations

import ipaddress

from engine.access.people import read_people
from engine.errors import AccessError
from engine.storage.data_folder import DataFolder


def check_listen_address(data: DataFolder, address: str) -> None:
    """Refuse to be reached from other machines where nobody has to say who they are.

    Args:
        data: the data folder.
        address: to listen on; a name other than `localhost` is taken for one that others reach.

    Raises:
        AccessError: the address is not of this machine alone, and there are no accounts.
    """
    if is_loopback(address) or any(not account.disabled for account in read_people(data).accounts):
        return
    raise AccessError(
        f"Without accounts the workbench listens on this machine alone, not on {address or 'every address'}; make "
        "accounts with veil users add, or leave --address out."
    )


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"
