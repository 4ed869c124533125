"""Ways to spoil a file: bytes, JSON values, and lines of text."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

_HOSTILE_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 2**64, 10**30, 0.5, -0.0, 1e308, 1e-320, "", " ", "\0", "\n",
    "a\r\nb", "../../etc/passwd", "/dev/zero", "/", ".", "file:///etc/passwd",
    "http://127.0.0.1:1/", "<script>", "%s%n",
    "{0.__class__}", "$(touch EXECUTED)", "é" * 300, "\u202e", "\ud800", "x" * 70_000, "1/0", "0/0", "-1/25",
    "9" * 400 + "/1", "NaN", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", [], {}, [[]], [None], {"": None},
    {"kind": "add"}, [0, 0, 0, 0], [-(2**40), 0, 2**40, 1],
)  # fmt: skip
_LITERALS = (
    b"NaN",
    b"1e400",
    b"-0",
    b"00",
    b"9" * 5000,
    b"\xff",
    b"\xc3",
    b"\0",
    b'"',
    b"\\ud800",
    b"{",
    b"}",
    b"[" * 3000,
)


def spoil_bytes(data: bytes, chance: random.Random) -> bytes:
    """Flip, cut, repeat, move, insert or blank a part of the bytes; several times in one of three cases."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        chance.choice(_BYTE_CHANGES)(changed, chance)
    return bytes(changed)


def spoil_head(data: bytes, chance: random.Random) -> bytes:
    """Spoil the first 2 kB, where most containers describe the rest, or the last 2 kB, where the others do."""
    part = min(2048, len(data))
    if chance.random() < 0.7:
        return spoil_bytes(data[:part], chance) + data[part:]
    return data[:-part] + spoil_bytes(data[-part:], chance)


def spoil_document(data: bytes, chance: random.Random) -> bytes:
    """Spoil JSON or lines of JSON by its values, or any text by its bytes."""
    if chance.random() < 0.35:
        return spoil_bytes(data, chance)
    if chance.random() < 0.2:
        place = chance.randrange(len(data) + 1)
        return data[:place] + chance.choice(_LITERALS) + data[place:]
    lines = data.split(b"\n")
    number = chance.randrange(len(lines))
    try:
        value = json.loads(lines[number])
    except ValueError:
        return _spoil_lines(lines, chance)
    for _ in range(chance.choice((1, 1, 1, 3))):
        value = _spoil_value(value, chance)
    lines[number] = json.dumps(value, ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")
    return b"\n".join(lines)


def _spoil_lines(lines: list[bytes], chance: random.Random) -> bytes:
    """Drop, repeat, swap or spoil a line, or a field between commas."""
    number, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.randrange(5)
    if kind == 0:
        del lines[number]
    elif kind == 1:
        lines.insert(other, lines[number])
    elif kind == 2:
        lines[number], lines[other] = lines[other], lines[number]
    elif kind == 3:
        value = chance.choice(_HOSTILE_VALUES)
        fields = lines[number].split(b",")
        fields[chance.randrange(len(fields))] = str(value).encode(errors="surrogatepass")
        lines[number] = b",".join(fields)
    else:
        lines[number] = spoil_bytes(lines[number], chance)
    return b"\n".join(lines)


def _spoil_value(value: Any, chance: random.Random) -> Any:
    """Replace, remove, add, repeat or re-key something at a random depth."""
    if isinstance(value, dict) and value:
        return _spoil_object(value, chance)
    if isinstance(value, list) and value:
        return _spoil_list(value, chance)
    if isinstance(value, int) and not isinstance(value, bool) and chance.random() < 0.4:
        return value + chance.choice((-1, 1, 255, 2**16))
    if isinstance(value, str) and value and chance.random() < 0.4:
        place = chance.randrange(len(value))
        return value[:place] + chr(chance.choice((0, 9, 10, 48, 127, 0x202E, 0xFFFF))) + value[place + 1 :]
    return chance.choice(_HOSTILE_VALUES)


def _spoil_object(value: dict[str, Any], chance: random.Random) -> Any:
    key = chance.choice(sorted(value))
    if chance.random() < 0.6:
        return value | {key: _spoil_value(value[key], chance)}
    changed = dict(value)
    removed = changed.pop(key)
    if chance.random() < 0.5:
        changed[chance.choice((key + "x", "", "schema", "kind"))] = removed
    return changed


def _spoil_list(value: list[Any], chance: random.Random) -> Any:
    place, kind = chance.randrange(len(value)), chance.random()
    if kind < 0.6:
        return [*value[:place], _spoil_value(value[place], chance), *value[place + 1 :]]
    if kind < 0.8:
        return [*value[:place], *value[place + 1 :]]
    return [*value[:place], value[place], *value[place:]]


def _flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.randrange(256)


def _flip_bit(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _remove(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data) + 1)
    del data[start : start + chance.choice((1, 4, 16, 188, 1000))]


def _repeat(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data) + 1)
    part = data[start : start + chance.choice((1, 4, 64, 188, 2000))]
    data[start:start] = part * chance.choice((1, 2, 20))


def _blank(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data) + 1)
    part = data[start : start + chance.choice((1, 4, 8, 64, 512))]
    data[start : start + len(part)] = bytes([chance.choice((0, 255, 127, 128))]) * len(part)


def _set_number(data: bytearray, chance: random.Random) -> None:
    number = chance.choice((0, 1, 7, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF, 1 << 24, len(data)))
    start = chance.randrange(max(1, len(data) - 4))
    data[start : start + 4] = number.to_bytes(4, chance.choice(("big", "little")))


def _move(data: bytearray, chance: random.Random) -> None:
    start, length = chance.randrange(len(data) + 1), chance.choice((4, 64, 1000))
    part = bytes(data[start : start + length])
    del data[start : start + length]
    place = chance.randrange(len(data) + 1)
    data[place:place] = part


_BYTE_CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip, _flip, _flip_bit, _flip_bit, _cut, _remove, _repeat, _blank, _set_number, _set_number, _move,
)  # fmt: skip
