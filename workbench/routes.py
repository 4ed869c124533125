"""Addresses that the server answers beside the pages; each handler checks who asks (see `workbench.gate`)."""

from __future__ import annotations

from starlette.routing import BaseRoute

ROUTES: tuple[BaseRoute, ...] = ()
"""Every part of the workbench that answers requests of its own adds its routes here; paths begin with /api/."""
