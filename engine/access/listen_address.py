"""Restriction of the address that the workbench listens on."""

from __future__ import annotations

import ipaddress

from engine.access.people import read_people
from engine.errors import AccessError
from engine.storage.data_folder import DataFolder


def check_listen_address(data: DataFolder, address: str) -> None:
    """Refuse to listen for other machines in an installation without accounts, where every visitor would be let in.

    Args:
        data: The data folder.
        address: The address to listen on. A name other than `localhost` counts as reachable from other machines.

    Raises:
        AccessError: Other machines can reach the address, and there are no accounts.
    """
    if is_loopback(address) or any(not account.disabled for account in read_people(data).accounts):
        return
    raise AccessError(
        f"Without accounts the workbench listens on this machine alone, not on {address or 'every address'}. Add "
        "accounts with veil users add, or omit --address."
    )


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"
