"""A QR code on the terminal; drawn here, so that no secret leaves the machine to become a picture."""

from __future__ import annotations

import io

import segno


def build_terminal_code(text: str) -> str:
    """Return a QR code as lines of half blocks, dark on light by escape sequences."""
    output = io.StringIO()
    segno.make(text, micro=False).terminal(out=output, compact=True, border=2)
    return output.getvalue().rstrip("\n")
