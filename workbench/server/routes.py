"""The API routes. Each handler checks its user (see `workbench.auth.middleware`)."""

from __future__ import annotations

from starlette.routing import BaseRoute

from workbench.auth import middleware, second_factor, sign_in
from workbench.server import analyse_preload
from workbench.server.assist import AssistRoutes
from workbench.server.files import FileRoutes
from workbench.server.previews import PreviewRoutes
from workbench.server.sound import build_sound_routes
from workbench.server.stills import StillRoutes
from workbench.server.waveform import build_waveform_routes

ROUTES: tuple[BaseRoute, ...] = (
    *analyse_preload.build_routes(),
    *sign_in.ROUTES,
    *second_factor.ROUTES,
    *StillRoutes(middleware.person_from_request).build_routes(),
    *PreviewRoutes(middleware.person_from_request).build_routes(),
    *AssistRoutes(middleware.person_from_request).build_routes(),
    *build_sound_routes(middleware.person_from_request),
    *build_waveform_routes(middleware.person_from_request),
    *FileRoutes(middleware.person_from_request).build_routes(),
)
"""All routes of the workbench other than pages; their paths begin with /api/."""
