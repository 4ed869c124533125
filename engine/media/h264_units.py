"""Splits H.264 streams into NAL units and rewrites them (Rec. ITU-T H.264, 7.3.1 and Annex B; ISO/IEC 14496-15)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_START_CODE = b"\x00\x00\x00\x01"
_ANY_START_CODE = re.compile(rb"\x00{2,3}\x01")
_AVCC_VERSION = 1
_SPS, _PPS, _IDR = 7, 8, 5
_PICTURE_TYPES = frozenset({1, 2, 3, 4, 5})
_MAX_PARAMETER_SETS = 32


class ParameterSets(NamedTuple):
    """The headers of a stream: its sequence and picture parameter sets."""

    sequence: tuple[bytes, ...]
    picture: tuple[bytes, ...]

    @property
    def ids(self) -> frozenset[int]:
        """The numbers by which pictures refer to these headers."""
        # A sequence parameter set begins with profile, constraints and level, of one byte each.
        return frozenset(
            [*(_read_ue(unit[4:]) for unit in self.sequence), *(_read_ue(unit[1:]) for unit in self.picture)]
        )

    def join(self, other: ParameterSets) -> bytes:
        """Return both sets of headers for a container, in the form of Annex B.

        The one with the highest level comes first: a container states the level of its first header for the whole file.
        """
        sequence = sorted({*self.sequence, *other.sequence}, key=lambda unit: (-unit[3], unit))
        return join_units([*sequence, *dict.fromkeys((*self.picture, *other.picture))])


class StreamHeader(NamedTuple):
    """The header of a stream in MP4 or Matroska: bytes of a unit's length, and the parameter sets."""

    length_bytes: int
    sets: ParameterSets


def parse_stream_header(extradata: bytes | None) -> StreamHeader | None:
    """Parse the header that MP4 and Matroska store (`avcC`); None if it is missing or of another form."""
    if not extradata or extradata[0] != _AVCC_VERSION or len(extradata) < 7:
        return None
    place, found = 5, []
    for mask in (0x1F, 0xFF):
        count, place, units = extradata[place] & mask, place + 1, []
        for _ in range(count):
            end = place + 2 + int.from_bytes(extradata[place : place + 2], "big")
            units.append(extradata[place + 2 : end])
            place = end
        found.append(tuple(units))
    if place > len(extradata) or not all(found) or any(len(unit) < 5 for unit in found[0]):
        return None
    return StreamHeader((extradata[4] & 3) + 1, ParameterSets(*found))


def split_prefixed(data: bytes, length_bytes: int) -> list[bytes]:
    """Split a packet whose units are preceded by their length."""
    units, place = [], 0
    while place + length_bytes <= len(data):
        end = place + length_bytes + int.from_bytes(data[place : place + length_bytes], "big")
        units.append(data[place + length_bytes : end])
        place = end
    return [unit for unit in units if unit]


def split_annex_b(data: bytes) -> list[bytes]:
    """Split a packet whose units are preceded by start codes."""
    return [unit for unit in _ANY_START_CODE.split(data) if unit]


def join_units(units: Iterable[bytes]) -> bytes:
    """Return units in the form of Annex B."""
    return b"".join(_START_CODE + unit for unit in units)


def keep_pictures(units: Iterable[bytes]) -> list[bytes]:
    """Return the units that hold coded pictures.

    Left out are headers, which the container has, and messages that no picture needs (SEI, and units of private types):
    cameras and editors write places, times and serial numbers there.
    """
    return [unit for unit in units if unit[0] & 0x1F in _PICTURE_TYPES]


def is_instant_refresh(units: Iterable[bytes]) -> bool:
    """Return whether a picture begins a closed group: no later picture refers to one before it (IDR)."""
    return any(unit[0] & 0x1F == _IDR for unit in units)


def select_parameter_sets(units: Iterable[bytes]) -> ParameterSets:
    """Return the headers among units."""
    listed = list(units)
    return ParameterSets(*(tuple(unit for unit in listed if unit[0] & 0x1F == kind) for kind in (_SPS, _PPS)))


def choose_free_id(sets: ParameterSets) -> int | None:
    """Return the highest number that no header has; None if all are taken."""
    return next((number for number in range(_MAX_PARAMETER_SETS - 1, -1, -1) if number not in sets.ids), None)


def _read_ue(data: bytes) -> int:
    """Read the unsigned Exp-Golomb number at the start of some bytes (9.1)."""
    bits = "".join(f"{byte:08b}" for byte in data[:8])
    zeros = len(bits) - len(bits.lstrip("0"))
    return int(bits[zeros : 2 * zeros + 1] or "1", 2) - 1
