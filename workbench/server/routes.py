"""Addresses beside the pages; each handler checks who asks (see `workbench.auth.middleware`)."""

from __future__ import annotations

from starlette.routing import BaseRoute

from workbench.auth import middleware, sign_in
from workbench.server import analyse_preload
from workbench.server.files import Outputs
from workbench.server.stills import Stills

ROUTES: tuple[BaseRoute, ...] = (
    *analyse_preload.routes(),
    *sign_in.ROUTES,
    *Stills(middleware.person_of).routes(),
    *Outputs(middleware.person_of).routes(),
)
"""Every part of the workbench that answers requests of its own adds its routes here; paths begin with /api/."""
