"""Live: the masked picture of a running source, its controls and its figures."""

from __future__ import annotations

from workbench.views.live import page

page.show()
