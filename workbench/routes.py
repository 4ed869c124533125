"""Addresses that the server answers beside the pages; each handler checks who asks (see `workbench.gate`)."""

from __future__ import annotations

from starlette.routing import BaseRoute

from workbench import signin

ROUTES: tuple[BaseRoute, ...] = (*signin.ROUTES,)
"""Every part of the workbench that answers requests of its own adds its routes here; paths begin with /api/."""
