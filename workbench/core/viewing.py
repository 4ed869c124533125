"""The processes that decode for the pages and routes of this server."""

from __future__ import annotations

from functools import lru_cache

from engine.viewing.viewers import Viewers


@lru_cache(maxsize=1)
def get_viewers() -> Viewers:
    """Return the viewing processes of this server. They end with it, however it ends."""
    return Viewers()
