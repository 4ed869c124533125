"""Addresses of the workbench: what a person looks at stands in the URL, so that a link can be sent to a colleague."""

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


@dataclass(frozen=True, slots=True)
class PageLocation:
    """What a person looks at: a run, and in it a frame and a track; None where nothing is chosen."""

    run: str | None = None
    frame: int | None = None
    track: int | None = None

    @classmethod
    def from_query(cls, parameters: Mapping[str, str]) -> PageLocation:
        """The place that query parameters name; what is not a number is no frame and no track."""
        return cls(
            parameters.get("run") or None, _parse_index(parameters.get("frame")), _parse_index(parameters.get("track"))
        )

    def to_query(self) -> dict[str, str]:
        """The query parameters that name it."""
        values = {"run": self.run, "frame": self.frame, "track": self.track}
        return {name: str(value) for name, value in values.items() if value is not None}


def build_address(page: Page, run: str | None = None, frame: int | None = None, track: int | None = None) -> str:
    """The address of a page at a place, relative to the server, as `/review?run=...&frame=12`."""
    query = urlencode(PageLocation(run, frame, track).to_query())
    return f"/{page.value}?{query}" if query else f"/{page.value}"


def _parse_index(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else None
