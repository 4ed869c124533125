"""Addresses of the workbench. The URL names the run, frame and track, so that a link can be shared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode


class Page(StrEnum):
    """The pages, by the last part of their address."""

    HOME = ""
    DETECT = "detect"
    REVIEW = "review"
    ANALYSE = "analyse"
    SIGN_OFF = "signoff"
    LIVE = "live"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class PageLocation:
    """What a page shows: a run, and a frame and track in it; None if nothing is chosen."""

    run: str | None = None
    frame: int | None = None
    track: int | None = None

    @classmethod
    def from_query(cls, parameters: Mapping[str, str]) -> PageLocation:
        """Parse the query parameters; a frame or track that is not a number is ignored."""
        return cls(
            parameters.get("run") or None, _parse_index(parameters.get("frame")), _parse_index(parameters.get("track"))
        )

    def to_query(self) -> dict[str, str]:
        """Return it as query parameters."""
        values = {"run": self.run, "frame": self.frame, "track": self.track}
        return {name: str(value) for name, value in values.items() if value is not None}


def build_address(page: Page, run: str | None = None, frame: int | None = None, track: int | None = None) -> str:
    """Return the address of a page relative to the server, for example `/review?run=...&frame=12`."""
    query = urlencode(PageLocation(run, frame, track).to_query())
    return f"/{page.value}?{query}" if query else f"/{page.value}"


def _parse_index(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else None
