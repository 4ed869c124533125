"""Live: the masked picture of a live source, with controls and statistics."""

from __future__ import annotations

from workbench.views.live import page

page.show()
