"""Addresses that the server answers beside the pages; each handler checks who asks (see `workbench.door.gate`)."""

from __future__ import annotations

from starlette.routing import BaseRoute

from workbench.analyse import ahead
from workbench.door import gate, signin
from workbench.outputs import Outputs
from workbench.pictures.stills import Stills

ROUTES: tuple[BaseRoute, ...] = (
    *ahead.routes(),
    *signin.ROUTES,
    *Stills(gate.person_of).routes(),
    *Outputs(gate.person_of).routes(),
)
"""Every part of the workbench that answers requests of its own adds its routes here; paths begin with /api/."""
