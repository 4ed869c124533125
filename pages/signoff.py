"""Sign off: what a responsible person signs, the signatures, and what was released."""

from __future__ import annotations

from workbench.views.signoff import page

page.show()
