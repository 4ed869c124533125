"""The clock of a live source across connections and jumps."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

from av.packet import Packet

_MAX_JUMP_BACK_S, _MAX_JUMP_AHEAD_S = Fraction(1, 10), Fraction(2)
"""Limits for jumps of a stream's clock; a larger jump means that another clock started."""


class ConnectionClock:
    """Shifts the times of each connection: the first starts at 0, a later one continues after the pause."""

    def __init__(self, *, keep: bool) -> None:
        self._keeps_times = keep
        self._shift: Fraction | None = Fraction(0) if keep else None
        self._next_start = Fraction(0)
        self._latest: dict[int, Fraction] = {}
        self._last_packet_s = time.monotonic()

    def restart(self) -> None:
        """Note that the next packets come from a new connection."""
        self._next_start = self._end_time() + Fraction(time.monotonic() - self._last_packet_s).limit_denominator(1000)
        self._shift = None
        self._latest.clear()

    def detect_jump(self, packet: Packet[Any]) -> bool:
        """Note a packet's time; return whether the clock jumped since the packet before it in its stream."""
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is None or self._keeps_times:
            return False
        now = stamp * packet.time_base
        before, jumped = self._latest.get(packet.stream_index), False
        if before is not None and not -_MAX_JUMP_BACK_S < now - before < _MAX_JUMP_AHEAD_S:
            self._next_start, jumped = self._end_time(), True
            self._shift = None
            self._latest.clear()
        if self._shift is None:
            self._shift = self._next_start - now
        self._latest[packet.stream_index] = now
        self._last_packet_s = time.monotonic()
        return jumped

    def to_common_time(self, stamp: int, time_base: Fraction) -> Fraction:
        """Convert a time stamp to seconds on the common clock."""
        return stamp * time_base + (self._shift or 0)

    def shift_packet(self, packet: Packet[Any]) -> Packet[Any]:
        """Move a packet's times to the common clock, and return the packet."""
        ticks = round((self._shift or 0) / packet.time_base)
        if ticks:
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
        return packet

    def _end_time(self) -> Fraction:
        """Return a time just after everything received so far."""
        return max(self._latest.values(), default=Fraction(0)) + (self._shift or 0) + Fraction(1, 10)
