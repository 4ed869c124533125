"""The base of every document, and the types of its numbers."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]
Score = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=3600.0)]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every document and every part of one: immutable, unknown fields refused."""


Kind = TypeVar("Kind", bound=Document)
