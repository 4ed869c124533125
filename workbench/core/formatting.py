"""Numbers, times and texts as the pages write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from engine.core.wording import format_count
from engine.record import DetectOptions

_ADDRESS_PATTERN = re.compile(r":(?=//)|\bwww(?=\.)|@(?=\w)", re.IGNORECASE)
"""Where an address on the web or of mail begins or divides."""
_SHORT_HASH_DIGITS = 12
"""Characters of a hash that a person compares. The page also has the whole hash to copy."""


def format_size(byte_count: int) -> str:
    """Format a number of bytes, for example 12.3 MB."""
    value = float(byte_count)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def format_duration(seconds: float) -> str:
    """Format seconds, for example 48 s, 3 min 20 s or 2 h 5 min."""
    whole = max(1, round(seconds))
    minutes, rest = divmod(whole, 60)
    if minutes == 0:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"


def format_time(text: str) -> str:
    """Format an ISO time in the time zone of this machine, for example 2026-03-01 14:05."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")


def format_age(text: str) -> str:
    """Format how long ago an ISO time is, in its greatest unit, for example 3 days."""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return format_count(int(seconds // length), unit)
    return "less than a minute"


def describe_detection(options: DetectOptions) -> str:
    """Describe how a run detects: its mode, the detectors if they are not the mode's, and the settings that were set.

    For example "on-prem: centerface (centerface.threshold=0.5)".
    """
    settings = [
        f"{part}.{name}={value}" for part, values in options.parameters.items() for name, value in values.items()
    ]
    for part in ("fusion", "tracking", "smoothing"):
        chosen = getattr(options, part)
        usual = type(chosen)()
        settings += [
            f"{part}.{name}={value}"
            for name, value in msgspec.structs.asdict(chosen).items()
            if value != getattr(usual, name)
        ]
    text = options.mode if options.detectors is None else f"{options.mode}: {', '.join(options.detectors)}"
    return f"{text} ({', '.join(settings)})" if settings else text


def escape_markdown(text: str) -> str:
    """Escape the characters that Markdown would interpret, so that words of other people make no link or picture."""
    # Addresses become links after escapes are read, so no escape helps: a word joiner, which nobody sees, breaks them.
    unlinked = _ADDRESS_PATTERN.sub("\\g<0>\N{WORD JOINER}", text)
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>#+!|$~:" else letter for letter in unlinked)


def shorten_hash(sha256: str) -> str:
    """Shorten a hash to the characters that a person compares."""
    return sha256[:_SHORT_HASH_DIGITS]
