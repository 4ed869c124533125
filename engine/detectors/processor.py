"""The arithmetic that this machine's processor has; asked without importing a machine-learning library."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

Precision = Literal["bf16", "f32"]
"""bf16: 16-bit floats, about twice as fast at the same recall (docs/measurements/recall.md); f32: 32-bit floats."""

_BF16_FLAGS = {"avx512_bf16", "amx_bf16"}


@cache
def has_bf16() -> bool:
    """Return whether the processor multiplies bf16 numbers itself.

    Elsewhere OpenVINO computes in f32 without a word, so a record that says bf16 would be wrong.
    """
    try:
        return lists_bf16(Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace"))
    except OSError:
        return False


def lists_bf16(cpuinfo: str) -> bool:
    """Return whether the flags of the first processor in the text of /proc/cpuinfo name bf16 arithmetic."""
    flags = next((line for line in cpuinfo.splitlines() if line.startswith("flags")), "")
    return not _BF16_FLAGS.isdisjoint(flags.split())


def preferred_precision() -> Precision:
    """Return the faster precision that this processor has. The record states it, as answers differ in late digits."""
    return "bf16" if has_bf16() else "f32"
