"""Sign off: what a signature covers, the signatures, and the releases."""

from __future__ import annotations

from workbench.views.signoff import page

page.show()
