"""Keeps WebRTC from asking the network for names.

A browser that was not allowed to use the camera hides its addresses behind names of multicast DNS. To resolve one,
aioice sends a packet to every machine of the network, which would leave this one without a person having named a host.
Veil does not ask: it offers the browser its own addresses, the browser contacts it there, and from that packet aioice
learns the browser's address (a peer-reflexive candidate, RFC 8445).
"""

from __future__ import annotations

from aioice import ice


class _NoNames:
    """Stands for aioice's resolver, and knows no name."""

    async def resolve(self, _hostname: str, _timeout_s: float | None = None) -> None:
        """Return no address."""


async def _find_no_names(_subscriber: object) -> _NoNames:
    return _NoNames()


def switch_off_name_queries() -> None:
    """Make aioice leave candidates with names alone, in this process; calling it again changes nothing.

    Raises:
        AttributeError: this version of aioice resolves names in another way.
    """
    # aioice has no setting for it. Assigning a name that does not exist would change nothing without a word.
    ice.get_or_create_mdns_protocol  # noqa: B018 - fails in a version that has another name for it
    ice.get_or_create_mdns_protocol = _find_no_names  # type: ignore[assignment]
